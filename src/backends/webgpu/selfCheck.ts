/**
 * A kernel whose answer is known, run on every device before it is used: shared memory, barriers, whole numbers, and what
 * comparisons make of NaN. Runtimes have been released that computed wrong numbers.
 */
import type { LoopNest, Stmt } from "../../compiler/loopNest/loopNest.ts";
import { add, addConstant, indexVar, scale, varIndex } from "../../core/indexing.ts";
import {
  type CompareOp,
  type Expr,
  binary,
  compare,
  convert,
  either,
  greatest,
  isNaNExpr,
  load,
  newBuffer,
  not,
  plus,
  select,
  times,
  u32,
} from "../../core/scalar.ts";
import { BufferUsage, COMPUTE_STAGE, MAP_FOR_READING } from "./constants.ts";
import { emitWgsl } from "./wgsl.ts";

const BLOCKS = 4;
const THREADS = 32;
const operators: readonly CompareOp[] = ["lt", "le", "gt", "ge", "eq", "ne"];
const holds: Readonly<Record<CompareOp, (x: number, y: number) => boolean>> = {
  lt: (x, y) => x < y,
  le: (x, y) => x <= y,
  gt: (x, y) => x > y,
  ge: (x, y) => x >= y,
  eq: (x, y) => x === y,
  ne: (x, y) => x !== y,
};

/** Each thread compares its value with that of the thread opposite, through shared memory. */
function nest(): LoopNest {
  const [x, out] = [newBuffer("x", "f32", BLOCKS * THREADS), newBuffer("out", "u32", BLOCKS * THREADS)];
  const shared = newBuffer("shared", "f32", THREADS, "shared");
  const block = indexVar("block", BLOCKS);
  const thread = indexVar("thread", THREADS);
  const at = add(scale(varIndex(block), THREADS), varIndex(thread));
  const a = load(x, at);
  const b = load(shared, addConstant(scale(varIndex(thread), -1), THREADS - 1));
  const bit = (e: Expr, i: number): Expr => select(e, u32(2 ** i), u32(0));
  const bits = [
    ...operators.map((op) => compare(op, a, b)),
    ...operators.map((op) => not(compare(op, a, b))),
    isNaNExpr(greatest(a, b)),
  ].map(bit);
  const threads = (value: Stmt): Stmt => ({ kind: "for", loop: "thread", variable: thread, body: [value] });
  const body: Stmt[] = [
    threads({ kind: "store", buffer: shared, index: varIndex(thread), value: a }),
    { kind: "barrier" },
    threads({
      kind: "store",
      buffer: out,
      index: at,
      value: plus(
        bits.reduce((p, q) => either(p, q)),
        binary("shl", times(convert(select(isNaNExpr(a), b, a), "u32"), u32(3)), u32(16)),
      ),
    }),
  ];
  return {
    name: "selfCheck",
    params: [
      { buffer: x, access: "read" },
      { buffer: out, access: "write" },
    ],
    scratch: [shared],
    body: [{ kind: "for", loop: "block", variable: block, body }],
  };
}

const values = Float32Array.from({ length: BLOCKS * THREADS }, (_, i) =>
  i % 5 === 3 ? NaN : i % 11 === 7 ? Infinity : (i * 37) % 64,
);
function expected(i: number): number {
  const thread = i % THREADS;
  const [a, b] = [values[i]!, values[i - thread + THREADS - 1 - thread]!];
  const bits = [...operators.map((op) => holds[op](a, b)), ...operators.map((op) => !holds[op](a, b))];
  const number = Number.isNaN(a) ? b : a;
  const whole = Number.isNaN(number) ? 0 : Math.min(number, 4294967295);
  const flags = [...bits, Number.isNaN(a) || Number.isNaN(b)].reduce((n, p, k) => n + (p ? 2 ** k : 0), 0);
  return (flags + ((Math.imul(whole, 3) << 16) >>> 0)) >>> 0;
}

/** Null if the device computes what it should, else what is wrong. */
export async function selfCheck(device: GPUDevice, guardComparisons: boolean): Promise<string | null> {
  const limits = { maxBlocks: device.limits.maxComputeWorkgroupsPerDimension, guardComparisons };
  const { code, workgroups, bindings, needsZero } = emitWgsl(nest(), limits);
  device.pushErrorScope("validation");
  const size = values.byteLength;
  const make = (bytes: number, usage: number): GPUBuffer => device.createBuffer({ size: bytes, usage });
  const x = make(size, BufferUsage.storage | BufferUsage.copyTarget);
  const out = make(size, BufferUsage.storage | BufferUsage.copySource);
  const zero = make(16, BufferUsage.uniform);
  const staging = make(size, BufferUsage.mapRead | BufferUsage.copyTarget);
  device.queue.writeBuffer(x, 0, values);
  const types: GPUBufferBindingType[] = bindings.map((a) => (a === "read" ? "read-only-storage" : "storage"));
  if (needsZero) types.push("uniform");
  const layout = device.createBindGroupLayout({
    entries: types.map((type, binding) => ({ binding, visibility: COMPUTE_STAGE, buffer: { type } })),
  });
  const pipeline = device.createComputePipeline({
    layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }),
    compute: { module: device.createShaderModule({ code }) },
  });
  const resources = needsZero ? [x, out, zero] : [x, out];
  const entries = resources.map((buffer, binding) => ({ binding, resource: { buffer } }));
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, device.createBindGroup({ layout, entries }));
  pass.dispatchWorkgroups(...workgroups);
  pass.end();
  encoder.copyBufferToBuffer(out, 0, staging, 0, size);
  device.queue.submit([encoder.finish()]);
  const error = device.popErrorScope();
  try {
    const problem = await error;
    if (problem) return `a first kernel was rejected: ${problem.message}`;
    await staging.mapAsync(MAP_FOR_READING);
    const got = new Uint32Array(staging.getMappedRange());
    const wrong = got.findIndex((v, i) => v !== expected(i));
    return wrong < 0 ? null : `a first kernel gave ${got[wrong]} where ${expected(wrong)} is right (element ${wrong})`;
  } finally {
    for (const buffer of [x, out, zero, staging]) buffer.destroy();
  }
}
