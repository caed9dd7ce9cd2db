// How well promised times hold, by how long before the end they were told: a table for operators.

import type { ErrorSpread, EtaError } from "../state/fleet";
import { figure, percent } from "./format";

export function Promises({ error }: { error: EtaError }) {
  const told: [label: string, error: ErrorSpread, atQuote?: ErrorSpread][] = [["First quote", error]];
  if (error.atPickup) told.push(["At pick-up", error.atPickup]);
  for (const at of error.byTimeToGo ?? []) told.push([`${at.seconds / 60} min before`, at, at.atQuote]);
  return (
    <section class="promises" aria-label="How promised times held">
      <h3>
        Promised times <span class="soft figures">last {figure(error.samples)} deliveries</span>
      </h3>
      <table class="figures">
        <thead>
          <tr>
            <th scope="col">Error when told</th>
            <th scope="col">Typical</th>
            <th scope="col">95 %</th>
          </tr>
        </thead>
        <tbody>
          {told.map(([label, { p50Seconds, p95Seconds, p50Share, p95Share }, atQuote]) => (
            <tr key={label}>
              <th scope="row">{label}</th>
              <td>
                {spread(p50Seconds, p50Share)}
                {before(atQuote?.p50Seconds)}
              </td>
              <td>
                {spread(p95Seconds, p95Share)}
                {before(atQuote?.p95Seconds)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <p class="soft figures">
        {bias(error.biasSeconds)}, {percent(error.lateShare)} over a minute late
        {error.jumps === undefined ? "" : `, ${figure(error.jumps)} visible jumps a delivery`}
      </p>
    </section>
  );
}

function spread(seconds: number, share?: number): string {
  return share === undefined ? `${figure(seconds)} s` : `${figure(seconds)} s · ${percent(share)}`;
}

// Only trips that had been quoted by then are in a row: the longer ones. So it is held against their own quotes.
function before(atQuote?: number) {
  if (atQuote === undefined) return null;
  return (
    <span class="soft" title="Of the same trips, when they were first quoted">
      {" "}
      of {figure(atQuote)} s
    </span>
  );
}

function bias(seconds: number): string {
  if (Math.abs(seconds) < 0.5) return "On time on average";
  return `${figure(Math.abs(seconds))} s ${seconds > 0 ? "late" : "early"} on average`;
}
