// The webhook kit, by the scheme of Standard Webhooks.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import { inspect } from "node:util";

import * as pfx from "@payflowx/client";

import { named } from "./server.mjs";

const SECRET = `whsec_${"a".repeat(44)}`;
const OTHER = `whsec_${"b".repeat(44)}`;
const NOW = 1_790_000_000;

function message(sequence = 1, changed = {}) {
  const data = {
    change: { from: "PENDING", to: "SUCCESS" },
    payment: named("PaymentAnswer", { transactionId: "pay_1" }),
    operation: null,
  };
  return named("WebhookMessage", { id: `evt_${sequence}`, type: "payment.succeeded", sequence, data, ...changed });
}

function signed(content, secret = SECRET, at = NOW) {
  const body = typeof content === "string" ? Buffer.from(content) : Buffer.from(JSON.stringify(content));
  const id = content.id ?? "evt_1";
  const hmac = createHmac("sha256", Buffer.from(secret.slice(6), "base64")).update(`${id}.${at}.`).update(body);
  return [body, { "webhook-id": id, "webhook-timestamp": String(at), "webhook-signature": `v1,${hmac.digest("base64")}` }];
}

function kit(secret = SECRET, more = {}) {
  return new pfx.Webhook(secret, { nowSeconds: () => NOW, ...more });
}

test("a message is a typed event", async () => {
  const received = await kit().parse(...signed(message()));
  assert.equal(received.event.type, pfx.EventType.PAYMENT_SUCCEEDED);
  assert.equal(received.event.data.payment.transactionId, "pay_1");
  assert.ok(received.event.timestamp instanceof Date);
  assert.deepEqual([received.isNew, received.missing, received.isLate], [true, [], false]);
});

test("headers of every framework", async () => {
  const [body, headers] = signed(message());
  const titled = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toUpperCase(), value]));
  for (const given of [headers, titled, new Headers(headers), new Map(Object.entries(headers))]) {
    assert.ok((await kit().parse(body, given)).isNew);
  }
  const { buffer, byteOffset, byteLength } = body;
  assert.ok((await kit().parse(buffer.slice(byteOffset, byteOffset + byteLength), headers)).isNew);
  assert.ok((await kit().parse(new DataView(buffer, byteOffset, byteLength), headers)).isNew);
});

test("both secrets during a rotation", async () => {
  assert.ok((await kit([SECRET, OTHER]).parse(...signed(message(), OTHER))).isNew);
  const [body, headers] = signed(message(), OTHER);
  const both = `${signed(message())[1]["webhook-signature"]} ${headers["webhook-signature"]}`;
  assert.ok((await kit(OTHER).parse(body, { ...headers, "webhook-signature": both })).isNew);
});

test("whatever is changed is refused", async () => {
  const [body, headers] = signed(message());
  const wrong = [
    [Buffer.concat([body, Buffer.from(" ")]), headers],
    [body, { ...headers, "webhook-id": "evt_2" }],
    [body, { ...headers, "webhook-timestamp": String(NOW + 1) }],
    [body, { ...headers, "webhook-timestamp": "soon" }],
    [body, { ...headers, "webhook-signature": headers["webhook-signature"].replace("v1", "v2") }],
    [body, { ...headers, "webhook-signature": "v1," }],
    [body, { ...headers, "webhook-signature": "v1,!!!" }],
    [body, { ...headers, "webhook-signature": [headers["webhook-signature"]] }],
    [body, { ...headers, "webhook-signature": `${"v1,AAAA ".repeat(16)}${headers["webhook-signature"]}` }],
    [body, {}],
    signed(message(), OTHER),
  ];
  for (const [index, [changed, given]] of wrong.entries()) {
    await assert.rejects(kit().parse(changed, given), pfx.WebhookSignatureError, `case ${index}`);
  }
});

test("too old, and from the future", async () => {
  for (const at of [NOW - 301, NOW + 301]) {
    await assert.rejects(kit().parse(...signed(message(), SECRET, at)), pfx.WebhookTimeError);
  }
  assert.ok((await kit().parse(...signed(message(), SECRET, NOW - 299))).isNew);
});

for (const body of ["{}", {}, { id: "evt_1" }, null, undefined, 7, []]) {
  test(`${JSON.stringify(body)} is no raw body, and the error says what to pass`, async () => {
    await assert.rejects(kit().parse(body, {}), (error) => error instanceof TypeError && /express\.raw/.test(error.message));
  });
}

test("authentic, and not to be read", async () => {
  for (const content of ["no JSON", "[]", "null", JSON.stringify({ id: "evt_1" }), JSON.stringify(message(2))]) {
    await assert.rejects(kit().parse(...signed(content)), pfx.WebhookContentError);
  }
  const tooLarge = signed(" ".repeat(1024 * 1024 + 1));
  await assert.rejects(kit().parse(...tooLarge), pfx.WebhookContentError);
});

test("repeats, gaps and disorder are reported after the work was done", async () => {
  const webhook = kit(SECRET, { store: new pfx.MemoryEventStore() });
  const parse = (sequence) => webhook.parse(...signed(message(sequence)));
  const first = await parse(3);
  assert.deepEqual([first.isNew, first.missing, first.isLate], [true, [1, 2], false]);
  assert.ok((await parse(3)).isNew);
  await first.done();
  assert.equal((await parse(3)).isNew, false);
  const late = await parse(2);
  assert.deepEqual([late.isNew, late.missing, late.isLate], [true, [1], true]);
  assert.equal((await parse(100_000)).missing.length, 1000);
});

for (const secret of ["", "whsec_", "whsec_AAAA", "a".repeat(44), "whsec_!", [], undefined]) {
  test(`${JSON.stringify(secret)} is no secret`, () => {
    assert.throws(() => new pfx.Webhook(secret), TypeError);
  });
}

test("the secret is not printed", () => {
  assert.doesNotMatch(inspect(kit(), { depth: 9, showHidden: true }), /aaaa|secrets/);
});

test("receive hands a new event on, once, and says what to answer", async () => {
  const webhook = kit(SECRET, { store: new pfx.MemoryEventStore() });
  const handled = [];
  const given = signed(message());
  await assert.rejects(webhook.receive(...given, () => Promise.reject(new Error("no database"))), /no database/);
  for (let times = 0; times < 2; times += 1) {
    assert.equal(await webhook.receive(...given, ({ event }) => handled.push(event.id)), 204);
  }
  assert.deepEqual(handled, ["evt_1"]);
  assert.equal(await webhook.receive(given[0], {}, () => handled.push("forged")), 400);
  await assert.rejects(webhook.receive("text", given[1], () => handled.push("text")), TypeError);
  assert.equal(handled.length, 1);
});
