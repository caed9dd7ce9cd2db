// When each frame of positions would have left an even clock. Ticks leave the engine as late
// as their commit made them, and a beat brings no tick, one, two or more: what is even is
// simulated time. So the line through the last frames' departures over their simulated times
// is kept, as a filter with a growing memory does it, and frames are taken to lie on it. A
// frame that is far behind the line was held up, and others will be in time again; where
// several are, or one is far ahead, the world's clock was paused or has another speed, and the
// line begins anew.

/** Frames that the line remembers, more or less. */
const MEMORY = 24;
/** So many frames off the line is far. */
const FAR_FRAMES = 0.75;
/** Commits are late by so much now and then, however quick the beat, in milliseconds. */
const FAR_AT_LEAST_MS = 60;
/** Nothing is held up for longer. */
const HELD_UP_MS = 1000;
/** So many frames in a row that are held up have another reason. */
const HELD_UP_FRAMES = 3;
/** Frames that a new line counts as, while the old one's slope may still be right. */
const NEW = 2;

interface Place {
  sentAt: number;
  simTime: number;
  time: number;
}

export class Tempo {
  #last: Place | undefined;
  /** Milliseconds that a simulated one takes. */
  #rate = 1;
  /** Frames that made the line. */
  #known = 0;
  #heldUp = 0;
  /** The last frame began a line. */
  #isNew = false;

  reset(): void {
    this.#last = undefined;
    this.#known = this.#heldUp = 0;
    this.#isNew = false;
  }

  /** When a frame left, on the server's wall clock; frames mostly come about `interval` apart. */
  place(sentAt: number, simTime: number, interval: number): number {
    const last = this.#last;
    // Told again, or more of the same moment: nothing has flown meanwhile.
    if (last !== undefined && simTime === last.simTime && sentAt >= last.sentAt) return last.time;
    const time = last ? this.#onward(last, sentAt, simTime, interval) : this.#begin(sentAt);
    this.#last = { sentAt, simTime, time };
    return time;
  }

  #begin(sentAt: number): number {
    this.#known = 1;
    this.#isNew = true;
    return sentAt;
  }

  #onward(last: Place, sentAt: number, simTime: number, interval: number): number {
    const passed = simTime - last.simTime;
    // The wall clock was set, or this is another server's.
    if (passed === 0 || sentAt < last.sentAt) return this.#begin(sentAt);
    // Time runs the other way from here on.
    if (passed * this.#rate < 0) {
      this.#rate = -this.#rate;
      return this.#begin(sentAt);
    }
    const expected = last.time + this.#rate * passed;
    const late = sentAt - expected;
    const far = this.#known > 1 && Math.abs(late) > Math.max(FAR_AT_LEAST_MS, FAR_FRAMES * interval);
    if (far && late > 0 && late < HELD_UP_MS && !this.#isNew && ++this.#heldUp < HELD_UP_FRAMES) return expected;
    this.#heldUp = 0;
    if (far) {
      if (this.#isNew) this.#rate = (sentAt - last.sentAt) / passed;
      this.#known = NEW;
      this.#isNew = true;
      return Math.max(sentAt, last.time);
    }
    this.#isNew = false;
    const known = (this.#known = Math.min(MEMORY, this.#known + 1));
    // The weights with which each new point makes the least-squares line through all.
    this.#rate += ((6 / (known * (known + 1))) * late) / passed;
    const time = expected + ((2 * (2 * known - 1)) / (known * (known + 1))) * late;
    return Math.max(time, last.time);
  }
}
