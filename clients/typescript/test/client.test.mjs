// Repeats, refusals, limits, lists and waiting.
import assert from "node:assert/strict";
import { test } from "node:test";

import * as pfx from "@payflowx/client";

import { apiError, BY_CODE } from "../dist/esm/errors.js";
import { retryAfterSeconds } from "../dist/esm/retries.js";
import { named, problem, Server, StillClock } from "./server.mjs";

const PAYMENT = { status: 202, body: named("PaymentAnswer") };
const METHOD = { type: "card", token: "tok_secret" };
const NEW = { amount: 1999, currency: "USD", paymentMethod: METHOD, key: ["order", 1] };

async function opened(t, more = {}) {
  const server = await Server.started(t);
  const clock = new StillClock();
  const options = { baseUrl: server.url, apiKey: "pfx_test_sk_secret", clock, timeoutSeconds: 5, ...more };
  return { server, clock, client: new pfx.Client(options) };
}

for (const trouble of [problem(500, "internal_error"), problem(503, "unavailable"), problem(429, "rate_limited"), { hangsUp: true }]) {
  test(`a payment is repeated with the same bytes and key after ${trouble.status ?? "a lost answer"}`, async (t) => {
    const { server, client } = await opened(t);
    server.answers = [trouble, trouble, PAYMENT];
    await client.payments.create(NEW);
    assert.equal(server.came.length, 3);
    assert.equal(new Set(server.came.map((each) => each.headers["idempotency-key"])).size, 1);
    assert.equal(new Set(server.came.map((each) => each.body.toString())).size, 1);
  });
}

test("a refused connection is repeated, and at last an UnansweredError with its key", async (t) => {
  const { server, client, clock } = await opened(t);
  await new Promise((resolve) => server.http.close(resolve));
  await assert.rejects(client.payments.create({ ...NEW, key: "k-1" }), (error) => {
    assert.ok(error instanceof pfx.UnansweredError);
    assert.equal(error.idempotencyKey, "k-1");
    return /not connected: ECONNREFUSED/.test(error.message);
  });
  assert.equal(clock.slept.length, 4);
});

test("what has no key is not repeated after a lost answer", async (t) => {
  const { server, client } = await opened(t);
  server.answers = [{ hangsUp: true }];
  await assert.rejects(client.webhookEndpoints.create({ url: "https://shop.example.com/h" }), pfx.UnansweredError);
  assert.equal(server.came.length, 1);
});

test("a delete that finds nothing after a lost answer has deleted", async (t) => {
  const { server, client } = await opened(t);
  server.answers = [{ hangsUp: true }, problem(404, "not_found")];
  await client.webhookEndpoints.delete("we_1");
  server.answers = [problem(404, "not_found")];
  await assert.rejects(client.webhookEndpoints.delete("we_1"), pfx.NotFoundError);
});

test("cancel is repeated without a key", async (t) => {
  const { server, client } = await opened(t);
  server.answers = [{ hangsUp: true }, { status: 200, body: PAYMENT.body }];
  await client.payments.cancel("pay_1");
  assert.equal(server.came.length, 2);
});

test("a refusal that says nothing of the lost request is no refusal", async (t) => {
  const { server, client } = await opened(t, { retries: { attempts: 2 } });
  server.answers = [{ hangsUp: true }, problem(401, "unauthenticated")];
  await assert.rejects(client.payments.create(NEW), (error) => {
    assert.ok(error instanceof pfx.UnansweredError);
    return error.cause instanceof pfx.AuthenticationError;
  });
});

test("never sooner than Retry-After, and never longer than allowed", async (t) => {
  const { server, client, clock } = await opened(t);
  server.answers = [problem(503, "unavailable", { "Retry-After": "7" }), PAYMENT];
  await client.payments.create(NEW);
  assert.ok(clock.slept[0] >= 7);
  server.answers = [problem(503, "unavailable", { "Retry-After": "3600" })];
  await assert.rejects(client.payments.create(NEW), pfx.UnavailableError);
});

test("Retry-After in seconds, as a date, and as nonsense", () => {
  const now = Date.parse("2026-01-01T00:00:00Z");
  assert.equal(retryAfterSeconds("12", now), 12);
  assert.equal(retryAfterSeconds("Thu, 01 Jan 2026 00:01:00 GMT", now), 60);
  assert.equal(retryAfterSeconds("Thu, 01 Jan 2020 00:01:00 GMT", now), 0);
  for (const nonsense of [null, "", "-1", "soon", "1.5", "99999999999"]) {
    assert.equal(retryAfterSeconds(nonsense, now), undefined);
  }
});

test("a server that does not answer in time", async (t) => {
  const { server, client } = await opened(t, { timeoutSeconds: 0.2, retries: pfx.NO_RETRIES });
  server.answers = [{ hangs: true }];
  await assert.rejects(client.payments.get("pay_1"), /no answer \(timeout\)/);
});

test("problems are errors by their code, else by their status", () => {
  const details = (status, code) => ({ code, status, title: "", detail: "d", requestId: "req-9" });
  for (const [code, kind] of BY_CODE) {
    assert.ok(apiError(details(422, code)) instanceof kind);
  }
  assert.ok(apiError(details(422, "new_code")) instanceof pfx.InvalidRequestError);
  assert.ok(apiError(details(404, "new_code")) instanceof pfx.NotFoundError);
  assert.ok(apiError(details(503, "new_code")) instanceof pfx.UnavailableError);
  assert.match(apiError(details(422, "new_code")).message, /422 new_code: d \[request req-9\]/);
});

test("a problem has the ids that support asks for", async (t) => {
  const { server, client } = await opened(t);
  server.answers = [problem(422, "amount_exceeded", { "X-Correlation-Id": "checkout-1" })];
  const call = client.withOptions({ correlationId: "checkout-1" }).refunds.create("pay_1", { amount: 5, key: ["r", 1] });
  await assert.rejects(call, (error) => {
    assert.ok(error instanceof pfx.AmountExceededError);
    assert.deepEqual([error.code, error.requestId, error.problem.correlationId], ["amount_exceeded", "req-1", "checkout-1"]);
    return true;
  });
  assert.equal(server.came[0].headers["x-correlation-id"], "checkout-1");
});

test("a proxy's page and a redirect are no answers of the API", async (t) => {
  const { server, client } = await opened(t, { retries: pfx.NO_RETRIES });
  for (const answer of [
    { status: 200, body: "<html>" },
    { status: 302, headers: { Location: "https://elsewhere.example.com" } },
    { status: 404, body: "<html>" },
  ]) {
    server.answers = [answer];
    await assert.rejects(client.payments.get("pay_1"), pfx.UnexpectedAnswerError);
  }
  server.answers = [{ status: 502, body: "<html>" }];
  await assert.rejects(client.payments.get("pay_1"), pfx.UnansweredError);
  assert.equal(server.came.length, 4);
});

test("amounts are exact integers", async (t) => {
  const { server, client } = await opened(t);
  server.answer = () => PAYMENT;
  await client.payments.create({ ...NEW, amount: 5n });
  assert.equal(JSON.parse(server.came[0].body).amount, 5);
  for (const amount of [19.99, "5", null, undefined, Number.NaN, true]) {
    await assert.rejects(client.payments.create({ ...NEW, amount }), TypeError);
    await assert.rejects(client.refunds.create("pay_1", { amount, key: ["r"] }), TypeError);
  }
  await assert.rejects(client.payments.create({ ...NEW, amount: 10n ** 15n }), RangeError);
  assert.equal(server.came.length, 1);
});

test("what remains is said, and sent without an amount", async (t) => {
  const { server, client } = await opened(t);
  server.answer = () => ({ status: 202, body: named("OperationAnswer") });
  await client.refunds.create("pay_1", { amount: pfx.REMAINING, key: ["r"] });
  assert.equal(server.came[0].body.toString(), "{}");
});

test("ids are no way into another address", async (t) => {
  const { server, client } = await opened(t);
  server.answer = () => PAYMENT;
  await client.payments.get("a/../b?c");
  assert.equal(server.came[0].target, "/payments/a%2F..%2Fb%3Fc");
  for (const id of ["", ".", "..", undefined]) {
    await assert.rejects(client.payments.get(id), TypeError);
  }
});

for (const baseUrl of ["http://api.example.com", "ftp://x", "api.example.com", "https://u:p@x", "https://x?y=1", "https://x#y"]) {
  test(`${baseUrl} is no address of an API`, () => {
    assert.throws(() => new pfx.Client({ baseUrl, apiKey: "k" }), TypeError);
  });
}

for (const apiKey of ["", "a b", "ключ", "a\n", undefined]) {
  test(`${JSON.stringify(apiKey)} is no API key`, () => {
    assert.throws(() => new pfx.Client({ baseUrl: "https://x.example.com", apiKey }), TypeError);
  });
}

test("lists fetch pages when they are needed", async (t) => {
  const { server, client } = await opened(t);
  const page = (items, nextCursor, unreadable = []) => ({ body: { items, nextCursor, unreadable } });
  server.answers = [page([PAYMENT.body], "c_1"), page([], "c_2"), page([PAYMENT.body, PAYMENT.body], null)];
  const listing = client.payments.list({ status: "IN_REVIEW", pageSize: 2 });
  assert.equal(server.came.length, 0);
  assert.equal((await listing.toArray(10)).length, 3);
  assert.deepEqual(server.came.map((each) => each.target), [
    "/payments?limit=2&status=IN_REVIEW",
    "/payments?limit=2&cursor=c_1&status=IN_REVIEW",
    "/payments?limit=2&cursor=c_2&status=IN_REVIEW",
  ]);
  server.answers = [page([PAYMENT.body], "c_1"), page([], "c_1")];
  await assert.rejects(client.payments.list().toArray(10), /came back/);
  server.answers = [page([PAYMENT.body], null, ["pay_9"])];
  await assert.rejects(client.payments.list().toArray(10), (error) => error.ids[0] === "pay_9");
});

test("a payment is waited for, through temporary errors, less and less often", async (t) => {
  const { server, client, clock } = await opened(t);
  const now = (status) => ({ body: { ...PAYMENT.body, status } });
  server.answers = [now("PENDING"), problem(503, "unavailable"), { hangsUp: true }, now("PENDING"), now("SUCCESS")];
  assert.equal((await client.payments.waitFor("pay_1")).status, "SUCCESS");
  assert.ok(clock.slept[3] > clock.slept[0]);
  server.answer = () => now("PENDING");
  await assert.rejects(client.payments.waitFor("pay_1", { timeoutSeconds: 30 }), (error) => {
    return error instanceof pfx.StillWaitingError && error.last.status === "PENDING";
  });
  server.answer = () => now("FAILED");
  await assert.rejects(client.payments.waitFor("pay_1", { until: ["SUCCESS"] }), pfx.OtherEndError);
});

test("health and the description need no key", async (t) => {
  const { server, client } = await opened(t);
  server.answers = [{ body: { status: "ok" } }, { body: { openapi: "3.1.0" } }];
  assert.equal(await client.isHealthy(), true);
  assert.deepEqual(await client.openapi(), { openapi: "3.1.0" });
  assert.ok(server.came.every((each) => !("authorization" in each.headers)));
});
