/**
 * The same program on WebGPU in Node, Deno and a page: each runtime has its own implementation (Dawn, wgpu, Dawn behind a
 * process), and each process must end by itself.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll, expect, test } from "vitest";
import { chromiumGpuFlags } from "../../scripts/installSystemPackages.mjs";
import { bin, root, run } from "../package/consumer.ts";
import { runInPage } from "../package/page.ts";
import type { SampleReport } from "../support/webgpuSample.ts";

// Inside node_modules, where Node finds the package webgpu from.
const folder = join(root, "node_modules", ".cache", "cotangent-webgpu");
beforeAll(async () => {
  mkdirSync(folder, { recursive: true });
  await build({
    entryPoints: [join(root, "tests/support/webgpuSample.ts")],
    outfile: join(folder, "sample.mjs"),
    bundle: true,
    format: "esm",
    platform: "neutral",
    mainFields: ["module", "main"],
    logLevel: "error",
  });
});
afterAll(() => rmSync(folder, { recursive: true }));

const program = join(folder, "sample.mjs");
function check(report: SampleReport, candidate: string): void {
  expect(report.wrong).toEqual([]);
  expect(report.kernels).toBeGreaterThan(15);
  expect(report.candidate).toBe(candidate);
  // 1 → 3 → 7 … while the first is less than 100.
  expect(report.loop).toEqual([127, 383]);
  expect(report.sums).toEqual([301, 302, 303, 304]);
  // 300 programs, one wait.
  expect(report.waits).toBe(1);
}
async function timed(command: string, args: readonly string[]): Promise<SampleReport> {
  const start = performance.now();
  const report = JSON.parse(await run(command, args, root)) as SampleReport;
  expect(performance.now() - start).toBeLessThan(20_000);
  return report;
}

test("Node", async () => check(await timed(process.execPath, [program]), "package webgpu, high-performance"));
test("Deno", async () =>
  check(await timed(bin("deno"), ["run", "--allow-all", program]), "navigator.gpu, high-performance"));
test("a page", { timeout: 60_000 }, async () => {
  const report = (await runInPage(folder, {}, 'import "/sample.mjs";', chromiumGpuFlags)) as SampleReport;
  expect(report.candidate).toMatch(/^navigator\.gpu, /);
  check(report, report.candidate);
});
test("without a driver, Node's error has every reason", () => {
  const env = { ...process.env, VK_DRIVER_FILES: "/nonexistent.json" };
  const run = (): unknown => execFileSync(process.execPath, [program], { env, stdio: "pipe" });
  expect(run).toThrow(
    /no WebGPU device could be started[^]*navigator\.gpu: this runtime has none[^]*fallback: no adapter/,
  );
});
