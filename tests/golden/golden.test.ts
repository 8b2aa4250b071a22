/**
 * The reference cases, run against the build by scripts/golden.mjs on each device that compiles; its table is the output.
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const script = fileURLToPath(new URL("../../scripts/golden.mjs", import.meta.url));

test.each(["wasm", "webgpu"])(
  "every reference case whose function exists passes on %s, and no fewer than before",
  { timeout: 600_000 },
  (device) => {
    const options = { encoding: "utf8", maxBuffer: 2 ** 28 } as const;
    const { status, stdout, stderr } = spawnSync(process.execPath, [script, "--device", device], options);
    console.log(stdout);
    expect(status, stderr).toBe(0);
  },
);
