// An HTTP server on a free port: it keeps what came, and answers as its test says.
import { createServer } from "node:http";
import { readFileSync } from "node:fs";

export const DOCUMENT = JSON.parse(readFileSync(new URL("../../../docs/openapi.json", import.meta.url), "utf8"));
export const VECTORS = JSON.parse(readFileSync(new URL("../../vectors.json", import.meta.url), "utf8"));
export const TIME = "2026-09-21T14:13:20.000Z";

/** An answer made from a schema: every member, none null, one element a list. */
export function sample(schema) {
  if (schema.$ref) {
    return sample(DOCUMENT.components.schemas[schema.$ref.split("/").at(-1)]);
  }
  if (schema.anyOf) {
    return sample(schema.anyOf[0]);
  }
  if (schema.enum) {
    return schema.enum[0];
  }
  if (schema.format === "date-time") {
    return TIME;
  }
  switch (schema.type) {
    case "object":
      return schema.properties
        ? Object.fromEntries(Object.entries(schema.properties).map(([name, member]) => [name, sample(member)]))
        : { name: sample(schema.additionalProperties ?? { type: "string" }) };
    case "array":
      return [sample(schema.items)];
    case "integer":
      return schema.minimum ?? 7;
    case "boolean":
      return true;
    default:
      return "text";
  }
}

export function named(name, changed = {}) {
  return { ...sample(DOCUMENT.components.schemas[name]), ...changed };
}

export function problem(status, code, headers = {}) {
  const body = { type: `urn:payflowx:problem:${code}`, title: "t", status, detail: "d", code, requestId: "req-1" };
  return { status, body, headers };
}

export class Server {
  came = [];
  answers = [];
  answer = () => this.answers.shift();

  static async started(t) {
    const server = new Server();
    server.http = createServer(async (request, response) => {
      const chunks = [];
      for await (const chunk of request) {
        chunks.push(chunk);
      }
      const came = { method: request.method, target: request.url, headers: request.headers, body: Buffer.concat(chunks) };
      server.came.push(came);
      const { status = 200, body, headers = {}, hangsUp = false, hangs = false } = server.answer(came);
      if (hangs) {
        return;
      }
      if (hangsUp) {
        request.socket.destroy();
        return;
      }
      response.writeHead(status, headers);
      response.end(body === undefined || typeof body === "string" ? body : JSON.stringify(body));
    });
    await new Promise((resolve) => server.http.listen(0, "127.0.0.1", resolve));
    server.url = `http://127.0.0.1:${server.http.address().port}`;
    t.after(() => {
      server.http.closeAllConnections();
      server.http.close();
    });
    return server;
  }
}

/** Time passes only in `sleep`, which returns at once. */
export class StillClock {
  now = 1000;
  slept = [];

  monotonicSeconds() {
    return this.now;
  }

  async sleep(seconds) {
    this.slept.push(seconds);
    this.now += seconds;
  }
}
