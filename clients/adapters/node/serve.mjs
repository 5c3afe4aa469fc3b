// `node serve.mjs FRAMEWORK PORT` serves an adapter on this machine.
import { createServer } from "node:http";

const [framework, port] = process.argv.slice(2);
const adapter = await import(`./with_${framework}.mjs`);

/** For adapters of web standards: Next's route handlers, Hono and workers. */
function standard(answer) {
  return createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) {
      chunks.push(chunk);
    }
    const init = { method: request.method, headers: request.headers, body: Buffer.concat(chunks) };
    const answered = await answer(new Request(`http://127.0.0.1${request.url}`, init));
    response.writeHead(answered.status);
    response.end(Buffer.from(await answered.arrayBuffer()));
  });
}

/** An HTTP API of API Gateway. */
async function gateway(request) {
  const body = Buffer.from(await request.arrayBuffer()).toString("base64");
  const event = { headers: Object.fromEntries(request.headers), body, isBase64Encoded: true };
  return new Response(null, { status: (await adapter.handler(event)).statusCode });
}

const servers = {
  express: () => createServer(adapter.app),
  hono: () => standard(adapter.app.fetch),
  next: () => standard(adapter.POST),
  lambda: () => standard(gateway),
};
servers[framework]().listen(Number(port), "127.0.0.1");
