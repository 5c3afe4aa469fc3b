/** `node .../testing/serve.js [PORT]` serves the double: time passes by itself, and webhooks are posted. */

import { createServer } from "node:http";

import { API_KEY, FakeApi } from "./index.js";

const STEP_MS = 200;
const port = Number(process.argv[2] ?? 8080);
const api = new FakeApi({ startSeconds: Date.now() / 1000 });

const server = createServer(async (request, response) => {
  try {
    const body = new Uint8Array(Buffer.concat(await request.toArray()));
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
    const init = { method: request.method ?? "GET", headers, redirect: "manual" as const, signal: undefined };
    const answer = await api.answer(`http://127.0.0.1${request.url}`, { ...init, body });
    response.writeHead(answer.status, Object.fromEntries(answer.headers));
    response.end(Buffer.from(await answer.arrayBuffer()));
  } catch {
    request.socket.destroy(); // a lost answer
  }
});

async function step(): Promise<void> {
  api.advance(Date.now() / 1000 - api.nowSeconds());
  for (const { url, headers, body } of await api.deliveries()) {
    const posted = fetch(url, { method: "POST", headers, body: new Uint8Array(body), signal: AbortSignal.timeout(15_000) });
    const said = await posted.then(({ status }) => String(status), String);
    console.log(`${headers["webhook-id"]}: ${said}`);
  }
  setTimeout(step, STEP_MS);
}

server.listen(port, "127.0.0.1", () => console.log(`http://127.0.0.1:${port} with the API key ${API_KEY}`));
void step();
