// A small chart of the last minutes of the simulated world, up to the moment that is shown.

import { useEffect, useRef } from "preact/hooks";
import UPlot from "uplot";
import "uplot/dist/uPlot.min.css";

import { theme } from "../state/settings";
import { clock, figure } from "./format";

type Series = (number | null)[];

interface Props {
  title: string;
  unit?: string;
  /** Seconds of Unix time, in the simulated world. */
  at: number[];
  series: Series[];
}

const HEIGHT = 84;
/** A chart that has just begun grows from the right. */
const SHORTEST_S = 150;

export function Chart({ title, unit, at, series }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<UPlot | null>(null);
  const shade = theme.value;
  const data = [at, ...series] as UPlot.AlignedData;

  useEffect(() => {
    if (!box.current) return;
    const made = new UPlot(options(box.current, series.length), data, box.current);
    plot.current = made;
    const resized = new ResizeObserver(([entry]) => made.setSize({ width: entry!.contentRect.width, height: HEIGHT }));
    resized.observe(box.current);
    return () => {
      resized.disconnect();
      made.destroy();
    };
  }, [shade, series.length]);
  useEffect(() => plot.current?.setData(data), [at]);

  const newest = series.map((values) => values.at(-1));
  const words = newest.map((value) => (value == null ? "–" : figure(value))).join(" / ");
  return (
    <figure class="chart">
      <figcaption class="figures">
        {title} <b>{words}</b> {unit && <span class="unit">{unit}</span>}
      </figcaption>
      <div ref={box} role="img" aria-label={`${title}: ${words} ${unit ?? ""}`} />
    </figure>
  );
}

function options(box: HTMLElement, count: number): UPlot.Options {
  const colour = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const strokes = [colour("--accent"), colour("--warn")];
  const axis = { stroke: colour("--soft"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false }, font: "10px Inter Variable" };
  return {
    width: box.clientWidth,
    height: HEIGHT,
    legend: { show: false },
    cursor: { show: false },
    padding: [6, 6, 0, 0],
    scales: {
      x: { range: (_, from, to) => [Math.min(from ?? 0, (to ?? 0) - SHORTEST_S), to ?? 0] },
      y: { range: (_, low, high) => [Math.min(0, low ?? 0), Math.max(1, (high ?? 1) * 1.1)] },
    },
    axes: [
      { ...axis, size: 18, space: 60, incrs: [60, 120, 300, 600, 1800, 3600, 7200, 14400, 43200], values: (_, seconds) => seconds.map(hourAndMinute) },
      { ...axis, size: 34, space: 26 },
    ],
    series: [{}, ...Array.from({ length: count }, (_, i) => ({ stroke: strokes[i], width: 1.6, points: { show: false } }))],
  };
}

function hourAndMinute(seconds: number): string {
  return clock(seconds * 1000).slice(0, 5);
}
