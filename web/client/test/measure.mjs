// How long 20,000 drones take: `npm run measure`. Prints milliseconds, asserts nothing.

import { PositionBuffer } from "@skyhaul/client";

const DRONES = 20_000;
const row = (i, frame) => [
  `d-${i}`,
  37.7 + (i % 141) / 1000 + frame * 8e-5,
  -122.5 + Math.floor(i / 141) / 1000,
  60,
  (i + frame) % 360,
  14,
  0.8,
  "cruising",
];
const frames = Array.from({ length: 50 }, (_, frame) => ({
  simTime: new Date(frame * 200).toISOString(),
  sentAt: frame * 200,
  full: frame === 0,
  drones: Array.from({ length: DRONES }, (_, i) => row(i, frame)),
  gone: [],
}));

const buffer = new PositionBuffer({ capacity: DRONES });
const takes = [];
const samples = [];
const timed = (times, work) => {
  const from = performance.now();
  work();
  times.push(performance.now() - from);
};
for (const message of frames) {
  timed(takes, () => buffer.take(message, message.sentAt));
  for (let at = 0; at < 200; at += 1000 / 60) timed(samples, () => buffer.sample(message.sentAt + at));
}

const show = (name, times) => {
  const sorted = times.slice(times.length / 5).sort((a, b) => a - b);
  const at = (share) => sorted[Math.floor(share * (sorted.length - 1))].toFixed(2);
  console.log(`${name}: median ${at(0.5)} ms, p99 ${at(0.99)} ms`);
};
console.log(`${DRONES} drones`);
show("take (a frame, 5 a second)", takes);
show("sample (60 a second)", samples);
