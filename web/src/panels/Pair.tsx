// A recording and another beside it: two maps at the same moment, and what each came to.

import type { Comparison } from "@skyhaul/client";
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

import { comparison, forks, paired, trouble } from "../state/forks";
import { relay } from "../state/mirror";
import { elapsed, moment } from "../state/playback";
import { token } from "../state/token";
import { Icon } from "./Icon";

export function Pair() {
  const one = useRef<HTMLIFrameElement>(null);
  const other = useRef<HTMLIFrameElement>(null);
  useEffect(() => relay(() => [one.current?.contentWindow, other.current?.contentWindow]), []);
  const beside = forks.value?.beside;
  if (!beside) return null;
  const bearer = token.value ? `#t=${token.value}` : "";
  const at = moment.value;
  const begins = Date.parse(beside.from);
  const [mine, theirs] = comparison.value?.recordings ?? [];
  return (
    <div class="pair">
      <figure>
        <figcaption class="panel">{mine?.file ?? "The recording"}</figcaption>
        <iframe ref={one} src={`/?half${bearer}`} title="The recording" />
      </figure>
      <figure>
        <figcaption class="panel">
          {theirs?.file ?? beside.file} <span class="soft">{changes(beside.file)}</span>
        </figcaption>
        {/* What is beside under this address may be another by now. */}
        <iframe key={beside.file} ref={other} src={`/beside/?half${bearer}`} title="Beside it" />
        {at !== null && at < begins && <p class="pair-early panel">Until {elapsed(begins)} it is the same world</p>}
      </figure>
      <Against />
    </div>
  );
}

/** Of a branch that was made here. */
function changes(file: string): string {
  const fork = forks.value?.items.find((fork) => fork.file === file);
  if (!fork) return "";
  const set = Object.entries(fork.set).map(([key, value]) => `${key} = ${value}`);
  return `from ${elapsed(Date.parse(fork.at))}: ${set.join(", ") || "no change"}`;
}

function Against() {
  const open = useSignal(true);
  const found = comparison.value;
  return (
    <section class="against panel" aria-label="Comparison">
      <header>
        <h2>{found ? summary(found) : trouble.value ? "They cannot be compared" : "Comparing…"}</h2>
        <button type="button" class="icon-button" aria-label={open.value ? "Fold up" : "Unfold"} aria-expanded={open.value} onClick={() => (open.value = !open.value)}>
          <Icon name={open.value ? "close" : "chart"} size={16} />
        </button>
        <button type="button" class="quiet" onClick={() => (paired.value = false)}>
          One map
        </button>
      </header>
      {trouble.value && !found && <p class="field-error">{trouble.value}</p>}
      {open.value && found && <Tables found={found} />}
    </section>
  );
}

function summary({ partsAt }: Comparison): string {
  return partsAt === null ? "The same from beginning to end" : `They differ from ${elapsed(Date.parse(partsAt))} on`;
}

type Measure = Comparison["measures"][number];

/** What came of orders stands left, what they took right; what a server tells beyond comes last. */
const LEFT: readonly string[] = [
  "requested", "completed", "thirdParty", "failed", "cancelled", "inProgress", "fulfilmentMeanSeconds",
  "fulfilmentP95Seconds", "expeditedMeanSeconds", "lateShare", "quoteErrorP50", "quoteErrorP95", "quoteBiasSeconds",
];

function Tables({ found }: { found: Comparison }) {
  const left = found.measures.filter(({ name }) => LEFT.includes(name));
  const right = found.measures.filter(({ name }) => !LEFT.includes(name));
  return (
    <div class="against-tables">
      <Table title={`${elapsed(Date.parse(found.from))} to ${elapsed(Date.parse(found.to))}`} measures={left} />
      <Table title="Flight" measures={right} />
    </div>
  );
}

function Table({ title, measures }: { title: string; measures: Measure[] }) {
  return (
    <table class="figures">
      <thead>
        <tr>
          <th scope="col">{title}</th>
          <th scope="col">left</th>
          <th scope="col">right</th>
          <th scope="col">difference</th>
        </tr>
      </thead>
      <tbody>
        {measures.map(({ name, title, scale, values, difference }) => (
          <tr key={name} class={difference ? "differs" : ""}>
            <th scope="row">{title}</th>
            {values.map((value, side) => (
              <td key={side}>{shown(value, scale)}</td>
            ))}
            <td>{difference === null ? "–" : difference > 0 ? `+${shown(difference, scale)}` : shown(difference, scale)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Counts are whole; of all else two places are enough. */
function shown(value: number | null, scale: number): string {
  if (value === null) return "–";
  const scaled = value * scale;
  return scaled.toLocaleString("en-GB", { maximumFractionDigits: Number.isInteger(scaled) ? 0 : 2 });
}
