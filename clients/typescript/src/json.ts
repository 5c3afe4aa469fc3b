/** Decoders of answers and the encoder of requests. A message names the member and never its value. */

import { UnexpectedAnswerError } from "./errors.js";

/** A value of an enumeration, or one that this release does not know: a newer API must stay readable. */
export type Open<T extends string> = T | (string & {});

export type Decoder<T> = (value: unknown) => T;

/** How a member of an object is decoded. */
export interface Member<T> {
  readonly decode: Decoder<T>;
  /** Of an absent member; undefined if the member is required. */
  readonly absent: (() => T) | undefined;
}

const INSPECT = Symbol.for("nodejs.util.inspect.custom");
const encoder = new TextEncoder();

/** An answer is not what the API promises. */
export class DecodeError extends UnexpectedAnswerError {
  override name = "DecodeError";

  constructor(
    readonly path: string,
    readonly reason: string,
  ) {
    super(path === "" ? reason : `${path}: ${reason}`);
  }
}

/** The members of an object. Throws `DecodeError`. */
export function members(value: unknown, name: string): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new DecodeError("", `${name}: object expected, ${kindOf(value)} found`);
  }
  return value as Readonly<Record<string, unknown>>;
}

export function required<T>(decode: Decoder<T>): Member<T> {
  return { decode, absent: undefined };
}

export function optional<T>(decode: Decoder<T>, absent: T): Member<T> {
  return { decode, absent: () => absent };
}

/** An object; `secrets` are left out of what Node and Deno print of it. */
export function object<T extends object>(
  name: string,
  described: { readonly [K in keyof T]-?: Member<T[K]> },
  secrets: readonly (keyof T & string)[] = [],
): Decoder<T> {
  const entries = Object.entries(described) as [string, Member<unknown>][];
  return (value) => {
    const found = members(value, name);
    const decoded: Record<string, unknown> = {};
    for (const [member, how] of entries) {
      decoded[member] = decodeMember(found, member, how);
    }
    if (secrets.length > 0) {
      const shown = Object.fromEntries(Object.entries(decoded).filter(([member]) => !secrets.includes(member as never)));
      Object.defineProperty(decoded, INSPECT, { value: () => shown });
    }
    return decoded as T;
  };
}

function decodeMember(found: Readonly<Record<string, unknown>>, name: string, how: Member<unknown>): unknown {
  if (!Object.hasOwn(found, name)) {
    if (how.absent === undefined) {
      throw new DecodeError(name, "missing");
    }
    return how.absent();
  }
  return inside(name, () => how.decode(found[name]));
}

function inside<T>(name: string, decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    if (error instanceof DecodeError) {
      throw new DecodeError(error.path === "" ? name : `${name}.${error.path}`, error.reason);
    }
    throw error;
  }
}

export function text(value: unknown): string {
  if (typeof value !== "string") {
    throw new DecodeError("", `text expected, ${kindOf(value)} found`);
  }
  return value;
}

export function open<T extends string>(value: unknown): Open<T> {
  return text(value);
}

/** An integer that a number holds exactly. */
export function integer(value: unknown): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value)) {
    throw new DecodeError("", `integer expected, ${kindOf(value)} found`);
  }
  return value;
}

export function boolean(value: unknown): boolean {
  if (typeof value !== "boolean") {
    throw new DecodeError("", `boolean expected, ${kindOf(value)} found`);
  }
  return value;
}

export function scalar(value: unknown): string | number | boolean {
  return typeof value === "string" || typeof value === "boolean" ? value : integer(value);
}

/** A time in UTC (RFC 3339). */
export function time(value: unknown): Date {
  const at = text(value);
  const parsed = new Date(at);
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)$/.test(at) || Number.isNaN(parsed.getTime())) {
    throw new DecodeError("", "time in UTC expected");
  }
  return parsed;
}

export function nullable<T>(decode: Decoder<T>): Decoder<T | null> {
  return (value) => (value === null ? null : decode(value));
}

export function listOf<T>(decode: Decoder<T>): Decoder<readonly T[]> {
  return (value) => {
    if (!Array.isArray(value)) {
      throw new DecodeError("", `list expected, ${kindOf(value)} found`);
    }
    return value.map((each: unknown, index) => inside(String(index), () => decode(each)));
  };
}

export function mapOf<T>(decode: Decoder<T>): Decoder<Readonly<Record<string, T>>> {
  return (value) => {
    // Without a prototype: a member of the name `__proto__` stays a member.
    const decoded = Object.create(null) as Record<string, T>;
    for (const [name, each] of Object.entries(members(value, "map"))) {
      decoded[name] = inside(name, () => decode(each));
    }
    return decoded;
  };
}

/**
 * The bytes to send; members that are undefined or null are left out.
 *
 * Throws `TypeError` for a number that is no exact integer: the API has none.
 */
export function encode(body: object): Uint8Array<ArrayBuffer> {
  return encoder.encode(JSON.stringify(encoded("body", body)));
}

function encoded(name: string, value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map((each) => encoded(name, each));
  }
  switch (typeof value) {
    case "string":
    case "boolean":
      return value;
    case "bigint":
    case "number":
      return exact(name, value);
    case "object":
      return Object.fromEntries(
        Object.entries(value ?? {})
          .filter(([, each]) => each !== undefined && each !== null)
          .map(([member, each]) => [member, encoded(`${name}.${member}`, each)]),
      );
    default:
      throw new TypeError(`${name} cannot be a ${typeof value}`);
  }
}

function exact(name: string, value: number | bigint): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) {
    throw new TypeError(`${name} is no exact integer; amounts are integers in the minor unit, see toMinor`);
  }
  return number;
}

function kindOf(value: unknown): string {
  if (value === null) {
    return "null";
  }
  return Array.isArray(value) ? "list" : typeof value;
}
