// What each runtime does with the client: buys, refunds, and verifies what the double in the process delivers.
import { Client, Webhook, WebhookSignatureError } from "@payflowx/client";
import { FakeApi } from "@payflowx/client/testing";

/** Over the platform's `fetch`, against a served API. */
export async function buy(baseUrl, apiKey, order) {
  const client = new Client({ baseUrl, apiKey });
  const given = { amount: 1999, currency: "USD", paymentMethod: { type: "card", token: "tok_success" } };
  const made = await client.payments.create({ ...given, key: ["order", order] });
  const payment = await client.payments.waitFor(made, { timeoutSeconds: 30 });
  const refund = await client.refunds.create(payment.transactionId, { amount: 500, key: ["order", order, "refund"] });
  const moved = await client.operations.waitFor(refund, { timeoutSeconds: 30 });
  return { payment: payment.status, refund: moved.status, ...(await receive()) };
}

/** With the platform's Web Crypto: one delivery is handled once, and a changed one is refused. */
async function receive() {
  const api = new FakeApi();
  const client = api.client();
  const endpoint = await client.webhookEndpoints.create({ url: "https://shop.example.com/webhook" });
  const paymentMethod = { type: "card", token: "tok_success" };
  await client.payments.waitFor(await client.payments.create({ amount: 5, currency: "USD", paymentMethod, key: "k-1" }));
  const webhook = new Webhook(endpoint.secret, { nowSeconds: () => api.nowSeconds() });
  const [{ body, headers }] = await api.deliveries();
  const { event } = await webhook.parse(body, headers);
  const forged = await webhook.parse(new Uint8Array([...body, 32]), headers).catch((error) => error);
  return { event: event.type, isForgedRefused: forged instanceof WebhookSignatureError };
}
