/** The words in which generated operations talk to the sender. */

/** Whether a request whose answer was lost may be sent again. */
export type Repeat = "safe" | "with_key" | "never";

/** A row of the table of operations. */
export interface Operation {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly repeat: Repeat;
  readonly authenticated: boolean;
}

export type QueryValue = string | number | Date | undefined;

/** One request. A body of bytes is sent as it is. */
export interface Call {
  readonly operation: Operation;
  readonly path?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, QueryValue>>;
  readonly body?: object | undefined;
  readonly idempotencyKey?: string | undefined;
}

/** Returns the parsed answer, undefined for an answer without a body. Throws `PayFlowXError`. */
export type Send = (call: Call) => Promise<unknown>;
