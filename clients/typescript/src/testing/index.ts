/**
 * A test double of the API, in the process: `FakeApi`.
 *
 *     const api = new FakeApi();
 *     const client = api.client();
 *     await client.payments.create({ ..., paymentMethod: { type: "card", token: "tok_soft_decline" } });
 *     api.advance(60);
 *     for (const { body, headers } of await api.deliveries()) await myShop(body, headers);
 *
 * Its scenarios are chosen by token, see `SCENARIOS`; those of a checkout by `metadata.scenario`, see `CHECKOUTS`. Its
 * problem documents, statuses, events and idempotency are those of the real API: one suite of tests runs against both.
 */

export { API_KEY, FakeApi } from "./api.js";
export type { Delivery } from "./endpoints.js";
export { CHECKOUTS, type Scenario, SCENARIOS, type Step } from "./refusals.js";
