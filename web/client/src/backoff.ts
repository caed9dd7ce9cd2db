// How long to wait before the next attempt: longer each time, and at random, so that the
// clients of a server that restarts do not all come back in one moment.

export interface BackoffOptions {
  /** The longest first wait, in milliseconds. */
  firstMs: number;
  /** The longest wait of all, in milliseconds. */
  longestMs: number;
  /** 0 to 1; for tests. */
  random: () => number;
}

export class Backoff {
  #attempt = 0;

  constructor(private readonly options: BackoffOptions) {}

  /** Attempts that failed since the last `reset`. */
  get attempt(): number {
    return this.#attempt;
  }

  /** The wait before the next attempt: between a half and the whole of what is due. */
  next(): number {
    const { firstMs, longestMs, random } = this.options;
    // Beyond 2^20 it is the longest anyway.
    const due = Math.min(longestMs, firstMs * 2 ** Math.min(this.#attempt, 20));
    this.#attempt += 1;
    return due * (0.5 + 0.5 * random());
  }

  reset(): void {
    this.#attempt = 0;
  }
}
