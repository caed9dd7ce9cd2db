// Something is asked of the server by a button: it cannot be asked twice at once, and what
// the server has against it is said where the button is.

import { Problem } from "@skyhaul/client";
import { useSignal } from "@preact/signals";

export interface Attempt {
  busy: boolean;
  problem: Problem | null;
  forget(): void;
  /** Whether it went well. */
  run(what: () => Promise<unknown>): Promise<boolean>;
}

export function useAttempt(): Attempt {
  const busy = useSignal(false);
  const problem = useSignal<Problem | null>(null);
  return {
    busy: busy.value,
    problem: problem.value,
    forget: () => (problem.value = null),
    async run(what) {
      if (busy.peek()) return false;
      busy.value = true;
      problem.value = null;
      try {
        await what();
        return true;
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        problem.value = error;
        return false;
      } finally {
        busy.value = false;
      }
    },
  };
}
