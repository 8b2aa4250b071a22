/** Small loop nests for tests of targets. */
import { type LoopNest, type Stmt, store } from "../../src/compiler/loopNest/loopNest.ts";
import type { TypedArray } from "../../src/core/hostArray.ts";
import { type Index, add, indexVar, scale, varIndex } from "../../src/core/indexing.ts";
import {
  type Expr,
  type StorageType,
  bool,
  convert,
  load,
  loadedType,
  newBuffer,
  within,
} from "../../src/core/scalar.ts";

export const loop = (kind: "block" | "thread" | "serial" | "vector" | "unroll", extent: number) => {
  const variable = indexVar(kind[0]!, extent);
  return {
    at: varIndex(variable),
    around: (...body: Stmt[]): Stmt => ({ kind: "for", loop: kind, variable, body }),
  };
};
export { store };

/** f(x[i], y[i], …) for every i, in workgroups of 64 threads. Values of type bool are stored as words. */
export function pointwise(
  inputs: readonly { readonly data: TypedArray; readonly storage: StorageType }[],
  output: StorageType,
  f: (xs: readonly Expr[], i: Index) => Expr,
  name = "pointwise",
): LoopNest {
  const n = inputs[0]!.data.length;
  const buffers = inputs.map((x, k) => newBuffer(`x${k}`, x.storage, n));
  const out = newBuffer("out", output, n);
  const [block, thread] = [loop("block", Math.ceil(n / 64)), loop("thread", 64)];
  const i = add(scale(block.at, 64), thread.at);
  const value = f(
    buffers.map((b) => load(b, i)),
    i,
  );
  const stored = store(out, i, value.type === "bool" ? convert(value, loadedType(output)) : value);
  const guard = within(i, 0, n);
  const body: Stmt = guard === bool(true) ? stored : { kind: "if", condition: guard, body: [stored] };
  return {
    name,
    params: [
      ...buffers.map((buffer) => ({ buffer, access: "read" as const })),
      { buffer: out, access: "write" as const },
    ],
    scratch: [],
    body: [block.around(thread.around(body))],
  };
}
