// For those who run the fleet: its figures, the clock's controls, and faults to try out.

import { useRef } from "preact/hooks";

import { DOING, PALETTES, css, doingOf, type Doing } from "../map/palette";
import { figures, type Figures } from "../state/fleet";
import { gauges } from "../state/gauges";
import { operations } from "../state/panels";
import { isInPast, playback } from "../state/playback";
import { useCover } from "../state/room";
import { theme } from "../state/settings";
import { Chart } from "./Chart";
import { ClockControls } from "./ClockControls";
import { FaultForm } from "./FaultForm";
import { figure, percent } from "./format";
import { Icon } from "./Icon";
import { Promises } from "./Promises";
import { RecordForm } from "./RecordForm";

export function Operations() {
  const panel = useRef<HTMLElement>(null);
  useCover(panel);
  const now = figures.value;
  const { at, perMinute, airborne, tickMs, etaErrorP50, etaErrorP95 } = gauges.value;
  return (
    <aside ref={panel} class="operations panel" aria-label="Operations">
      <header class="card-head">
        <h2>Operations</h2>
        <button type="button" class="icon-button" aria-label="Close operations" onClick={() => (operations.value = false)}>
          <Icon name="close" />
        </button>
      </header>
      {!playback.value && <ClockControls />}
      {now ? (
        <>
          <FigureGrid now={now} />
          <FleetByState now={now} />
          <Chart title="Deliveries a minute" at={at} series={[perMinute]} />
          <Chart title="In the air" at={at} series={[airborne]} />
          {!playback.value && <Chart title="Tick" unit="ms" at={at} series={[tickMs]} />}
          <Chart title="ETA error, typical and 95 %" unit="s" at={at} series={[etaErrorP50, etaErrorP95]} />
          {now.etaError && <Promises error={now.etaError} />}
        </>
      ) : (
        <p class="soft">Waiting for figures…</p>
      )}
      {playback.value ? (
        <p class="fault soft">{isInPast.value ? "This is the past" : "This is a recording"}: it is played from below, and nothing in it can be broken or changed.</p>
      ) : (
        <>
          <FaultForm />
          <RecordForm />
        </>
      )}
    </aside>
  );
}

function FigureGrid({ now }: { now: Figures }) {
  const { deliveries, etaError } = now;
  const unknown = "–";
  const shown: [label: string, value: string, unit?: string][] = [
    ["Waiting requests", figure(deliveries.waiting)],
    ["Under way", figure(deliveries.underWay)],
    ["Completed", figure(deliveries.completed)],
    ["Failed / cancelled", `${figure(deliveries.failed)} / ${figure(deliveries.cancelled)}`],
    ["ETA error, typical", etaError ? figure(etaError.p50Seconds) : unknown, "s"],
    ["Late by > 1 min", etaError ? percent(etaError.lateShare) : unknown],
    // Of what is played nothing is computed.
    ...(playback.value ? [] : computing(now)),
    ["Sessions", now.sessions === undefined ? unknown : figure(now.sessions)],
  ];
  return (
    <dl class="figure-grid figures">
      {shown.map(([label, value, unit]) => (
        <div key={label}>
          <dt>{label}</dt>
          <dd>
            {value} {unit && value !== unknown && <span class="unit">{unit}</span>}
          </dd>
        </div>
      ))}
    </dl>
  );
}

function computing({ tickMs, tickSlipMs }: Figures): [label: string, value: string, unit: string][] {
  return [
    ["Tick", tickMs == null ? "–" : figure(tickMs), "ms"],
    ["Slip", figure(tickSlipMs), "ms"],
  ];
}

/** One bar of all drones by what they do. */
function FleetByState({ now }: { now: Figures }) {
  const byStatus = now.byStatus ?? { cruising: now.airborne, charging: now.charging, lost: now.lost };
  const counts = new Map<Doing, number>();
  for (const [status, count] of Object.entries(byStatus)) {
    const doing = doingOf(status);
    counts.set(doing, (counts.get(doing) ?? 0) + count);
  }
  const colours = PALETTES[theme.value].doing;
  const all = (Object.keys(DOING) as Doing[]).map((doing) => ({ doing, count: counts.get(doing) ?? 0 }));
  return (
    <section class="by-state" aria-label="Fleet by state">
      <h3>
        Fleet <span class="soft figures">{figure(now.drones)} drones, {figure(now.airborne)} in the air</span>
      </h3>
      <div class="bar" aria-hidden="true">
        {all.map(({ doing, count }) => (
          <i key={doing} style={{ flexGrow: count, background: css(colours[doing]) }} />
        ))}
      </div>
      <ul class="figures">
        {all.map(({ doing, count }) => (
          <li key={doing}>
            <span class="dot" style={{ background: css(colours[doing]) }} />
            {DOING[doing].label} <b>{figure(count)}</b>
          </li>
        ))}
      </ul>
    </section>
  );
}
