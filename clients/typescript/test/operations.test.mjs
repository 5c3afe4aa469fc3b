// Every operation of the API is sent as it is described, and its answer decoded.
import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";

import { Client, OPERATIONS } from "@payflowx/client";

import * as operations from "../dist/esm/operations.js";
import * as models from "../dist/esm/models.js";
import { DecodeError } from "../dist/esm/json.js";
import { DOCUMENT, named, sample, Server, TIME } from "./server.mjs";

const DESCRIBED = new Map(
  Object.entries(DOCUMENT.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, described]) => [described.operationId, { path, method, described }]),
  ),
);
const BODIES = {
  createPayment: { amount: 1999, currency: "USD", paymentMethod: { type: "card", token: "tok_1" }, customer: null },
  createEndpoint: { url: "https://shop.example.com/hook" },
  capturePayment: { amount: 5 },
  refundPayment: {},
  cancelPayment: {},
  receiveWebhook: Uint8Array.of(0, 1, 2),
};

test("the table has every operation", () => {
  const table = Object.values(OPERATIONS).map(({ id, method, path }) => [id, method, path]);
  const document = [...DESCRIBED].map(([id, { method, path }]) => [id, method.toUpperCase(), path]);
  assert.deepEqual(table, document);
});

for (const operation of Object.values(OPERATIONS)) {
  test(`${operation.id} is sent as it is described`, async (t) => {
    const server = await Server.started(t);
    const { path, described } = DESCRIBED.get(operation.id);
    const parameters = described.parameters ?? [];
    const status = Math.min(...Object.keys(described.responses).filter((each) => each.startsWith("2")));
    const schema = described.responses[status].content?.["application/json"]?.schema;
    const answered = schema === undefined ? undefined : sample(schema);
    server.answer = () => ({ status, body: answered });

    const inPath = parameters.filter((each) => each.in === "path").map((each) => `${each.name}/1`);
    const inQuery = parameters.filter((each) => each.in === "query").map((each) => each.name);
    const values = { limit: 3, cursor: "c_1", status: "PENDING", from: new Date(0), to: new Date(1) };
    const options = Object.fromEntries(inQuery.map((name) => [name, values[name] ?? `${name}-1`]));
    const takesKey = parameters.some((each) => each.name === "Idempotency-Key");
    const body = described.requestBody === undefined ? [] : [BODIES[operation.id]];
    const more = inQuery.length > 0 || takesKey ? [{ ...options, ...(takesKey ? { idempotencyKey: "k-1" } : {}) }] : [];
    const result = await operations[operation.id](sendOf(server), ...inPath, ...body, ...more);

    const [came] = server.came;
    const sent = new URL(came.target, "http://x");
    assert.equal(came.method, operation.method);
    assert.match(sent.pathname, new RegExp(`^${path.replaceAll(/\{\w+\}/g, "[\\w%]+")}$`));
    assert.deepEqual([...sent.searchParams.keys()].sort(), inQuery.sort());
    assert.equal("authorization" in came.headers, described.security?.length !== 0);
    assert.equal(came.headers["idempotency-key"], takesKey ? "k-1" : undefined);
    const safe = ["GET", "DELETE"].includes(operation.method) ? "safe" : "never";
    assert.equal(operation.repeat, takesKey ? "with_key" : safe);
    assertBody(came, BODIES[operation.id]);
    assertSame(result, answered);
  });
}

function sendOf(server) {
  return new Client({ baseUrl: server.url, apiKey: "pfx_test_sk_secret" }).payments.sending;
}

function assertBody(came, body) {
  if (body instanceof Uint8Array) {
    assert.deepEqual([...came.body], [...body]);
  } else if (body !== undefined) {
    const { customer: _, ...sent } = body;
    assert.deepEqual(JSON.parse(came.body.toString()), sent);
  }
}

/** Every member of the answer arrives under its name. */
function assertSame(decoded, answered) {
  if (decoded instanceof Date) {
    assert.equal(decoded.toISOString(), TIME);
  } else if (typeof answered === "object" && answered !== null) {
    assert.deepEqual(Object.keys(decoded), Object.keys(answered));
    Object.keys(answered).forEach((name) => assertSame(decoded[name], answered[name]));
  } else {
    assert.equal(decoded, answered);
  }
}

test("a value and a member of a newer API are kept and left out", () => {
  const payment = models.decodePayment(named("PaymentAnswer", { status: "HELD", newMember: 1 }));
  assert.equal(payment.status, "HELD");
  assert.equal("newMember" in payment, false);
});

for (const wrong of [1.5, true, "7", null, 2 ** 53]) {
  test(`an amount of ${JSON.stringify(wrong)} is refused`, () => {
    assert.throws(
      () => models.decodePayment(named("PaymentAnswer", { amount: wrong })),
      (error) => error instanceof DecodeError && /^amount: integer expected/.test(error.message),
    );
  });
}

test("what cannot be decoded is named by its place, without its value", () => {
  const found = named("PaymentAnswer");
  found.attempts[0].state = { token: "tok_secret" };
  assert.throws(() => models.decodePayment(found), /^DecodeError: attempts\.0\.state: text expected, object found$/);
});

test("a secret is not printed", () => {
  const endpoint = models.decodeEndpointSecret(named("EndpointSecretAnswer", { secret: "whsec_hidden" }));
  assert.equal(endpoint.secret, "whsec_hidden");
  assert.doesNotMatch(inspect({ endpoint }, { depth: 5 }), /whsec_hidden/);
  const client = new Client({ baseUrl: "https://api.example.com", apiKey: "pfx_live_sk_hidden" });
  assert.doesNotMatch(inspect(client, { depth: 9, showHidden: true }), /hidden/);
  assert.doesNotMatch(JSON.stringify(client), /hidden/);
});
