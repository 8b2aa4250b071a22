/**
 * Running a program slowly, on ordinary memory laid out as planned: the evaluator of the last stage. It sees what a device
 * would see, arena overlaps included.
 */
import type { Aval } from "../core/aval.ts";
import { type Layout } from "../core/elementTypes.ts";
import { bfloat16FromBits, bfloat16ToBits, float16FromBits, float16ToBits } from "../core/halfFloat.ts";
import { type HostArray, type TypedArray, allocate, lanesOf } from "../core/hostArray.ts";
import { type StorageType, storageBytes } from "../core/scalar.ts";
import type { ReferenceContext } from "../core/primitive.ts";
import { evaluateNest } from "./loopNest/evaluateNest.ts";
import type { Call, Program, Step } from "./program.ts";

/** Where a slot's bytes are. */
interface Bytes {
  readonly buffer: ArrayBufferLike;
  readonly offset: number;
}

const arrays: Readonly<Record<StorageType, new (b: ArrayBufferLike, offset: number, length: number) => TypedArray>> = {
  u8: Uint8Array,
  i8: Int8Array,
  u16: Uint16Array,
  i16: Int16Array,
  u32: Uint32Array,
  i32: Int32Array,
  f32: Float32Array,
  f64: Float64Array,
};
export const storedView = (storage: StorageType, buffer: ArrayBufferLike, offset: number, length: number): TypedArray =>
  new arrays[storage](buffer, offset, length);

/** Values in compute form, as a layout stores them. */
export function writeHost(x: HostArray, layout: Layout, to: TypedArray): void {
  const bits = layout[x.dtype] === "u16" && x.dtype !== "uint16";
  if (!bits) return to.set(x.data);
  const convert = x.dtype === "float16" ? float16ToBits : bfloat16ToBits;
  for (let i = 0; i < to.length; i++) to[i] = convert(x.data[i]!);
}
/** Stored values in compute form; always a copy. */
export function readHost(
  aval: { readonly shape: Aval["shape"]; readonly dtype: Aval["dtype"] },
  layout: Layout,
  from: TypedArray,
): HostArray {
  const { shape, dtype } = aval;
  const data = allocate(dtype, from.length / lanesOf(dtype));
  if (layout[dtype] === "u16" && dtype !== "uint16") {
    const convert = dtype === "float16" ? float16FromBits : bfloat16FromBits;
    for (let i = 0; i < from.length; i++) data[i] = convert(from[i]!);
  } else data.set(from);
  return { shape, dtype, data };
}

/** Runs a program on host arrays. */
export function runProgram(
  program: Program,
  inputs: readonly HostArray[],
  layout: Layout,
  context: ReferenceContext,
): HostArray[] {
  const stored = (aval: Aval): Bytes => ({
    buffer: new ArrayBuffer(aval.size * lanesOf(aval.dtype) * storageBytes[layout[aval.dtype]]),
    offset: 0,
  });
  const run = new Run(layout, context);
  const ins = inputs.map((x, i) => {
    const place = stored(program.inputs[i]!);
    writeHost(x, layout, run.view(program.inputs[i]!, place));
    return place;
  });
  const outs = program.outputs.map((a, i) => {
    const over = program.reuses.get(i);
    return over === undefined ? stored(a) : ins[over]!;
  });
  run.program(program, ins, outs, { buffer: new ArrayBuffer(program.arenaBytes), offset: 0 });
  return program.outputs.map((a, i) => readHost(a, layout, run.view(a, outs[i]!)));
}

class Run {
  readonly #layout: Layout;
  readonly #context: ReferenceContext;
  constructor(layout: Layout, context: ReferenceContext) {
    this.#layout = layout;
    this.#context = context;
  }

  view(aval: Aval, { buffer, offset }: Bytes): TypedArray {
    return storedView(this.#layout[aval.dtype], buffer, offset, aval.size * lanesOf(aval.dtype));
  }

  program(program: Program, ins: readonly Bytes[], outs: readonly Bytes[], arena: Bytes): void {
    const places = program.slots.map(({ place, aval, bytes }): Bytes => {
      switch (place.kind) {
        case "input":
          return ins[place.index]!;
        case "output":
          return outs[place.index]!;
        case "arena":
          return { buffer: arena.buffer, offset: arena.offset + place.offset };
        case "constant": {
          const at = { buffer: new ArrayBuffer(bytes), offset: 0 };
          writeHost(place.value, this.#layout, this.view(aval, at));
          return at;
        }
      }
    });
    for (const step of program.steps) this.#step(step, program, places, arena);
  }

  #step(step: Step, program: Program, places: readonly Bytes[], arena: Bytes): void {
    const at = (slot: number): TypedArray => this.view(program.slots[slot]!.aval, places[slot]!);
    const host = (slot: number): HostArray => readHost(program.slots[slot]!.aval, this.#layout, at(slot));
    const call = (c: Call, ins: readonly Bytes[], outs: readonly Bytes[]): void =>
      this.program(c.program, ins, outs, { buffer: arena.buffer, offset: arena.offset + c.arenaOffset });
    const of = (slots: readonly number[]): Bytes[] => slots.map((s) => places[s]!);
    const copy = (from: readonly number[], to: readonly number[]): void =>
      from.forEach((f, i) => {
        if (f !== to[i]) at(to[i]!).set(at(f));
      });
    switch (step.kind) {
      case "launch":
        return evaluateNest(program.kernels[step.kernel]!, step.slots.map(at));
      case "copy":
        return copy([step.from], [step.to]);
      case "cond": {
        const branch = Math.min(Math.max(at(step.index)[0]!, 0), step.branches.length - 1);
        const c = step.branches[branch]!;
        return call(c, of(c.inputs), of(c.outputs));
      }
      case "while": {
        const { predicate, body, carries, results, predicateConsts, bodyConsts } = step;
        for (let round = 0; ; round++) {
          const [now, next] = [carries[round % 2]!, carries[(round + 1) % 2]!];
          call(predicate, of([...predicate.inputs.slice(0, predicateConsts), ...now]), of([step.flag]));
          if (at(step.flag)[0] === 0) return copy(now, results);
          call(body, of([...body.inputs.slice(0, bodyConsts), ...now]), of(next));
        }
      }
      case "scan": {
        const { body, consts, carries, results, slicesIn, slicesOut, length, reverse } = step;
        const row = (slot: number, i: number): Bytes => {
          const { bytes } = program.slots[slot]!;
          return { buffer: places[slot]!.buffer, offset: places[slot]!.offset + (bytes / length) * i };
        };
        for (let round = 0; round < length; round++) {
          const [now, next] = [carries[round % 2]!, carries[(round + 1) % 2]!];
          const i = reverse ? length - 1 - round : round;
          call(
            body,
            [...of([...body.inputs.slice(0, consts), ...now]), ...slicesIn.map((s) => row(s, i))],
            [...of(next), ...slicesOut.map((s) => row(s, i))],
          );
        }
        return copy(carries[length % 2]!, results);
      }
      case "routine": {
        const { eqn, inputs, outputs } = step;
        const avals = eqn.outputs.map((v) => v.aval);
        const outs = eqn.primitive.reference(inputs.map(host), eqn.params, avals, this.#context);
        return outs.forEach((x, i) => writeHost(x, this.#layout, at(outputs[i]!)));
      }
      case "host": {
        const outs = step.call(step.inputs.map(host), this.#context);
        return outs.forEach((x, i) => writeHost(x, this.#layout, at(step.outputs[i]!)));
      }
    }
  }
}
