/** HTTP by `fetch`: no redirects, and a limit on everything. */

export const MAX_ANSWER_BYTES = 16 * 1024 * 1024;
const LOOPBACK: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "[::1]"]);
const NOT_CONNECTED: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "EAI_AGAIN",
  "ENOTFOUND",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "UND_ERR_CONNECT_TIMEOUT",
]);

/** `fetch`, as far as it is used. Typed by itself, so that a program needs no types of a browser. */
export type Fetch = (url: string, init: FetchInit) => Promise<FetchAnswer>;

export interface FetchInit {
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body?: Uint8Array<ArrayBuffer>;
  readonly redirect: "manual";
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly signal: any;
}

export interface FetchAnswer {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  readonly body: { getReader(): FetchReader } | null;
}

export interface FetchReader {
  read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }>;
  cancel(): Promise<void>;
}

/** No connection was made: the API has certainly not seen the request. */
export class NotSentError extends Error {
  override name = "NotSentError";
}

/** The request was sent, at least in part, or may have been, and no whole answer came. */
export class NoAnswerError extends Error {
  override name = "NoAnswerError";
}

export interface Request {
  readonly method: string;
  /** The path with the query. */
  readonly target: string;
  readonly headers: Record<string, string>;
  readonly body: Uint8Array<ArrayBuffer> | undefined;
}

export interface Answer {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  readonly body: Uint8Array;
}

/** Sends one request once. Throws `NotSentError`, `NoAnswerError`. */
export type Transport = (request: Request, timeoutSeconds: number) => Promise<Answer>;

/** The timeout bounds the whole exchange, however slowly the server sends. Throws `TypeError` for a wrong address. */
export function httpTransport(baseUrl: string, given: Fetch | undefined): Transport {
  const base = checkedBase(baseUrl);
  return async (request, timeoutSeconds) => {
    const aborter = new AbortController();
    const timer = setTimeout(() => aborter.abort(), timeoutSeconds * 1000);
    try {
      const answer = await (given ?? fetchOfPlatform)(base + request.target, {
        method: request.method,
        headers: request.headers,
        redirect: "manual",
        signal: aborter.signal,
        ...(request.body === undefined ? {} : { body: request.body }),
      });
      return { status: answer.status, headers: answer.headers, body: await bodyOf(answer) };
    } catch (error) {
      throw aborter.signal.aborted ? new NoAnswerError("timeout", { cause: error }) : lost(error);
    } finally {
      clearTimeout(timer);
    }
  };
}

/** Looked up at each request: a program may replace `fetch`, and some platforms need it called without a receiver. */
const fetchOfPlatform: Fetch = (url, init) => fetch(url, init);

function checkedBase(baseUrl: string): string {
  let parsed: URL;
  try {
    parsed = new URL(baseUrl);
  } catch {
    throw new TypeError("baseUrl is https://host, with a path if the API has one");
  }
  const hasMore = parsed.username !== "" || parsed.password !== "" || /[?#]/.test(baseUrl);
  if (!["https:", "http:"].includes(parsed.protocol) || hasMore) {
    throw new TypeError("baseUrl is https://host, with a path if the API has one");
  }
  if (parsed.protocol === "http:" && !LOOPBACK.has(parsed.hostname)) {
    throw new TypeError("baseUrl must be https: the API key would be readable on the way");
  }
  return parsed.origin + parsed.pathname.replace(/\/+$/, "");
}

async function bodyOf(answer: FetchAnswer): Promise<Uint8Array> {
  const reader = answer.body?.getReader();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (let part = await reader?.read(); part !== undefined && !part.done; part = await reader?.read()) {
    chunks.push(part.value ?? new Uint8Array());
    size += part.value?.length ?? 0;
    if (size > MAX_ANSWER_BYTES) {
      await reader?.cancel();
      throw new NoAnswerError("the answer is too large");
    }
  }
  const body = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    body.set(chunk, at);
    at += chunk.length;
  }
  return body;
}

function lost(error: unknown): Error {
  if (error instanceof NoAnswerError || error instanceof NotSentError) {
    return error;
  }
  const code = codeOf(error);
  return NOT_CONNECTED.has(code) ? new NotSentError(code, { cause: error }) : new NoAnswerError(code, { cause: error });
}

/** Node says the code of the connection's error in a cause, or in the first of several addresses' errors. */
function codeOf(error: unknown): string {
  let found: unknown = error;
  for (let depth = 0; depth < 4 && typeof found === "object" && found !== null; depth += 1) {
    const { code, cause, errors } = found as { code?: unknown; cause?: unknown; errors?: unknown[] };
    if (typeof code === "string") {
      return code;
    }
    found = cause ?? errors?.[0];
  }
  return error instanceof Error ? error.name : "no connection";
}
