import { handle, webhook } from "./shop.mjs";

export async function POST(request) {
  return new Response(null, { status: await webhook.receive(await request.arrayBuffer(), request.headers, handle) });
}
