/**
 * The whole library in other engines, and in this one with less or more than it has by default, as library.test.ts has it
 * for the engine that runs the tests: bundled, since not all of them run vitest.
 */
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { execPath } from "node:process";
import { build } from "esbuild";
import { afterAll, beforeAll, expect, test } from "vitest";
import { findNode24 } from "../../scripts/installNode24.mjs";
import type { DeviceReport } from "../../src/index.ts";
import { bin, root, run } from "../package/consumer.ts";
import type { LibraryReport, SampledDevice } from "../support/librarySample.ts";
import { expectWhole } from "./whole.ts";

const folder = join(root, "node_modules", ".cache", "cotangent-engines");
const program = join(folder, "sample.mjs");
beforeAll(async () => {
  mkdirSync(folder, { recursive: true });
  // Threads are there before anything is sampled, if they are wanted.
  const contents = `
    import { deviceInfo, init, jit, numpy as np } from "../../src/index.ts";
    import { librarySample } from "./librarySample.ts";
    const [device, threads, wide] = globalThis.Deno?.args ?? process.argv.slice(2);
    await init("wasm", { wideVectors: wide === "wide" });
    const warm = jit((x) => np.exp(x));
    const x = np.ones([4096]);
    const started = performance.now();
    while (deviceInfo("wasm").threads.running < Number(threads) && performance.now() - started < 30000) warm(x);
    const report = await librarySample(device);
    const runtime = globalThis.Deno ? "Deno " + Deno.version.deno : "Node " + process.version;
    console.log(JSON.stringify({ ...report, runtime, info: deviceInfo("wasm") }));`;
  await build({
    stdin: { contents, resolveDir: join(root, "tests/support") },
    outfile: program,
    bundle: true,
    format: "esm",
    platform: "neutral",
    mainFields: ["module", "main"],
    external: ["webgpu"],
    logLevel: "error",
  });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface EngineReport extends LibraryReport {
  readonly runtime: string;
  readonly info: DeviceReport;
}
const engines = {
  Deno: [bin("deno"), "run", "--allow-all"],
  "Node 24": [findNode24() ?? "node24 is not installed"],
  "the Node that runs the tests": [execPath],
} as const;
async function sample(
  engine: keyof typeof engines,
  device: SampledDevice,
  threads: number,
  asked: string,
  wide = "",
): Promise<EngineReport> {
  const [command, ...args] = engines[engine];
  const settings = { COTANGENT_WASM: asked, COTANGENT_THREADS: String(threads) };
  const printed = await run(command, [...args, program, device, String(threads), wide], root, settings);
  const report = JSON.parse(printed.trim().split("\n").at(-1)!) as EngineReport;
  expect(report.device).toBe(device);
  expectWhole(report);
  return report;
}

test.each(["cpu", "wasm", "webgpu"] as const)("Deno, %s", { timeout: 120_000 }, async (device) => {
  const { runtime } = await sample("Deno", device, 1, "");
  expect(runtime).toMatch(/^Deno 2/);
});

test.each([
  ["Node 24", true],
  ["the Node that runs the tests", process.version.startsWith("v24.")],
  ["Deno", false],
] as const)("%s with wide vectors, which it has: %j", { timeout: 120_000 }, async (engine, has) => {
  const { info } = await sample(engine, "wasm", 1, "", "wide");
  expect(info.features["wideVectors"]).toBe(has);
});

test.each([
  ["Deno", "tasks", 3],
  ["Node 24", "tasks", 3],
  ["Node 24", "-relaxed,-threads", 1],
  ["the Node that runs the tests", "tasks,-relaxed", 3],
  ["the Node that runs the tests", "-threads", 1],
] as const)("%s, wasm with %j and %i threads", { timeout: 120_000 }, async (engine, asked, threads) => {
  const { runtime, info } = await sample(engine, "wasm", threads, asked);
  if (engine === "Node 24") expect(runtime).toMatch(/^Node v24/);
  expect(info.threads.running).toBe(threads);
  expect(info.features["sharedMemory"]).toBe(!asked.includes("-threads"));
  // Of the engines that are tested, those before Node 22 lack relaxed instructions.
  if (asked.includes("-relaxed")) expect(info.features["relaxedSimd"]).toBe(false);
  else if (!engine.startsWith("the Node")) expect(info.features["relaxedSimd"]).toBe(true);
});
