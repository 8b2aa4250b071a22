/** The API reference is made from the doc comments without a warning: no dangling link, no parameter that does not exist. */
import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";

test("npm run reference", { timeout: 300_000 }, () => {
  const typedoc = ["node_modules/typedoc/bin/typedoc", "--emit", "none"];
  const { status, stdout, stderr } = spawnSync(process.execPath, typedoc, { encoding: "utf8" });
  expect(status, stdout + stderr).toBe(0);
});
