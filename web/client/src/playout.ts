// Which moment to show. Frames arrive unevenly, and what is shown lies one and a half of
// them behind the newest, so that there nearly always is a next one to move towards. The
// clock that chooses the moment runs a little faster or slower where the beat changes, and
// jumps only where it is far off: motion is smooth, and never runs backwards.

/** How far behind the newest frame, in frames. */
const DELAY_FRAMES = 1.5;
/** Weight of the newest gap between two frames. */
const ADAPTS = 0.2;
/** The clock runs at most so much faster or slower than time. */
const SLEW = 0.2;
/** How long it takes over a correction that is less than that, in milliseconds. */
const GENTLY_MS = 500;
/** Beyond so many frames off it jumps. */
const JUMP_FRAMES = 4;
const LONGEST_GAP_FRAMES = 2.5;
/** Arrivals among which the quickest tells how the two clocks differ. */
const REMEMBERED_ARRIVALS = 32;

export class Playout {
  /** Typical time between two frames, in milliseconds. */
  interval: number;
  #newest: number | undefined;
  #lastGapLong = false;
  readonly #lead = new Float64Array(REMEMBERED_ARRIVALS);
  #arrivals = 0;
  #clock: number | undefined;
  #askedAt = 0;

  constructor(interval: number) {
    this.interval = interval;
  }

  /** Forgets all but the rate. */
  reset(): void {
    this.#newest = this.#clock = undefined;
    this.#arrivals = 0;
  }

  /**
   * A frame of this time arrived. True where so much time lies between it and the last
   * that they are not the ends of one motion.
   */
  arrived(time: number, now: number): boolean {
    const gap = this.#newest === undefined ? undefined : time - this.#newest;
    // Told again: that says nothing of how long frames are under way.
    if (gap === 0) return false;
    this.#lead[this.#arrivals % REMEMBERED_ARRIVALS] = time - now;
    this.#arrivals += 1;
    this.#newest = time;
    if (gap === undefined || gap < 0) return false;
    const long = gap > this.interval * LONGEST_GAP_FRAMES;
    const twice = long && this.#lastGapLong;
    this.#lastGapLong = long;
    if (!long) this.interval += (gap - this.interval) * ADAPTS;
    // One long gap is a pause; a second one is a new rate.
    if (twice) this.interval = gap;
    return long && !twice;
  }

  /** The moment to show, on the server's clock. */
  at(now: number): number {
    const wanted = now + this.#offset() - this.interval * DELAY_FRAMES;
    const elapsed = Math.max(0, now - this.#askedAt);
    this.#askedAt = now;
    if (this.#clock === undefined) return (this.#clock = wanted);
    const straight = this.#clock + elapsed;
    const off = wanted - straight;
    if (Math.abs(off) > this.interval * JUMP_FRAMES) return (this.#clock = wanted);
    const faster = Math.min(SLEW, Math.max(-SLEW, off / GENTLY_MS));
    return (this.#clock = straight + elapsed * faster);
  }

  /** What to add to our clock for the server's, as the quickest frame of late had it. */
  #offset(): number {
    const known = Math.min(this.#arrivals, REMEMBERED_ARRIVALS);
    let most = -Infinity;
    for (let i = 0; i < known; i++) most = Math.max(most, this.#lead[i]);
    return known === 0 ? 0 : most;
  }
}
