// A shop: create an order, sell it with a card's token or by a link for the payer, take the webhook, refund it.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";

import { ApiError, Client, type Received, REMAINING, Webhook } from "@payflowx/client";
import { FileEventStore } from "@payflowx/client/node";

const port = Number(process.env.SHOP_PORT ?? 8000);
const client = new Client({ baseUrl: process.env.PAYFLOWX_URL ?? "", apiKey: process.env.PAYFLOWX_API_KEY ?? "" });
type Order = { id: number; amount: number; state: string; payment: string; link: string | null };
const orders: Order[] = existsSync("orders.json") ? JSON.parse(readFileSync("orders.json", "utf8")) : [];
if (!existsSync("webhook-secret")) {
  const endpoint = await client.webhookEndpoints.create({ url: `http://127.0.0.1:${port}/webhook` });
  writeFileSync("webhook-secret", endpoint.secret);
}
const webhook = new Webhook(readFileSync("webhook-secret", "utf8"), { store: new FileEventStore("events") });

function change(id: number, changed: Partial<Order>) {
  const order = Object.assign(orders[id - 1] ?? {}, changed);
  writeFileSync("orders.json", JSON.stringify(orders));
  return order;
}

async function pay({ id, amount }: Order, token?: string) {
  const paymentMethod = token ? { type: "card", token } : { type: "checkout" };
  const paid = { amount, currency: "USD", orderId: String(id) };
  const payment = await client.payments.create({ ...paid, paymentMethod, key: ["order", id, paymentMethod.type] });
  change(id, { payment: payment.transactionId, link: payment.nextAction?.url ?? null });
}

function handle({ event }: Received) {
  if (event.data.payment === null) return; // merchant.restored
  const { captured, refunded, status, orderId, transactionId } = event.data.payment;
  if (orders[Number(orderId) - 1]?.state === "paid" && orders[Number(orderId) - 1]?.payment !== transactionId) return;
  change(Number(orderId), { state: captured === 0 ? status.toLowerCase() : refunded < captured ? "paid" : "refunded" });
}

const calls = /^POST \/orders$|^GET \/orders\/(\d{1,9})$|^POST \/orders\/(\d{1,9})\/(pay|refund)$/;

async function answer(call: string, given: { amount: number; token?: string }): Promise<[number, object]> {
  const [known, shown, changed, action] = calls.exec(call) ?? [];
  if (known === "POST /orders") {
    if (!Number.isSafeInteger(given.amount) || given.amount < 1) return [400, { error: "amount: minor units" }];
    orders.push({ id: orders.length + 1, amount: given.amount, state: "new", payment: "", link: null });
    return [200, change(orders.length, {})];
  }
  const order = orders[Number(shown ?? changed) - 1];
  if (known === undefined || order === undefined) return [404, { error: "no such call or order" }];
  if (action === "pay") await pay(order, given.token);
  const key = ["order", order.id, "refund"];
  if (action === "refund") await client.refunds.create(order.payment, { amount: REMAINING, key });
  return [200, order];
}

createServer({ requestTimeout: 10_000, connectionsCheckingInterval: 1_000 }, async (request, response) => {
  const call = `${request.method} ${request.url}`;
  try {
    if (Number(request.headers["content-length"] ?? 0) > 99_999) return response.writeHead(413).end();
    const body = Buffer.concat(await request.toArray());
    if (call === "POST /webhook") {
      return response.writeHead(await webhook.receive(body, request.headers, handle)).end();
    }
    const [status, said] = await answer(call, JSON.parse(body.toString() || "{}"));
    return response.writeHead(status).end(`${JSON.stringify(said)}\n`);
  } catch (error) {
    const status = call === "POST /webhook" ? 500 : error instanceof ApiError ? error.status : 400;
    return response.writeHead(status).end(`${error}\n`);
  }
}).listen(port, "127.0.0.1");
