// The milestones of a delivery as a line, with the times at which they were reached.

import { MILESTONES, isPast, type Milestone, type Story } from "../state/story";
import { clock } from "./format";
import { customerMilestones, milestoneLabel } from "./words";

interface Step {
  milestone: Milestone;
  label: string;
}

/** Where each step stands; what was not reached by an ended delivery never will be. */
export function StageLine({ story, plain = false }: { story: Story; plain?: boolean }) {
  const all = (): Step[] => MILESTONES.map((milestone) => ({ milestone, label: milestoneLabel(milestone, story) }));
  const steps = plain ? customerMilestones(story) : all();
  const last = steps.reduce((reached, { milestone }, index) => (isPast(story, milestone) ? index : reached), -1);
  return (
    <ol class="stages figures" aria-label="Stages">
      {steps.map(({ milestone, label }, index) => {
        const state = index > last ? (story.ending ? "never" : "ahead") : index === last && !story.ending ? "now" : "done";
        const at = story.times[milestone];
        return (
          <li key={milestone} class={`stage ${state}`} aria-current={state === "now" ? "step" : undefined}>
            <span class="stage-mark" aria-hidden="true" />
            <span class="stage-label">{label}</span>
            {!plain && <time class="stage-time">{at === undefined ? "" : clock(at)}</time>}
          </li>
        );
      })}
    </ol>
  );
}
