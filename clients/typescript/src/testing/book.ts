/** Payments and operations of the double: each step of a scenario is a change, and a change of status is an event. */

import { DATA } from "./data.js";
import { isCheckout, type Json, RefusedError, type Scenario, scenarioOf, type Step } from "./refusals.js";

const OPERATION_SECONDS = 1;
const PREFIXES = { capture: "cap", refund: "ref", void: "void" } as const;
const UNRESOLVED: ReadonlySet<string> = new Set(["PENDING", "REQUIRES_ACTION", "IN_REVIEW"]);
const FREE: ReadonlySet<string> = new Set(["FAILED", "CANCELLED"]);
const ACTION_URL = "https://payer.example.com/authenticate";
const ID_CHARS = 16;
const ID_LETTERS = "abcdefghijklmnopqrstuvwxyz234567";

export interface Attempt {
  number: number;
  provider: string;
  accountId: string;
  state: string;
  providerKey: string;
  providerRef: string | null;
  providerCode: string | null;
  startedAt: string;
  settledAt: string | null;
}

/** The members that the double itself works with; the others are as in the API's document. */
export interface PaymentAnswer extends Json {
  transactionId: string;
  status: string;
  amount: number;
  capture: string;
  capturable: number;
  captured: number;
  refundable: number;
  refunded: number;
  attempts: Attempt[];
  updatedAt: string;
  createdAt: string;
}

export interface OperationAnswer extends Json {
  operationId: string;
  kind: keyof typeof PREFIXES;
  status: string;
  amount: number;
  attempts: Attempt[];
}

export interface Event {
  id: string;
  type: string;
  sequence: number;
  transactionId: string;
  operationId: string | null;
  from: string;
  to: string;
  createdAt: string;
  deliveries: Delivering[];
}

export interface Delivering {
  endpointId: string;
  state: string;
  attempts: number;
  lastStatus: number | null;
  lastError: string | null;
  nextAttemptAt: string | null;
}

/** A payment with what the double knows of it. `answer` is what the API shows. */
export interface PaymentRecord {
  readonly answer: PaymentAnswer;
  readonly scenario: Scenario;
  readonly audit: Json[];
  readonly operations: OperationAnswer[];
  sequence: number;
  /** Cancelled or expired: the rest of the scenario does not happen. */
  isStopped: boolean;
  /** What the payer has to do while an action is open. */
  action: Json;
  /** When the scenario is over: until then, a payment that failed may still be charged. */
  lastStepMs: number;
}

interface Due {
  readonly atMs: number;
  readonly number: number;
  readonly change: () => void;
}

/** Everything that happened. `events` are those for merchants, oldest first. */
export class Book {
  readonly records = new Map<string, PaymentRecord>();
  readonly events: Event[] = [];
  #due: Due[] = [];
  #count = 0;

  constructor(public nowMs: number) {}

  /** Lets time pass, and lets happen what is due meanwhile, in order. */
  advance(seconds: number): void {
    const untilMs = this.nowMs + Math.round(seconds * 1000);
    for (;;) {
      const first = this.#due.sort((one, other) => one.atMs - other.atMs || one.number - other.number)[0];
      if (first === undefined || first.atMs > untilMs) {
        break;
      }
      this.#due.shift();
      this.nowMs = Math.max(this.nowMs, first.atMs);
      first.change();
    }
    this.nowMs = untilMs;
  }

  /** RFC 3339 in milliseconds. */
  time(atMs: number = this.nowMs): string {
    return new Date(atMs).toISOString();
  }

  /** `prefix_` and 16 characters of a to z and 2 to 7, another each time. */
  newId(prefix: string): string {
    this.#count += 1;
    let text = "";
    for (let number = this.#count; text.length < ID_CHARS; number = Math.floor(number / ID_LETTERS.length)) {
      text = ID_LETTERS.charAt(number % ID_LETTERS.length) + text;
    }
    return `${prefix}_${text}`;
  }

  #later(seconds: number, change: () => void): void {
    this.#count += 1;
    this.#due.push({ atMs: this.nowMs + Math.round(seconds * 1000), number: this.#count, change });
  }

  /** Accepts a payment. Throws `RefusedError` while another one holds its order. */
  create(request: Json): PaymentRecord {
    this.#checkOrder(request);
    const shown: Json = { ...DATA.requestFields, ...request };
    const empty = structuredClone(DATA.emptyPayment) as Json;
    const echoed = Object.fromEntries(Object.entries(empty).map(([name, value]) => [name, shown[name] ?? value]));
    const method = request["paymentMethod"] as Json;
    const answer = {
      ...echoed,
      transactionId: this.newId("pay"),
      status: "PENDING",
      paymentMethodType: method["type"],
      routing: { document: "test", rule: "all", reasons: [], providers: ["alpha", "beta"] },
      createdAt: this.time(),
      updatedAt: this.time(),
    } as unknown as PaymentAnswer;
    const untouched = { audit: [], operations: [], sequence: 0, isStopped: false, lastStepMs: 0 };
    const record: PaymentRecord = { answer, scenario: scenarioOf(request), action: action(ACTION_URL, null), ...untouched };
    this.records.set(answer.transactionId, record);
    if (isCheckout(request)) {
      this.#open(record, request);
    }
    this.#log(record, "payment.accepted", null);
    for (const step of record.scenario.steps) {
      record.lastStepMs = this.nowMs + Math.round(step.atSeconds * 1000);
      this.#later(step.atSeconds, () => this.#step(record, step));
    }
    return record;
  }

  /** Throws `RefusedError`. */
  payment(transactionId: string): PaymentRecord {
    const found = this.records.get(transactionId);
    if (found === undefined) {
      throw new RefusedError("no_payment");
    }
    return found;
  }

  /** The HTTP status of the answer. */
  cancel(record: PaymentRecord): number {
    const { answer } = record;
    if (answer.status === "CANCELLED") {
      return 200;
    }
    if (["PENDING", "REQUIRES_ACTION"].includes(answer.status) && answer.attempts.length === 0) {
      record.isStopped = true;
      answer["nextAction"] = null;
      this.#change(record, "CANCELLED", "payment.cancelled");
      return 200;
    }
    if (answer.status === "AUTHORIZED") {
      if (!record.operations.some((each) => each.status === "PENDING")) {
        this.#accept(record, "void", answer.capturable);
      }
      return 202;
    }
    if (answer.status === "REQUIRES_ACTION") {
      answer["cancelRequested"] = true;
      record.isStopped = true;
      this.#later(OPERATION_SECONDS, () => this.#fenced(record));
      return 202;
    }
    throw new RefusedError(UNRESOLVED.has(answer.status) ? "outcome_unknown" : "not_open");
  }

  #checkOrder(request: Json): void {
    const orderId = request["orderId"];
    if (orderId === undefined || request["oncePerOrder"] === false) {
      return;
    }
    const found = [...this.records.values()].filter((each) => each.answer["orderId"] === orderId && !this.#frees(each));
    if (found.length === 0) {
      return;
    }
    const holder = found.find((each) => each.answer["oncePerOrder"]);
    const { transactionId = null, status = null, nextAction = null }: Json = holder?.answer ?? {};
    const freeAt = status === "FAILED" ? this.time(holder?.lastStepMs) : null;
    const beside = found.filter((each) => !each.answer["oncePerOrder"]).length;
    throw new RefusedError("order_not_free", {}, { transactionId, status, nextAction, freeAt, beside });
  }

  /** Whether nothing of it was charged for good, or all of it was given back. */
  #frees({ answer, isStopped, lastStepMs }: PaymentRecord): boolean {
    if (FREE.has(answer.status)) {
      return isStopped || this.nowMs >= lastStepMs;
    }
    return answer.captured > 0 && answer.refunded === answer.captured;
  }

  /** Until its end, the payer can come to our page; with `direct`, to the provider's as soon as it is open. */
  #open(record: PaymentRecord, request: Json): void {
    const { answer } = record;
    const seconds = (request["expiresInSeconds"] as number | undefined) ?? DATA.checkout.defaultSeconds;
    const isDirect = (request["paymentMethod"] as Json)["presentation"] === "direct";
    const url = isDirect ? ACTION_URL : DATA.checkout.page + answer.transactionId;
    record.action = action(url, this.time(this.nowMs + seconds * 1000));
    answer.status = "REQUIRES_ACTION";
    answer["nextAction"] = isDirect ? null : record.action;
    this.#later(seconds, () => this.#expire(record));
  }

  #expire(record: PaymentRecord): void {
    if (record.isStopped || record.answer.status !== "REQUIRES_ACTION") {
      return;
    }
    record.isStopped = true;
    record.answer["lastError"] = lastError("checkout_expired");
    this.#end(record, "FAILED", "payment.failed");
  }

  #step(record: PaymentRecord, step: Step): void {
    if (record.isStopped) {
      return;
    }
    const { answer } = record;
    const held = (state: string): string =>
      answer.capture === "manual" && ["SUCCEEDED", "SUCCESS"].includes(state) ? "AUTHORIZED" : state;
    answer.attempts = step.attempts.map(([provider, state, code], index) =>
      this.#attempt(record, index + 1, provider, held(state), code),
    );
    const last = answer.attempts.at(-1) as Attempt;
    answer["provider"] = last.provider;
    answer["providerRef"] = last.providerRef;
    answer["retryCount"] = answer.attempts.length - 1;
    answer["lastError"] = lastError(step.lastError, last);
    answer["nextAction"] = step.isActionOpen ? record.action : null;
    this.#change(record, held(step.status ?? answer.status), `attempt.${last.state.toLowerCase()}`);
  }

  #attempt(record: PaymentRecord, number: number, provider: string, state: string, code: string | null): Attempt {
    const known = record.answer.attempts.find((each) => each.number === number);
    const key = `pfx-${record.answer.transactionId.slice("pay_".length)}-${number}`;
    return {
      number,
      provider,
      accountId: "main",
      state,
      providerKey: key,
      providerRef: ["UNKNOWN", "DECLINED"].includes(state) ? null : `ref-${key}`,
      providerCode: code,
      startedAt: known?.startedAt ?? this.time(),
      settledAt: ["UNKNOWN", "REQUIRES_ACTION"].includes(state) ? null : this.time(),
    };
  }

  #change(record: PaymentRecord, status: string, entry: string): void {
    const { answer } = record;
    const before = answer.status;
    answer.status = status;
    answer.updatedAt = this.time();
    if (status === "SUCCESS" && before !== "SUCCESS" && answer.capture === "automatic") {
      answer.captured = answer.refundable = answer.amount;
    }
    if (status === "AUTHORIZED" && before !== "AUTHORIZED") {
      answer.capturable = answer.amount;
    }
    this.#log(record, entry, before);
    if (status !== before) {
      this.#tell(record, paymentTopic(status), before);
    }
  }

  #fenced(record: PaymentRecord): void {
    record.answer["cancelRequested"] = false;
    this.#end(record, "CANCELLED", "attempt.fenced");
  }

  /** Nothing can be paid any more. */
  #end(record: PaymentRecord, status: string, entry: string): void {
    record.answer["nextAction"] = null;
    for (const each of record.answer.attempts) {
      each.state = ["REQUIRES_ACTION", "AUTHORIZED"].includes(each.state) ? "FENCED" : each.state;
    }
    this.#change(record, status, entry);
  }

  /** Accepts a capture or a refund. */
  operate(record: PaymentRecord, kind: "capture" | "refund", amount: number | undefined): OperationAnswer {
    const { status, capturable, refundable } = record.answer;
    if (UNRESOLVED.has(status)) {
      throw new RefusedError("outcome_unknown");
    }
    if (kind === "capture" && status !== "AUTHORIZED") {
      throw new RefusedError("not_authorized", { status });
    }
    if (kind === "refund" && status !== "SUCCESS") {
      throw new RefusedError("not_captured", { status });
    }
    if (kind === "capture" && record.operations.some((each) => each.status === "PENDING")) {
      throw new RefusedError("operation_open");
    }
    const left = kind === "capture" ? capturable : refundable;
    if (left === 0 || (amount ?? left) > left) {
      throw new RefusedError("amount_exceeded", { left });
    }
    return this.#accept(record, kind, amount ?? left);
  }

  #accept(record: PaymentRecord, kind: keyof typeof PREFIXES, amount: number): OperationAnswer {
    const { answer } = record;
    const operation = {
      ...structuredClone(DATA.emptyOperation),
      operationId: this.newId(PREFIXES[kind]),
      transactionId: answer.transactionId,
      kind,
      origin: "merchant",
      status: "PENDING",
      amount,
      currency: answer["currency"],
      createdAt: this.time(),
      updatedAt: this.time(),
    } as unknown as OperationAnswer;
    record.operations.push(operation);
    if (kind === "refund") {
      answer.refundable -= amount;
    } else {
      answer.capturable = 0;
    }
    this.#log(record, `${kind}.accepted`, answer.status);
    this.#later(OPERATION_SECONDS, () => this.#operated(record, operation));
    return operation;
  }

  #operated(record: PaymentRecord, operation: OperationAnswer): void {
    const { answer } = record;
    const { kind, amount } = operation;
    const key = `pfx-${operation.operationId}-1`;
    const provider = String(answer["provider"]);
    const made = { providerKey: key, providerRef: `ref-${key}`, startedAt: this.time() };
    operation.attempts = [{ ...this.#attempt(record, 1, provider, "SUCCEEDED", null), ...made }];
    Object.assign(operation, { status: "SUCCEEDED", provider, providerRef: `ref-${key}`, updatedAt: this.time() });
    const before = answer.status;
    if (kind === "refund") {
      answer.refunded += amount;
      this.#log(record, "refund.succeeded", before);
      this.#tell(record, "refund.succeeded", before, operation);
      return;
    }
    answer.status = kind === "capture" ? "SUCCESS" : "CANCELLED";
    answer.updatedAt = this.time();
    if (kind === "capture") {
      answer.captured = answer.refundable = amount;
    }
    for (const each of answer.attempts) {
      each.state = kind === "capture" ? "SUCCEEDED" : "FENCED";
    }
    this.#log(record, `${kind}.succeeded`, before);
    this.#tell(record, paymentTopic(answer.status), before, operation);
  }

  #log(record: PaymentRecord, entry: string, before: string | null): void {
    const seq = record.audit.length + 1;
    record.audit.push({
      seq,
      type: entry,
      from: before,
      to: record.answer.status,
      actor: before === null ? "api" : "worker",
      at: this.time(),
      facts: {},
      previousHash: String(record.audit.at(-1)?.["hash"] ?? "0".repeat(64)),
      hash: seq.toString(16).padStart(64, "f"),
    });
  }

  #tell(record: PaymentRecord, topic: string, before: string, operation?: OperationAnswer): void {
    const { transactionId, status } = record.answer;
    record.sequence += 1;
    this.events.push({
      id: `evt_${transactionId.slice("pay_".length)}_${record.audit.length}`,
      type: topic,
      sequence: record.sequence,
      transactionId,
      operationId: operation?.operationId ?? null,
      from: before,
      to: status,
      createdAt: this.time(),
      deliveries: [],
    });
  }

  /** What is posted: payment and operation as they are now. */
  message(event: Event): Json {
    const record = this.payment(event.transactionId);
    const { id, type, sequence, createdAt, from, to, operationId } = event;
    const operation = record.operations.find((each) => each.operationId === operationId) ?? null;
    return { id, type, timestamp: createdAt, sequence, data: { change: { from, to }, payment: record.answer, operation } };
  }
}

function paymentTopic(status: string): string {
  return status === "SUCCESS" ? "payment.succeeded" : `payment.${status.toLowerCase()}`;
}

function lastError(code: string | undefined, attempt?: Attempt): Json | null {
  if (code === undefined) {
    return null;
  }
  return {
    code,
    message: (DATA.messages as Record<string, string>)[code],
    provider: attempt?.provider ?? null,
    providerCode: attempt?.providerCode ?? null,
    providerMessage: null,
    attempt: attempt?.number ?? null,
  };
}

function action(url: string, expiresAt: string | null): Json {
  return { type: "redirect", url, fields: null, expiresAt };
}
