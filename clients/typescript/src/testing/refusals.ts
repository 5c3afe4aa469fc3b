/** The data of the double, and the refusals in it. */

import { DATA } from "./data.js";

export type Json = Record<string, unknown>;

export interface Step {
  readonly atSeconds: number;
  readonly status?: string;
  /** Provider, state and the provider's code, of each attempt so far. */
  readonly attempts: readonly (readonly [string, string, string | null])[];
  readonly lastError?: string;
  readonly isActionOpen?: boolean;
}

/** A course of events. A payment takes it if it is paid with `token`. */
export interface Scenario {
  readonly name: string;
  /** Of a payment without a payer's page. */
  readonly token?: string;
  readonly means: string;
  readonly steps: readonly Step[];
  readonly losesAnswers?: number;
  readonly delivery?: string;
}

export const SCENARIOS: ReadonlyMap<string, Scenario> = byName(DATA.scenarios);
/** Those of a checkout: `metadata.scenario` names one. */
export const CHECKOUTS: ReadonlyMap<string, Scenario> = byName(DATA.checkouts);

function byName(scenarios: unknown): ReadonlyMap<string, Scenario> {
  return new Map((scenarios as readonly Scenario[]).map((each) => [each.name, each]));
}

/** Whether a payer chooses how to pay, on a page. */
export function isCheckout(request: Json): boolean {
  return (request["paymentMethod"] as Json)["type"] === "checkout";
}

/** By the token, any other token succeeds; that of a checkout by its metadata, any other checkout is paid. */
export function scenarioOf(request: Json): Scenario {
  if (isCheckout(request)) {
    const name = (request["metadata"] as Json | undefined)?.["scenario"] as string;
    return CHECKOUTS.get(name) ?? (CHECKOUTS.get("checkout_paid") as Scenario);
  }
  const paymentMethod = request["paymentMethod"] as Json;
  const tokens = [paymentMethod["token"], ...Object.values((paymentMethod["tokens"] as Json | undefined) ?? {})];
  const found = [...SCENARIOS.values()].find((each) => tokens.includes(each.token));
  return found ?? (SCENARIOS.get("success") as Scenario);
}

/** A request that the API refuses, by a name of the data's `refusals`. */
export class RefusedError extends Error {
  override name = "RefusedError";
  readonly status: number;
  readonly code: string;
  readonly #title: string;
  readonly #detail: string;
  readonly #field: string | undefined;
  readonly #order: Json | undefined;

  constructor(name: keyof typeof DATA.refusals, values: Json = {}, order?: Json) {
    const [status, code, title, detail, field] = DATA.refusals[name] as [number, string, string, string, string?];
    super(code);
    this.status = status;
    this.code = code;
    this.#title = title;
    this.#detail = filled(detail, values);
    this.#field = field === undefined ? undefined : filled(field, values);
    this.#order = order;
  }

  /** The problem document. */
  body(requestId: string): Json {
    return {
      type: `urn:payflowx:problem:${this.code}`,
      title: this.#title,
      status: this.status,
      detail: this.#detail,
      code: this.code,
      requestId,
      ...(this.#field === undefined ? {} : { field: this.#field }),
      ...(this.#order === undefined ? {} : { order: this.#order }),
    };
  }

  /** With `Retry-After` where the API says one. */
  headers(): Record<string, string> {
    const seconds = (DATA.retryAfterSeconds as Record<string, number>)[this.code];
    const type = { "content-type": "application/problem+json" };
    return seconds === undefined ? type : { ...type, "retry-after": String(seconds) };
  }
}

function filled(text: string, values: Json): string {
  return text.replaceAll(/\{(\w+)\}/g, (_, name: string) => String(values[name]));
}
