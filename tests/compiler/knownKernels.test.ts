/**
 * Twenty known programs as WGSL: every kernel passes Tint's validation (Dawn's null backend, no GPU), and is what it was.
 * A change of hashes is not a mistake, but must be meant: COTANGENT_UPDATE_KERNELS=1 writes the new ones.
 */
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { env } from "node:process";
import { afterAll, describe, expect, test } from "vitest";
import { emitWgsl } from "../../src/backends/webgpu/wgsl.ts";
import type { NDArray } from "../../src/core/ndarray.ts";
import * as lax from "../../src/lax/index.ts";
import * as nn from "../../src/nn/index.ts";
import * as np from "../../src/numpy/index.ts";
import * as random from "../../src/random/index.ts";
import { grad } from "../../src/transforms/gradient.ts";
import { compiled } from "../support/compiling.ts";
import { gpuTarget } from "../support/gpuTarget.ts";
import { adamStep } from "../support/models.ts";
import { complaints } from "../support/webgpu.ts";

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- any function of arrays
type F = (...xs: any[]) => unknown;
interface Known {
  readonly f: F;
  readonly args: readonly unknown[];
}
const zeros = (...shape: number[]): NDArray => np.zeros(shape);
const known = (f: F, ...args: unknown[]): Known => ({ f, args });

const adam = adamStep([784, 128, 64, 10], 32);
const conv = (x: NDArray, w: NDArray): NDArray => lax.conv(x, w, [1, 1], "SAME");
const attention = (q: NDArray, k: NDArray, v: NDArray): NDArray =>
  np.matmul(nn.softmax(np.matmul(q, lax.transpose(k, [1, 0])).mul(0.125)), v);
const norm = (x: NDArray): NDArray => x.sub(np.mean(x, -1, { keepdims: true })).div(np.std(x, -1, { keepdims: true }).add(1e-5)); // prettier-ignore

const programs: Readonly<Record<string, Known>> = {
  add: known((x: NDArray, y: NDArray) => x.add(y), zeros(1000), zeros(1000)),
  "broadcast and transpose": known((x: NDArray, y: NDArray) => lax.transpose(x, [1, 0]).mul(y), zeros(70, 33), zeros(70)), // prettier-ignore
  gelu: known((x: NDArray) => nn.gelu(x), zeros(64, 256)),
  sum: known((x: NDArray) => np.sum(x), zeros(5000)),
  "sum of a million": known((x: NDArray) => np.sum(x), zeros(2 ** 20)),
  "column sums": known((x: NDArray) => np.sum(x, 0), zeros(512, 100)),
  argmax: known((x: NDArray) => np.argmax(x, -1), zeros(64, 300)),
  softmax: known((x: NDArray) => nn.softmax(x), zeros(32, 1000)),
  "short softmax": known((x: NDArray) => nn.softmax(x), zeros(1000, 10)),
  "layer norm": known(norm, zeros(128, 256)),
  "gradient of a layer norm": known(
    grad((x: NDArray) => np.sum(np.sin(norm(x)))),
    zeros(128, 256),
  ),
  matmul: known((x: NDArray, y: NDArray) => np.matmul(x, y), zeros(512, 512), zeros(512, 512)),
  "small matmul with edges": known((x: NDArray, y: NDArray) => nn.relu(np.matmul(x, y).add(1)), zeros(33, 70), zeros(70, 19)), // prettier-ignore
  "matrix and vector": known((x: NDArray, y: NDArray) => np.matmul(x, y), zeros(256, 300), zeros(300)),
  convolution: known(conv, zeros(4, 3, 28, 28), zeros(16, 3, 5, 5)),
  "gradient of a convolution": known(grad((x: NDArray, w: NDArray) => np.sum(np.sin(conv(x, w))), { argnums: [0, 1] }), zeros(4, 3, 28, 28), zeros(16, 3, 5, 5)), // prettier-ignore
  attention: known(attention, zeros(64, 32), zeros(64, 32), zeros(64, 32)),
  "cumulative sum": known((x: NDArray) => lax.cumsum(x, { axis: 0 }), zeros(4000)),
  "normal numbers": known((key: NDArray) => random.normal(key, [300]), random.key(0)),
  "gather and scatter": known((x: NDArray, i: NDArray) => grad((y: NDArray) => np.sum(np.sin(np.take(y, i, { axis: 0 }))))(x), zeros(50, 16), np.zeros([40], { dtype: "int32" })), // prettier-ignore
  "training step": known(adam.step, adam.params, adam.state, adam.images, adam.digits),
};

const file = join(import.meta.dirname, "knownKernels.json");
const updating = env["COTANGENT_UPDATE_KERNELS"] === "1";
const kept: Record<string, string[]> = JSON.parse(readFileSync(file, "utf8")) as Record<string, string[]>;
const found: Record<string, string[]> = {};
afterAll(() => {
  if (updating) writeFileSync(file, `${JSON.stringify(found, null, 2)}\n`);
});

// The null backend is asked for no more than the least that WebGPU promises.
const target = { ...gpuTarget, maxBuffers: 8, importsMath: false };
const hash = (code: string): string => createHash("sha256").update(code).digest("hex").slice(0, 16);

describe("known programs", () => {
  test.each(Object.entries(programs))("%s", async (name, { f, args }) => {
    const { program } = compiled(f, args, { target });
    const codes = program.kernels.map((k) => emitWgsl(k, { maxBlocks: target.maxBlocks }).code);
    for (const code of new Set(codes)) expect(await complaints(code), code).toEqual([]);
    found[name] = codes.map(hash);
    if (!updating) expect(found[name], "the kernels have changed; see this file's head").toEqual(kept[name]);
  });
  test("are those whose hashes are kept", () => {
    if (!updating) expect(Object.keys(kept)).toEqual(Object.keys(programs));
  });
});
