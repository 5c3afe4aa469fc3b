// The double behind a socket, for the contract's tests; `/_double/...` moves its time.
import { createServer } from "node:http";

import { FakeApi } from "./dist/esm/testing/index.js";

const api = new FakeApi();
const controls = {
  now: () => api.nowSeconds(),
  advance: (seconds) => api.advance(seconds) ?? null,
  lose: (count) => api.loseAnswers(count) ?? null,
  deliveries: async () =>
    (await api.deliveries()).map(({ headers, body }) => ({ headers, body: new TextDecoder().decode(body) })),
};

const server = createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) {
    chunks.push(chunk);
  }
  const body = Buffer.concat(chunks);
  const [, control] = /^\/_double\/(\w+)$/.exec(request.url) ?? [];
  if (control !== undefined) {
    response.end(JSON.stringify(await controls[control](JSON.parse(body.toString()))));
    return;
  }
  try {
    const init = { method: request.method, headers: request.headers, ...(body.length > 0 ? { body } : {}) };
    const answer = await api.answer(`http://127.0.0.1${request.url}`, init);
    response.writeHead(answer.status, Object.fromEntries(answer.headers));
    response.end(Buffer.from(await answer.arrayBuffer()));
  } catch {
    request.socket.destroy();
  }
});
server.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}`));
