/** Asks again, less and less often, until a status is reached. */

import { ApiError, PayFlowXError, RateLimitedError, UnansweredError, UnavailableError } from "./errors.js";
import type { Operation, Payment } from "./models.js";
import type { Clock } from "./sender.js";

const FIRST_WAIT_SECONDS = 0.5;
const LONGEST_WAIT_SECONDS = 15;
const SHORTEST_READ_SECONDS = 1;
const FACTOR = 1.6;

/**
 * The time is over and the status is not reached. This is no failure: the outcome is open, `last` is the state.
 *
 * Wait again, or for the webhook. Never charge anew because of it.
 */
export class StillWaitingError extends PayFlowXError {
  override name = "StillWaitingError";

  constructor(readonly last: Payment | Operation | undefined) {
    super(`still ${last?.status ?? "unread"}; the outcome is open, so do not charge anew`);
  }
}

/** It ended in another status than those that were waited for; `last` is the state. */
export class OtherEndError extends PayFlowXError {
  override name = "OtherEndError";

  constructor(readonly last: Payment | Operation) {
    super(`ended as ${last.status}`);
  }
}

export interface Waiting {
  readonly until: readonly string[];
  readonly ends: readonly string[];
  readonly timeoutSeconds: number;
  readonly clock: Clock;
}

/**
 * Returns the first state with a status of `until`. Throws `StillWaitingError`, `OtherEndError`.
 *
 * `read` is given the seconds that are left. A temporary error of it is no end: reading changes nothing, and the
 * payment goes on meanwhile.
 */
export async function wait<T extends Payment | Operation>(
  read: (leftSeconds: number) => Promise<T>,
  { until, ends, timeoutSeconds, clock }: Waiting,
): Promise<T> {
  const deadline = clock.monotonicSeconds() + timeoutSeconds;
  let pause = FIRST_WAIT_SECONDS;
  let last: T | undefined;
  for (;;) {
    let asked = 0;
    try {
      last = await read(Math.max(deadline - clock.monotonicSeconds(), SHORTEST_READ_SECONDS));
      if (until.includes(last.status)) {
        return last;
      }
      if (ends.includes(last.status)) {
        throw new OtherEndError(last);
      }
    } catch (error) {
      if (!isTemporary(error)) {
        throw error;
      }
      asked = error instanceof ApiError ? (error.problem.retryAfterSeconds ?? 0) : 0;
    }
    const left = deadline - clock.monotonicSeconds();
    if (left <= 0) {
      throw new StillWaitingError(last);
    }
    await clock.sleep(Math.min(left, Math.max(asked, pause * (0.8 + Math.random() * 0.4))));
    pause = Math.min(pause * FACTOR, LONGEST_WAIT_SECONDS);
  }
}

function isTemporary(error: unknown): boolean {
  return [UnansweredError, UnavailableError, RateLimitedError].some((each) => error instanceof each);
}
