// Compiles the sources twice, for `import` and for `require`.
import { execFileSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL(".", import.meta.url));
const compiler = createRequire(import.meta.url).resolve("typescript/bin/tsc");

rmSync(`${folder}dist`, { recursive: true, force: true });
for (const [config, format, type] of [
  ["tsconfig.json", "esm", "module"],
  ["tsconfig.cjs.json", "cjs", "commonjs"],
]) {
  execFileSync(process.execPath, [compiler, "--project", `${folder}${config}`], { stdio: "inherit" });
  writeFileSync(`${folder}dist/${format}/package.json`, `${JSON.stringify({ type })}\n`);
}
