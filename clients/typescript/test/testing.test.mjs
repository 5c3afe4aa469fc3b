// The test double, as a merchant's own tests use it. Its behaviour is held to the API by tests/integration.
import assert from "node:assert/strict";
import { test } from "node:test";

import { MemoryEventStore, NO_RETRIES, RateLimitedError, UnansweredError, Webhook } from "@payflowx/client";
import { FakeApi, SCENARIOS } from "@payflowx/client/testing";

import { VECTORS } from "./server.mjs";

const NEW = { amount: 1999, currency: "USD", key: ["order", 1] };

test("every scenario has a name, a token and a meaning", () => {
  assert.equal(SCENARIOS.size, 9);
  for (const [name, { token, means, steps }] of SCENARIOS) {
    assert.deepEqual([token, means.endsWith("."), steps.length > 0], [`tok_${name}`, true, true]);
  }
});

test("an address in another spelling is registered already, another address is not", async () => {
  for (const [one, other] of VECTORS.sameAddress) {
    const client = new FakeApi().client();
    await client.webhookEndpoints.create({ url: one });
    await assert.rejects(client.webhookEndpoints.create({ url: other }), { code: "endpoint_exists" }, other);
  }
  for (const [one, other] of VECTORS.otherAddress) {
    const client = new FakeApi().client();
    for (const url of [one, other]) {
      assert.equal((await client.webhookEndpoints.create({ url })).url, url);
    }
  }
});

test("events arrive in the wrong order, and the kit says so", async () => {
  const api = new FakeApi();
  const client = api.client();
  const { secret } = await client.webhookEndpoints.create({ url: "https://shop.example.com/hook" });
  await client.payments.create({ ...NEW, paymentMethod: { type: "card", token: "tok_out_of_order_events" } });
  api.advance(120);
  const webhook = new Webhook(secret, { store: new MemoryEventStore(), nowSeconds: () => api.nowSeconds() });
  const found = [];
  for (const { body, headers } of await api.deliveries()) {
    const received = await webhook.parse(body, headers);
    found.push([received.event.sequence, received.missing, received.isLate]);
    await received.done();
  }
  assert.deepEqual(found, [[2, [1], false], [1, [], true]]);
  assert.deepEqual(await api.deliveries(), []);
});

test("answers are lost and requests refused where a test wants it", async () => {
  const api = new FakeApi();
  const client = api.client({ retries: NO_RETRIES });
  const paymentMethod = { type: "card", token: "tok_success" };
  api.loseAnswers();
  await assert.rejects(client.payments.create({ ...NEW, paymentMethod }), UnansweredError);
  api.refuseNext("rate_limited");
  await assert.rejects(client.payments.create({ ...NEW, paymentMethod }), RateLimitedError);
  const payment = await client.payments.create({ ...NEW, paymentMethod });
  assert.equal((await client.payments.list().toArray(10)).length, 1);
  assert.equal((await client.payments.waitFor(payment)).status, "SUCCESS");
});
