// Every snippet of the pages for merchants is executed; the adapters run in their frameworks, see tests/clients.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import * as pfx from "@payflowx/client";
import { FileEventStore, FileKeyStore } from "@payflowx/client/node";
import { API_KEY, FakeApi } from "@payflowx/client/testing";

import { named } from "./server.mjs";

const AsyncFunction = (async () => {}).constructor;

function snippets(page) {
  const text = readFileSync(new URL(`../../../docs/clients/${page}`, import.meta.url), "utf8");
  return [...text.matchAll(/```js\n(.*?)```/gs)].map((each) => each[1]);
}

/** Runs a snippet with these names, and returns the value of `result` in it. */
async function run(snippet, names, result = "undefined") {
  const given = { ...pfx, assert, FileEventStore, FileKeyStore, FakeApi, ...names };
  const code = snippet.replaceAll(/^import .*;$/gm, "");
  return new AsyncFunction(...Object.keys(given), `{ ${code}\n return ${result}; }`)(...Object.values(given));
}

test("Retry safely", async () => {
  const api = new FakeApi();
  const client = api.client();
  const [first, second, ...rest] = snippets("retry.md");
  assert.equal(rest.length, 0);
  const names = { client, token: "tok_success", method: { type: "card", token: "tok_success" }, later: [] };
  await assert.rejects(run(first, names), pfx.OutcomeUnknownError);
  await client.payments.waitFor((await client.payments.list().toArray(1))[0]);
  await run(first, names);
  assert.equal((await client.payments.list().toArray(10)).length, 1);
  api.loseAnswers(5);
  await run(second, names);
  assert.deepEqual(names.later, [["order", 4712]]);
});

test("Webhooks", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "payflowx-"));
  const before = process.cwd();
  process.chdir(folder);
  t.after(() => {
    process.chdir(before);
    rmSync(folder, { recursive: true });
  });
  const [first] = snippets("webhooks.md");
  const secret = `whsec_${"a".repeat(44)}`;
  const data = { change: { from: "PENDING", to: "SUCCESS" }, payment: named("PaymentAnswer"), operation: null };
  const rawBody = Buffer.from(JSON.stringify(named("WebhookMessage", { id: "evt_1", type: "payment.succeeded", data })));
  const at = Math.floor(Date.now() / 1000);
  const hmac = createHmac("sha256", Buffer.from(secret.slice(6), "base64")).update(`evt_1.${at}.`).update(rawBody);
  const signature = `v1,${hmac.digest("base64")}`;
  const headers = { "webhook-id": "evt_1", "webhook-timestamp": String(at), "webhook-signature": signature };
  const shipped = [];
  for (let times = 0; times < 2; times += 1) {
    assert.equal(await run(first, { secret, rawBody, headers, ship: (each) => shipped.push(each) }, "status"), 204);
  }
  assert.equal(shipped.length, 1);
});

test("Testing your integration", async () => {
  const [first, checkout, ...rest] = snippets("testing.md");
  assert.equal(rest.length, 0);
  const handled = [];
  await run(first, { handle: ({ event }) => handled.push(event.type) });
  assert.deepEqual(handled, ["payment.succeeded"]);
  const api = new FakeApi();
  await run(checkout, { api, client: api.client() });
});

test("Statuses and what to do", async () => {
  const [first, second] = snippets("statuses.md");
  const nextStep = await run(first, {}, "nextStep");
  const found = ["SUCCESS", "FAILED", "AUTHORIZED", "PENDING", "IN_REVIEW", "HELD"].map((status) => nextStep({ status }));
  const wait = ["wait", "wait", "wait"];
  assert.deepEqual(found, ["ship", "offer another payment method", "capture when it is shipped", ...wait]);
  const client = new FakeApi().client();
  const paymentMethod = { type: "card", token: "tok_late_success" };
  const late = await client.payments.create({ amount: 5, currency: "USD", paymentMethod, key: "k-1" });
  await run(second, { client, payment: late });
});

test("TypeScript client", async () => {
  const api = new FakeApi();
  class Given extends pfx.Client {
    constructor(options) {
      super({ ...options, fetch: api.fetch, clock: api.clock });
    }
  }
  const [first, ...rest] = snippets("typescript.md");
  assert.equal(rest.length, 0);
  await run(first, { Client: Given, baseUrl: "https://api.test", apiKey: API_KEY, token: "tok_success" });
  const [payment] = await api.client().payments.list().toArray(10);
  assert.equal(payment.refunded, 500);
});
