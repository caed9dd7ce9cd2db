// Beats bring no tick, one, two or more, ticks are as late as their commits; what is seen
// of a drone that flies steadily is steady.

import fc from "fast-check";
import { expect, test } from "vitest";

import { generated, recorded, seenSpeeds } from "./beats.js";

/** How far off a steady speed, as the root of the mean square. */
const unevenness = (seen: number[]) => Math.sqrt(seen.reduce((sum, speed) => sum + (speed - 1) ** 2, 0) / seen.length);

// In these a tick is held up now and then, by two tenths of a second and more: at ten beats a
// second that is longer than what lies in the buffer.
test.each([
  [1, 10, 0.35],
  [1, 5, 0.05],
  [1.5, 10, 0.35],
  [1.5, 5, 0.05],
  [3, 10, 0.01],
  [3, 5, 0.01],
])("as recorded at %f times the world's speed, %i beats a second", (speed, hz, most) => {
  const seen = seenSpeeds(recorded(speed, hz), { speed, hz });
  expect(unevenness(seen)).toBeLessThan(most);
  const uneven = seen.filter((speed) => Math.abs(speed - 1) > 0.1);
  expect(uneven.length / seen.length).toBeLessThan(0.06);
});

test("whatever the speed, the rate, and the luck with commits", () => {
  const habits = fc.record({
    speed: fc.constantFrom(0.5, 1, 1.5, 2, 3, 7, 10),
    hz: fc.constantFrom(10, 5, 2),
    phase: fc.integer({ min: 0, max: 99 }),
    longestCommit: fc.integer({ min: 0, max: 30 }),
    longestWay: fc.integer({ min: 0, max: 20 }),
  });
  const luck = fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true }));
  fc.assert(
    fc.property(habits, luck, (habits, luck) => {
      const chance = () => luck.next().value as number;
      const seen = seenSpeeds(generated({ ...habits, chance }, 20_000), habits);
      expect(Math.min(...seen)).toBeGreaterThan(0.8);
      expect(Math.max(...seen)).toBeLessThan(1.2);
    }),
    { numRuns: 60 },
  );
});

test("a frame that is told again, as when the viewport moves, changes nothing", () => {
  const beats = generated({ speed: 1, hz: 5, phase: 50, chance: () => 0, longestCommit: 0, longestWay: 0 }, 12_000);
  const again = beats.flatMap((beat) => [0, 60, 120, 180].map((after) => ({ ...beat, arrived: beat.arrived + after })));
  const seen = seenSpeeds(again, { speed: 1, hz: 5 });
  expect(Math.min(...seen)).toBeGreaterThan(0.99);
  expect(Math.max(...seen)).toBeLessThan(1.01);
});
