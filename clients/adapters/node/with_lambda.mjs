import { handle, webhook } from "./shop.mjs";

export async function handler(event) {
  const body = Buffer.from(event.body, event.isBase64Encoded ? "base64" : "utf8");
  return { statusCode: await webhook.receive(body, event.headers, handle) };
}
