// Keys and amounts: the same in both languages, and kept where that is wanted.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { fromMinor, toMinor } from "@payflowx/client";
import { FileEventStore, FileKeyStore } from "@payflowx/client/node";

import { derived, resolved } from "../dist/esm/keys.js";
import { VECTORS } from "./server.mjs";

function folder(t) {
  const path = mkdtempSync(join(tmpdir(), "payflowx-"));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
}

test("a purpose has the key that every language and release derives", async () => {
  for (const { purpose, key } of VECTORS.purposes) {
    assert.equal(await derived(purpose), key);
  }
  assert.equal(await derived(["order", 4711n]), await derived(["order", 4711]));
  assert.equal(await derived([-0]), await derived([0]));
});

for (const purpose of [[], [""], [1.5], [true], [null], [["b"]], ["x".repeat(1025)], Array(17).fill(1), [2 ** 53], ["\ud800"]]) {
  test(`${JSON.stringify(purpose).slice(0, 20)} is no purpose`, async () => {
    await assert.rejects(derived(purpose), (error) => error instanceof TypeError || error instanceof RangeError);
  });
}

for (const key of ["", "a b", "ключ", "x".repeat(256), undefined, 7, {}]) {
  test(`${JSON.stringify(key)?.slice(0, 20)} is no key`, async () => {
    await assert.rejects(resolved(key, undefined, "payment"), (error) => error instanceof TypeError || error instanceof RangeError);
  });
}

test("a store keeps the first key, for each operation, for all processes", async (t) => {
  const path = folder(t);
  const found = await Promise.all(
    Array.from({ length: 20 }, () => resolved(["order", 1], new FileKeyStore(path), "payment")),
  );
  assert.equal(new Set(found).size, 1);
  assert.match(found[0], /^key-[a-p]{48}$/);
  assert.notEqual(await resolved(["order", 1], new FileKeyStore(path), "refund"), found[0]);
  assert.equal(await resolved(["order", 1], new FileKeyStore(path), "payment"), found[0]);
});

test("a file store of events outlives its process", async (t) => {
  const path = folder(t);
  const store = new FileEventStore(path);
  assert.deepEqual([...(await store.handled("pay_1"))], []);
  await Promise.all([2, 1, 2].map((sequence) => store.record(`evt_${sequence}`, "pay_1", sequence)));
  assert.deepEqual([...(await new FileEventStore(path).handled("pay_1"))].sort(), [1, 2]);
  assert.deepEqual([...(await store.handled("pay_2"))], []);
});

test("amounts convert exactly", () => {
  for (const [amount, currency, minor] of VECTORS.money) {
    assert.equal(toMinor(amount, currency), minor);
    assert.equal(toMinor(fromMinor(minor, currency), currency), minor);
  }
  assert.equal(fromMinor(1990, "USD"), "19.90");
  assert.equal(fromMinor(-5n, "USD"), "-0.05");
  assert.equal(fromMinor(5, "JPY"), "5");
});

test("what has no minor units is refused and never rounded", () => {
  for (const [amount, currency] of VECTORS.refusedMoney) {
    assert.throws(() => toMinor(amount, currency), RangeError);
  }
  for (const amount of [19.99, 5, 5n, null, undefined]) {
    assert.throws(() => toMinor(amount, "USD"), TypeError);
  }
});
