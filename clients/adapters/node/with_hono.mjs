import { Hono } from "hono";

import { handle, webhook } from "./shop.mjs";

export const app = new Hono();

app.post("/webhook", async (context) => {
  return context.body(null, await webhook.receive(await context.req.arrayBuffer(), context.req.raw.headers, handle));
});
