import express from "express";

import { handle, webhook } from "./shop.mjs";

export const app = express();

app.post("/webhook", express.raw({ type: "application/json" }), async (request, response) => {
  response.sendStatus(await webhook.receive(request.body, request.headers, handle));
});
