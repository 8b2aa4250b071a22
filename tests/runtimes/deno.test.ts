/** The whole library in Deno, as library.test.ts has it for other runtimes: bundled, since Deno does not run vitest. */
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bin, root, run } from "../package/consumer.ts";
import { type LibraryReport, sampledDevices } from "../support/librarySample.ts";
import { expectWhole } from "./whole.ts";

const folder = join(root, "node_modules", ".cache", "cotangent-deno");
const program = join(folder, "sample.mjs");
beforeAll(async () => {
  mkdirSync(folder, { recursive: true });
  const contents = `
    import { librarySample } from "./librarySample.ts";
    const report = await librarySample(Deno.args[0]);
    console.log(JSON.stringify({ ...report, runtime: "Deno " + Deno.version.deno }));`;
  await build({
    stdin: { contents, resolveDir: join(root, "tests/support") },
    outfile: program,
    bundle: true,
    format: "esm",
    platform: "neutral",
    mainFields: ["module", "main"],
    logLevel: "error",
  });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.each(sampledDevices)("%s computes what the reference does", { timeout: 120_000 }, async (device) => {
  const printed = await run(bin("deno"), ["run", "--allow-all", program, device], root);
  const report = JSON.parse(printed.trim().split("\n").at(-1)!) as LibraryReport & { readonly runtime: string };
  expect(report.runtime).toMatch(/^Deno 2/);
  expect(report.device).toBe(device);
  expectWhole(report);
});
