// The tarball that is built, as a program of a merchant gets it.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { before, after, test } from "node:test";
import { fileURLToPath } from "node:url";

const FOLDER = fileURLToPath(new URL("..", import.meta.url));
const COMPILER = createRequire(import.meta.url).resolve("typescript/bin/tsc");
const PROGRAM = `
  IMPORT
  const client = new Client({ baseUrl: "https://api.example.com", apiKey: "k", fetch });
  async function shop(order: number): Promise<string> {
    const payment = await client.payments.create({
      amount: toMinor("19.99", "USD"),
      currency: "USD",
      paymentMethod: { type: "card", token: "tok_1" },
      key: ["order", order],
    });
    const refunds: AsyncIterable<Operation> = client.operations.list(payment.transactionId);
    for await (const each of refunds) {
      if (each.status === OperationStatus.SUCCEEDED) return each.operationId;
    }
    switch (payment.status) {
      case PaymentStatus.SUCCESS: return payment.createdAt.toISOString();
      case "FAILED": return payment.lastError?.code ?? "none";
      default: return payment.status;
    }
  }
  const store = new FileKeyStore("keys");
  // @ts-expect-error an amount is no text
  client.refunds.create("pay_1", { amount: "5", key: ["r", 1] });
  // @ts-expect-error a key is needed
  client.refunds.create("pay_1", { amount: 5 });
  // @ts-expect-error a misspelled mode
  client.payments.create({ amount: 5, currency: "USD", paymentMethod: { type: "card" }, key: "k", capture: "manuel" });
  const double = new FakeApi({ startSeconds: 0 });
  double.client().payments.get("pay_1");
  shop(store ? 1 : 2);
`;

let project;

before(() => {
  project = mkdtempSync(join(tmpdir(), "payflowx-"));
  const pack = ["pack", "--ignore-scripts", "--silent", "--pack-destination", project];
  const name = execFileSync("npm", pack, { cwd: FOLDER, encoding: "utf8" }).trim();
  writeFileSync(join(project, "package.json"), "{}");
  const install = ["install", "--offline", "--no-audit", "--no-fund", "--silent", `./${name}`];
  execFileSync("npm", install, { cwd: project, stdio: "pipe" });
});

after(() => rmSync(project, { recursive: true }));

function installed(...path) {
  return readFileSync(join(project, "node_modules", "@payflowx", "client", ...path), "utf8");
}

test("it has no dependency, and both formats with their types", () => {
  const described = JSON.parse(installed("package.json"));
  assert.equal("dependencies" in described || "peerDependencies" in described, false);
  assert.deepEqual(readdirSync(join(project, "node_modules")).filter((each) => !each.startsWith(".")), ["@payflowx"]);
  for (const entry of Object.values(described.exports)) {
    for (const file of [entry.import, entry.require]) {
      assert.ok(installed(file).length > 0);
      assert.ok(installed(file.replace(/\.js$/, ".d.ts")).length > 0);
    }
  }
});

test("the version is one", () => {
  assert.match(installed("dist", "esm", "sender.js"), new RegExp(`VERSION = "${JSON.parse(installed("package.json")).version}"`));
});

for (const [file, imported] of [
  ["user.mts", (name) => `from "${name}"`],
  ["user.cts", (name) => `= require("${name}")`],
]) {
  test(`a user's ${file} is clean under tsc --strict, without the types of a browser`, () => {
    const isModule = file.endsWith(".mts");
    const head = isModule
      ? `import { Client, OperationStatus, PaymentStatus, toMinor, type Fetch, type Operation } ${imported("@payflowx/client")};
         import { FileKeyStore } ${imported("@payflowx/client/node")};
         import { FakeApi } ${imported("@payflowx/client/testing")};
         declare const fetch: Fetch;`
      : `import pfx ${imported("@payflowx/client")};
         import node ${imported("@payflowx/client/node")};
         import testing ${imported("@payflowx/client/testing")};
         const { Client, OperationStatus, PaymentStatus, toMinor } = pfx;
         const { FileKeyStore } = node;
         const { FakeApi } = testing;
         type Operation = pfx.Operation;
         declare const fetch: pfx.Fetch;`;
    writeFileSync(join(project, file), PROGRAM.replace("IMPORT", head));
    const compilerOptions = {
      strict: true,
      noEmit: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      module: "nodenext",
      target: "es2022",
      lib: ["es2022"],
      types: [],
    };
    writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, files: [file] }));
    const { stdout } = spawnSync(process.execPath, [COMPILER], { cwd: project, encoding: "utf8" });
    assert.equal(stdout, "");
  });
}

test("it runs by import and by require, and where there is nothing of Node", () => {
  const said = "console.log(typeof Client, fromMinor(1999, 'USD'))";
  const runs = [
    ["--input-type=module", "--eval", `import { Client, fromMinor } from '@payflowx/client'; ${said}`],
    ["--input-type=commonjs", "--eval", `const { Client, fromMinor } = require('@payflowx/client'); ${said}`],
  ];
  for (const run of runs) {
    assert.equal(execFileSync(process.execPath, run, { cwd: project, encoding: "utf8" }).trim(), "function 19.99");
  }
  for (const name of readdirSync(join(project, "node_modules", "@payflowx", "client", "dist", "esm"))) {
    if (name.endsWith(".js") && name !== "node.js") {
      assert.doesNotMatch(installed("dist", "esm", name), /from "node:|\bprocess\.\w|\bBuffer\.from\((?!event)|require\(/, name);
    }
  }
});
