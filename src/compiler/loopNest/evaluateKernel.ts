/**
 * The meaning of fused kernels, run slowly: every store at every position of its loops. What scheduling makes of a kernel
 * is compared with it.
 */
import type { TypedArray } from "../../core/hostArray.ts";
import type { IndexVar } from "../../core/indexing.ts";
import { unreachable } from "../../core/problem.ts";
import type { Buffer } from "../../core/scalar.ts";
import type { FusedKernel } from "../fusedKernel.ts";
import { type Environment, evaluateExpr, evaluateIndexIn } from "./evaluateExpr.ts";

/** Runs a kernel on one array per parameter, in the order of `kernel.params`. */
export function evaluateKernel({ name, params, rows, stores }: FusedKernel, data: readonly TypedArray[]): void {
  const arrays = new Map<Buffer, TypedArray>(params.map((p, i) => [p.buffer, data[i]!]));
  const at = (buffer: Buffer, index: number): TypedArray => {
    const array = arrays.get(buffer);
    if (!array || !(index >= 0 && index < buffer.length))
      return unreachable(`${name} reaches element ${index} of ${buffer.name}, which has ${buffer.length}`);
    return array;
  };
  const variables = new Map<IndexVar, number>();
  const env: Environment = {
    variables,
    locals: new Map(),
    load: (buffer, index) => at(buffer, index)[index]!,
  };
  for (const { buffer, index, value, inner } of stores)
    eachPosition([...rows, ...inner], variables, () => {
      const place = evaluateIndexIn(index, env);
      at(buffer, place)[place] = evaluateExpr(value, env);
    });
}

/** Calls `f` with the variables at every position, the last one running fastest. */
function eachPosition(vars: readonly IndexVar[], values: Map<IndexVar, number>, f: () => void): void {
  const [first, ...rest] = vars;
  if (!first) return f();
  for (let i = 0; i < first.extent; i++) {
    values.set(first, i);
    eachPosition(rest, values, f);
  }
}
