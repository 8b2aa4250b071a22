/**
 * A sample of what the WebGPU tests check, as one program for any runtime: acquires a device, compares kernels with the
 * interpreter, runs a program whose loop the device decides, leaves work unread, and reports. Bundled by its test.
 */
import { evaluateNest } from "../../src/compiler/loopNest/evaluateNest.ts";
import type { LoopNest } from "../../src/compiler/loopNest/loopNest.ts";
import { Aval } from "../../src/core/aval.ts";
import * as S from "../../src/core/scalar.ts";
import { noWebgpu, requestWebgpu } from "../../src/backends/webgpu/acquire.ts";
import { WebgpuExecutor } from "../../src/backends/webgpu/executor.ts";
import { Builder, doubling, host, noCallbacks, oneKernel, vector } from "./gpuPrograms.ts";
import { pointwise } from "./nests.ts";

export interface SampleReport {
  readonly candidate: string;
  readonly isSoftware: boolean;
  readonly kernels: number;
  readonly wrong: readonly string[];
  readonly loop: readonly number[];
  readonly sums: readonly number[];
  readonly waits: number;
}

const special = [
  NaN,
  Infinity,
  -Infinity,
  0,
  -0,
  1,
  -1.5,
  0.49999997,
  8388607.5,
  3e9,
  -3e9,
  1e-30,
  3.4028234663852886e38,
];
const n = special.length ** 2;
const x = Float32Array.from({ length: n }, (_, i) => special[i % special.length]!);
const y = Float32Array.from({ length: n }, (_, i) => special[Math.floor(i / special.length)]!);

const [one, zero] = [S.f32(1), S.f32(0)];
const functions: Readonly<Record<string, (a: S.Expr, b: S.Expr) => S.Expr>> = {
  add: S.plus,
  sub: S.minus,
  mul: S.times,
  rem: (a, b) => S.binary("rem", a, b),
  min: S.least,
  max: S.greatest,
  relu: (a) => S.greatest(a, zero),
  floor: (a) => S.unary("floor", a),
  round: (a) => S.unary("round", a),
  eq: (a, b) => S.select(S.equal(a, b), a, one),
  ne: (a, b) => S.select(S.compare("ne", a, b), a, one),
  less: (a, b) => S.select(S.less(a, b), a, b),
  whole: (a) => S.convert(S.convert(a, "i32"), "f32"),
  natural: (a) => S.convert(S.convert(a, "u32"), "f32"),
  "x - x": (a) => S.minus(a, a),
  "x * 0": (a) => S.times(a, zero),
  "x + 1 - 1": (a) => S.minus(S.plus(a, one), one),
  "x + y - y": (a, b) => S.minus(S.plus(a, b), b),
  constants: (a) => S.select(S.isNaNExpr(a), S.f32(-Infinity), S.select(S.less(a, zero), S.f32(NaN), S.f32(-0))),
};

export async function sample(): Promise<SampleReport> {
  const acquired = await requestWebgpu()();
  if (acquired._tag === "Left") throw noWebgpu(acquired.left);
  const { candidate, isSoftware } = acquired.right;
  const gpu = new WebgpuExecutor(acquired.right, { host: noCallbacks });
  const [gx, gy] = [gpu.put(host(x)), gpu.put(host(y))];
  const wrong: string[] = [];
  await Promise.all(
    Object.entries(functions).map(async ([name, f]) => {
      const nest: LoopNest = pointwise(
        [x, y].map((data) => ({ data, storage: "f32" })),
        "f32",
        ([a, b]) => f(a!, b!),
      );
      const b = new Builder([vector(n), vector(n)]);
      b.launch(nest, [0, 1, b.output(vector(n))]);
      const want = new Float32Array(n);
      evaluateNest(nest, [x, y, want]);
      const got = (await gpu.read(gpu.run(gpu.load(b.program()), [gx, gy])[0]!)).data;
      const at = want.findIndex((w, i) => !(Object.is(w, got[i]!) || (Math.abs(w) < 2 ** -126 && got[i] === 0)));
      if (at >= 0) wrong.push(`${name}(${x[at]}, ${y[at]}) is ${got[at]}, expected ${want[at]}`);
    }),
  );
  const loop = gpu.run(gpu.load(doubling(2, 100)), [gpu.put(host([1, 1])), gpu.put(host([1, 5]))])[0]!;
  const add = gpu.load(oneKernel(4, 1, ([a]) => S.plus(a!, one)));
  let sum = gpu.put(host([1, 2, 3, 4]));
  await gpu.read(gpu.run(add, [sum])[0]!);
  const { waits } = gpu.counts;
  for (let i = 0; i < 300; i++) sum = gpu.run(add, [sum])[0]!;
  const sums = Array.from((await gpu.read(sum)).data);
  const waited = gpu.counts.waits - waits;
  const report: SampleReport = {
    candidate,
    isSoftware,
    kernels: Object.keys(functions).length,
    wrong,
    loop: Array.from((await gpu.read(loop)).data),
    sums,
    waits: waited,
  };
  // Left behind: a loop that has not ended, a result nobody reads, a device nobody destroys.
  gpu.run(gpu.load(doubling(1, 1e6)), [
    gpu.put(host([1])),
    gpu.put({ ...host([1]), shape: new Aval([1], "float32").shape }),
  ]);
  gpu.run(add, [sum]);
  return report;
}

const { report } = globalThis as { report?: (r: SampleReport) => void };
void sample().then((r) => (report ? report(r) : console.log(JSON.stringify(r))));
