// A shop: create an order, sell it with a card's token or by a link for the payer, take the webhook, refund it.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";

import { Client, type Received, REMAINING, Webhook } from "@payflowx/client";
import { FileEventStore } from "@payflowx/client/node";

const port = Number(process.env.SHOP_PORT ?? 8000);
const client = new Client({ baseUrl: process.env.PAYFLOWX_URL ?? "", apiKey: process.env.PAYFLOWX_API_KEY ?? "" });
type Order = { id: number; amount: number; state: string; payment: string; link: string | null };
const orders: Order[] = existsSync("orders.json")
  ? JSON.parse(readFileSync("orders.json", "utf8"))
  : [];
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

async function pay(id: number, token?: string) {
  const paymentMethod = token ? { type: "card", token } : { type: "checkout" };
  const paid = { amount: orders[id - 1]?.amount ?? 0, currency: "USD", orderId: String(id) };
  const payment = await client.payments.create({ ...paid, paymentMethod, key: ["order", id, paymentMethod.type] });
  return change(id, { payment: payment.transactionId, link: payment.nextAction?.url ?? null });
}

function handle({ event }: Received) {
  if (event.data.payment === null) return; // merchant.restored
  const { captured, refunded, status, orderId } = event.data.payment;
  change(Number(orderId), { state: captured === 0 ? status.toLowerCase() : refunded < captured ? "paid" : "refunded" });
}

async function answer(request: IncomingMessage, body: Buffer) {
  const [, , id = "", action] = request.url?.split("/") ?? [];
  const given = JSON.parse(body.toString() || "{}");
  if (action === "pay") return pay(Number(id), given.token);
  if (action === "refund") {
    const payment = orders[Number(id) - 1]?.payment ?? "";
    await client.refunds.create(payment, { amount: REMAINING, key: ["order", Number(id), "refund"] });
  }
  if (id === "") orders.push({ id: orders.length + 1, amount: given.amount, state: "new", payment: "", link: null });
  return change(id === "" ? orders.length : Number(id), {});
}

createServer(async (request, response) => {
  const body = Buffer.concat(await request.toArray());
  if (request.url === "/webhook") {
    response.writeHead(await webhook.receive(body, request.headers, handle)).end();
  } else {
    response.end(`${JSON.stringify(await answer(request, body))}\n`);
  }
}).listen(port, "127.0.0.1");
