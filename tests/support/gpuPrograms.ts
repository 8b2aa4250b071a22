/** Programs built by hand, for tests of the WebGPU executor: vectors of float32, one kernel a step. */
import type { LoopNest } from "../../src/compiler/loopNest/loopNest.ts";
import type { Call, Launch, Place, Program, Slot, Step } from "../../src/compiler/program.ts";
import { Aval } from "../../src/core/aval.ts";
import type { DType } from "../../src/core/dtype.ts";
import { type HostArray, allocate } from "../../src/core/hostArray.ts";
import { unreachable } from "../../src/core/problem.ts";
import { type Expr, convert, f32, i32, less, plus, times } from "../../src/core/scalar.ts";
import type { Shape } from "../../src/core/shape.ts";
import { type Source, noSource } from "../../src/core/source.ts";
import { pointwise } from "./nests.ts";

const bytesOf = (a: Aval): number => a.size * 4;
export const vector = (n: number, dtype: DType = "float32"): Aval => new Aval([n], dtype);

/** f of the elements of vectors of n elements. */
export const elementwise = (n: number, operands: number, f: (xs: readonly Expr[]) => Expr): LoopNest =>
  pointwise(
    Array.from({ length: operands }, () => ({ data: new Float32Array(n), storage: "f32" as const })),
    "f32",
    f,
  );
/** x[0] < limit, as a bool. */
export const below = (n: number, limit: number): LoopNest => {
  const { name, params, ...rest } = pointwise([{ data: new Float32Array(1), storage: "f32" }], "u32", ([x]) =>
    convert(less(x!, f32(limit)), "u32"),
  );
  const [x, out] = params;
  return { name, ...rest, params: [{ ...x!, buffer: Object.assign(x!.buffer, { length: n }) }, out!] };
};
/** Whole part of x[0] as an i32. */
export const toIndex = (): LoopNest =>
  pointwise([{ data: new Float32Array(1), storage: "f32" }], "i32", ([x]) => convert(x ?? i32(0), "i32"));

export class Builder {
  readonly #slots: Slot[] = [];
  readonly #steps: Step[] = [];
  readonly #inputs: Aval[];
  readonly #outputs: Aval[] = [];
  readonly #kernels: LoopNest[];
  #arena = 0;

  /** Sub-programs are given the list of kernels of the whole. */
  constructor(inputs: readonly Aval[], kernels: LoopNest[] = []) {
    this.#inputs = [...inputs];
    this.#kernels = kernels;
    inputs.forEach((aval, index) => this.#slot(aval, { kind: "input", index }));
  }
  get kernels(): LoopNest[] {
    return this.#kernels;
  }
  #slot(aval: Aval, place: Place): number {
    return this.#slots.push({ aval, bytes: bytesOf(aval), place }) - 1;
  }
  output(aval: Aval): number {
    return this.#slot(aval, { kind: "output", index: this.#outputs.push(aval) - 1 });
  }
  temporary(aval: Aval): number {
    const offset = this.#arena;
    this.#arena += Math.ceil(bytesOf(aval) / 256) * 256;
    return this.#slot(aval, { kind: "arena", offset });
  }
  constant(value: HostArray): number {
    return this.#slot(new Aval(value.shape, value.dtype), { kind: "constant", value });
  }
  launch(nest: LoopNest, slots: readonly number[], source: Source = noSource): void {
    const known = this.#kernels.indexOf(nest);
    const kernel = known < 0 ? this.#kernels.push(nest) - 1 : known;
    this.step({ kind: "launch", kernel, slots, sources: [source] } satisfies Launch);
  }
  step(s: Step): void {
    this.#steps.push(s);
  }
  /** A call of a sub-program whose arena lies behind what is used so far. */
  call(program: Program, inputs: readonly number[], outputs: readonly number[]): Call {
    const arenaOffset = this.#arena;
    this.#arena += Math.ceil(program.arenaBytes / 256) * 256;
    return { program, inputs, outputs, arenaOffset };
  }
  program(reuses: ReadonlyMap<number, number> = new Map()): Program {
    return {
      name: "test",
      inputs: this.#inputs,
      outputs: this.#outputs,
      kernels: this.#kernels,
      slots: this.#slots,
      steps: this.#steps,
      arenaBytes: this.#arena,
      idealArenaBytes: this.#arena,
      reuses,
    };
  }
}

/** A program of one kernel. */
export function oneKernel(n: number, operands: number, f: (xs: readonly Expr[]) => Expr): Program {
  const b = new Builder(Array.from({ length: operands }, () => vector(n)));
  b.launch(elementwise(n, operands, f), [...Array(operands).keys(), b.output(vector(n))]);
  return b.program();
}

/** `while x[0] < limit: x = 2x + 1`, over vectors; how often it goes round is only known on the device. */
export function doubling(n: number, limit: number): Program {
  const kernels: Builder["kernels"] = [];
  const predicate = new Builder([vector(n)], kernels);
  predicate.launch(below(n, limit), [0, predicate.output(vector(1, "bool"))]);
  const body = new Builder([vector(n), vector(n)], kernels);
  const t = body.temporary(vector(n));
  body.launch(
    elementwise(n, 1, ([x]) => times(x!, f32(2))),
    [1, t],
  );
  body.launch(
    elementwise(n, 2, ([x, y]) => plus(x!, y!)),
    [t, 0, body.output(vector(n))],
  );
  const b = new Builder([vector(n), vector(n)], kernels);
  const [flag, x0, x1, out] = [
    b.temporary(vector(1, "bool")),
    b.temporary(vector(n)),
    b.temporary(vector(n)),
    b.output(vector(n)),
  ];
  b.step({ kind: "copy", from: 1, to: x0 });
  b.step({
    kind: "while",
    predicate: b.call(predicate.program(), [], [flag]),
    flag,
    body: b.call(body.program(), [0], []),
    predicateConsts: 0,
    bodyConsts: 1,
    carries: [[x0], [x1]],
    results: [out],
  });
  return b.program();
}

export const host = (
  values: ArrayLike<number>,
  shape: Shape = [values.length],
  dtype: DType = "float32",
): HostArray => {
  const data = allocate(
    dtype,
    shape.reduce((a, b) => a * b, 1),
  );
  data.set(values);
  return { shape, dtype, data };
};

export const noCallbacks = {
  program: () => unreachable("no programs on the host"),
  toArray: () => unreachable("no arrays"),
  fromArray: () => unreachable("no arrays"),
};
