/** When a request is sent again, and after how long. */

import type { Repeat } from "./calls.js";

const TEMPORARY: ReadonlySet<number> = new Set([429, 500, 502, 503, 504]);
const MAX_ATTEMPTS = 20;

/** `attempts` counts the first request. No wait begins that would end after `maxSeconds` from the first request. */
export interface Retries {
  readonly attempts: number;
  readonly maxSeconds: number;
  readonly firstWaitSeconds: number;
  readonly maxWaitSeconds: number;
}

export const DEFAULT_RETRIES: Retries = { attempts: 5, maxSeconds: 60, firstWaitSeconds: 0.25, maxWaitSeconds: 8 };
export const NO_RETRIES: Retries = { ...DEFAULT_RETRIES, attempts: 1 };

/** Throws `RangeError`. */
export function completeRetries(given: Partial<Retries> = {}): Retries {
  const retries = { ...DEFAULT_RETRIES, ...given };
  if (!Number.isInteger(retries.attempts) || retries.attempts < 1 || retries.attempts > MAX_ATTEMPTS) {
    throw new RangeError(`attempts is 1 to ${MAX_ATTEMPTS}`);
  }
  return retries;
}

/**
 * The wait after attempt `number`, at random, so that many clients do not come back together.
 *
 * Never less than the server asked for.
 */
export function waitSeconds(retries: Retries, number: number, askedSeconds: number | undefined): number {
  const longest = Math.min(retries.maxWaitSeconds, retries.firstWaitSeconds * 2 ** (number - 1));
  const jittered = longest * (0.5 + Math.random() / 2);
  return askedSeconds === undefined ? jittered : askedSeconds + jittered / 4;
}

/** Whether a request may be sent again after this status. A 429 was refused before anything was executed. */
export function mayRepeatStatus(repeat: Repeat, status: number): boolean {
  return status === 429 || (TEMPORARY.has(status) && repeat !== "never");
}

/** The header in seconds or as a date; undefined where it is absent or not readable. */
export function retryAfterSeconds(value: string | null, nowMs: number = Date.now()): number | undefined {
  const given = value?.trim() ?? "";
  if (/^\d{1,9}$/.test(given)) {
    return Number(given);
  }
  const atMs = /^[A-Za-z]{3},? /.test(given) ? Date.parse(given) : Number.NaN;
  return Number.isNaN(atMs) ? undefined : Math.max(0, (atMs - nowMs) / 1000);
}
