/**
 * The reference cases, run against the build by scripts/golden.mjs; its table is the output.
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

test("every reference case whose function exists passes, and no fewer than before", { timeout: 600_000 }, () => {
  const script = fileURLToPath(new URL("../../scripts/golden.mjs", import.meta.url));
  const { status, stdout, stderr } = spawnSync(process.execPath, [script], { encoding: "utf8", maxBuffer: 2 ** 28 });
  console.log(stdout);
  expect(status, stderr).toBe(0);
});
