/**
 * The meaning of lowerings on host arrays, run slowly: one expression tree for each result, evaluated once per element.
 * Tests compare it with the reference, `explain` shows what a kernel would compute.
 */
import { Aval } from "../../core/aval.ts";
import type { DType } from "../../core/dtype.ts";
import { decode, normalize, scalarTypeOf, wordLayout } from "../../core/elementTypes.ts";
import { type HostArray, allocateLike, lanesOf } from "../../core/hostArray.ts";
import { type IndexVar, constantIndex, flatIndex, add, indexVar, scale, varIndex } from "../../core/indexing.ts";
import type { Lowering, Operand, PrefixLowering, Pull, ScatterLowering, Value } from "../../core/lowering.ts";
import { unreachable } from "../../core/problem.ts";
import { type Buffer, constant, load, newBuffer } from "../../core/scalar.ts";
import { type Shape, sizeOf, stridesOf } from "../../core/shape.ts";
import { type Environment, evaluateExpr, evaluateIndexIn } from "./evaluateExpr.ts";

/** Host arrays as operands of lowerings, and where their elements are loaded from. */
export interface HostOperands {
  readonly operands: readonly Operand[];
  readonly load: Environment["load"];
}

/** Indices that may lie out of bounds are refused when they are asked for, by their ranges. */
export function hostOperands(ins: readonly HostArray[]): HostOperands {
  const data = new Map<Buffer, HostArray["data"]>();
  const operands = ins.map((x, i): Operand => {
    const lanes = lanesOf(x.dtype);
    const buffer = newBuffer(`x${i}`, wordLayout[x.dtype], x.data.length);
    data.set(buffer, x.data);
    return {
      aval: new Aval(x.shape, x.dtype),
      at: (index) => {
        if (index.length !== x.shape.length || index.some((v, a) => v.min < 0 || v.max >= x.shape[a]!))
          unreachable(
            `operand ${i} of shape ${x.shape.join()} is asked at ${index.map((v) => `${v.min}…${v.max}`).join()}`,
          );
        const flat = scale(flatIndex(index, x.shape), lanes);
        return Array.from({ length: lanes }, (_, lane) =>
          decode(x.dtype, wordLayout, load(buffer, add(flat, constantIndex(lane)))),
        );
      },
    };
  });
  return {
    operands,
    load: (buffer, index) => data.get(buffer)?.[index] ?? unreachable(`${buffer.name} has no element ${index}`),
  };
}

/** Results of the forms that describe single elements; null for the others. */
export function evaluateLowering(
  lowering: Lowering,
  outs: readonly Aval[],
  source: HostOperands,
  movement: boolean,
): readonly HostArray[] | null {
  switch (lowering.form) {
    case "pull":
      return outs.map((aval, out) => evaluatePull(lowering.at, aval, out, source, movement));
    case "prefix":
      return evaluatePrefix(lowering, outs, source);
    case "scatter":
      return [evaluateScatter(lowering, outs[0]!, source)];
    default:
      return null;
  }
}

const normalized = (dtype: DType, lanes: Value): Value => lanes.map((x) => normalize(dtype, x));
const constants = (dtype: DType, lanes: readonly number[]): Value => lanes.map((v) => constant(scalarTypeOf(dtype), v));

/** Loop variables for the axes of a shape. */
const axisVars = (shape: Shape): IndexVar[] => shape.map((n, a) => indexVar(`i${a}`, n));

/** Calls `f` for every position, with an environment where the variables have it. */
function eachPosition(
  vars: readonly IndexVar[],
  load: Environment["load"],
  f: (env: Environment, flat: number) => void,
): void {
  const shape = vars.map((v) => v.extent);
  const strides = stridesOf(shape);
  const variables = new Map<IndexVar, number>();
  const size = sizeOf(shape);
  for (let flat = 0; flat < size; flat++) {
    vars.forEach((v, a) => variables.set(v, Math.floor(flat / strides[a]!) % v.extent));
    f({ variables, locals: new Map(), load }, flat);
  }
}

function evaluatePull(at: Pull, aval: Aval, out: number, { load }: HostOperands, movement: boolean): HostArray {
  const result = allocateLike(aval);
  if (aval.size === 0) return result;
  const vars = axisVars(aval.shape);
  const raw = at(vars.map(varIndex), out);
  const lanes = movement ? raw : normalized(aval.dtype, raw);
  eachPosition(vars, load, (env, flat) =>
    lanes.forEach((x, lane) => (result.data[flat * lanes.length + lane] = evaluateExpr(x, env))),
  );
  return result;
}

function evaluatePrefix(
  { axis, reverse, element, combine }: PrefixLowering,
  outs: readonly Aval[],
  { load }: HostOperands,
): readonly HostArray[] {
  const results = outs.map(allocateLike);
  const { shape, size } = outs[0]!;
  if (size === 0) return results;
  const vars = axisVars(shape);
  const counts = outs.map((a) => lanesOf(a.dtype));
  const elements = outs.flatMap((_, out) => element(vars.map(varIndex), out));
  const dtypes = outs.flatMap((a, out) => new Array<DType>(counts[out]!).fill(a.dtype));
  const asValue = (lanes: readonly number[]): Value => lanes.map((v, i) => constants(dtypes[i]!, [v])[0]!);
  /** Running lanes by the position of the other axes. */
  const running = new Map<string, readonly number[]>();
  const steps: (() => void)[] = [];
  eachPosition(vars, load, (env, flat) => {
    const own = elements.map((x) => evaluateExpr(x, env));
    const line = vars.map((v, a) => (a === axis ? "" : env.variables.get(v))).join();
    steps.push(() => {
      const before = running.get(line);
      const next = before ? combine(asValue(before), asValue(own)).map((x) => evaluateExpr(x, env)) : own;
      running.set(line, next);
      let lane = 0;
      results.forEach((r, out) => {
        for (let l = 0; l < counts[out]!; l++, lane++)
          r.data[flat * counts[out]! + l] = evaluateExpr(normalize(dtypes[lane]!, asValue(next)[lane]!), env);
      });
    });
  });
  for (const step of reverse ? steps.reverse() : steps) step();
  return results;
}

function evaluateScatter(
  { shape, target, update, start, combine }: ScatterLowering,
  aval: Aval,
  source: HostOperands,
): HostArray {
  const { dtype } = aval;
  const result = evaluatePull(start, aval, 0, source, false);
  if (sizeOf(shape) === 0 || aval.size === 0) return result;
  const vars = axisVars(shape);
  const index = vars.map(varIndex);
  const to = target(index);
  const lanes = update(index);
  eachPosition(vars, source.load, (env) => {
    if (!evaluateExpr(to.valid, env)) return;
    const at = evaluateIndexIn(flatIndex(to.index, aval.shape), env) * lanes.length;
    const old = constants(dtype, Array.from(result.data.subarray(at, at + lanes.length)));
    const own = constants(
      dtype,
      lanes.map((x) => evaluateExpr(x, env)),
    );
    const next = normalized(dtype, combine(old, own)).map((x) => evaluateExpr(x, env));
    next.forEach((v, lane) => (result.data[at + lane] = v));
  });
  return result;
}
