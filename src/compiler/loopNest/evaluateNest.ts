/**
 * The meaning of loop nests, run slowly on typed arrays: every loop in order, threads one after the other from one thread
 * loop to the next. Code for every target is compared against it.
 *
 * Scratch starts as NaN (or an odd number), since its contents are undefined at first; so do the private buffers of a call
 * loop in every round.
 */
import type { TypedArray } from "../../core/hostArray.ts";
import type { IndexVar } from "../../core/indexing.ts";
import { unreachable } from "../../core/problem.ts";
import type { Buffer, Expr, Local, StorageType } from "../../core/scalar.ts";
import { type Environment, evaluateExpr, evaluateIndexIn } from "./evaluateExpr.ts";
import { type LoopNest, type Stmt, buffersOfCalls } from "./loopNest.ts";

const arrays: Readonly<Record<StorageType, new (length: number) => TypedArray>> = {
  u8: Uint8Array,
  i8: Int8Array,
  u16: Uint16Array,
  i16: Int16Array,
  u32: Uint32Array,
  i32: Int32Array,
  f32: Float32Array,
  f64: Float64Array,
};

/** Runs a nest on one array per parameter, in the order of `nest.params`. */
export function evaluateNest(nest: LoopNest, data: readonly TypedArray[]): void {
  if (data.length !== nest.params.length) unreachable(`${nest.name} takes ${nest.params.length} arrays`);
  const device = new Map<Buffer, TypedArray>();
  nest.params.forEach(({ buffer }, i) => device.set(buffer, data[i]!));
  /** Private scratch by thread; shared scratch is that of thread 0. */
  const scratch: Map<Buffer, TypedArray>[] = [];
  const variables = new Map<IndexVar, number>();
  const locals = new Map<Local, number>();
  let thread = 0;

  const ownByCalls = buffersOfCalls(nest);

  const arrayOf = (buffer: Buffer): TypedArray => {
    const known = device.get(buffer);
    if (known) return known;
    if (!nest.scratch.includes(buffer)) unreachable(`${nest.name} has no buffer ${buffer.name}`);
    const owner = (scratch[buffer.space === "private" ? thread : 0] ??= new Map<Buffer, TypedArray>());
    let array = owner.get(buffer);
    if (!array)
      owner.set(buffer, (array = new arrays[buffer.storage](buffer.length).fill(buffer.storage[0] === "f" ? NaN : 85)));
    return array;
  };
  const at = (buffer: Buffer, index: number): TypedArray => {
    const array = arrayOf(buffer);
    if (!(index >= 0 && index < buffer.length && index < array.length))
      unreachable(`${nest.name} reaches element ${index} of ${buffer.name}, which has ${buffer.length}`);
    return array;
  };
  const env: Environment = { variables, locals, load: (buffer, index) => at(buffer, index)[index]! };
  const value = (e: Expr): number => evaluateExpr(e, env);

  const run = (body: readonly Stmt[]): void => {
    for (const s of body)
      switch (s.kind) {
        case "for": {
          const rounds = s.count ? locals.get(s.count)! : s.variable.extent;
          for (let i = 0; i < rounds; i++) {
            if (s.loop === "thread") thread = i;
            if (s.loop === "call") for (const b of ownByCalls) scratch[0]?.delete(b);
            variables.set(s.variable, i);
            run(s.body);
          }
          if (s.loop === "thread") thread = 0;
          variables.delete(s.variable);
          break;
        }
        case "let":
        case "declare":
        case "assign":
          locals.set(s.local, value(s.value));
          break;
        case "store": {
          const index = evaluateIndexIn(s.index, env);
          at(s.buffer, index)[index] = value(s.value);
          break;
        }
        case "if":
          if (value(s.condition)) run(s.body);
          break;
        case "barrier":
          break;
      }
  };
  run(nest.body);
}
