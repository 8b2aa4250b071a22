/**
 * Reductions of few rows that are very long: one block of a grid, or one thread, for each row would leave the rest of the
 * device idle. An axis is cut in parts; each part is reduced, and then the parts.
 */
import { type Eqn, Var } from "../core/jaxpr.ts";
import type { NDArray } from "../core/ndarray.ts";
import { bind } from "../core/trace.ts";
import { reshape } from "../core/structural.ts";
import { accessOf, visitReductions } from "./access.ts";
import { axisVars, indicesOf } from "./pull.ts";
import type { Target } from "./target.ts";

/** When a target cuts rows, and how. */
interface Parts {
  /** So many rows are enough. */
  readonly fewRows: number;
  /** Rows side by side that are one block's or thread's work. */
  readonly rowsOfBlock: number;
  readonly longRow: number;
  /** Parts of a row: many blocks, and few enough to be one block's work in the end. */
  readonly mostParts: number;
  readonly fewestParts: number;
}
const forGrids: Parts = { fewRows: 64, rowsOfBlock: 32, longRow: 16384, mostParts: 1024, fewestParts: 16 };
const forThreads: Omit<Parts, "longRow"> = { fewRows: 8, rowsOfBlock: 16, mostParts: 64, fewestParts: 2 };
const partsFor = ({ cutting }: Target): Parts => (cutting ? { ...forThreads, longRow: cutting.summands } : forGrids);

/** Whether an equation may be worth cutting. */
export const isLongReduction = ({ primitive, inputs, outputs }: Eqn, target: Target): boolean =>
  primitive.kind === "reduction" &&
  inputs.some((a) => a instanceof Var && a.aval.size >= partsFor(target).longRow * Math.max(1, outputs[0]!.aval.size));

/** The two reductions, or null if one will do. */
export function splitReduction(eqn: Eqn, target: Target): ((args: readonly NDArray[]) => readonly NDArray[]) | null {
  const { fewRows, rowsOfBlock, longRow, mostParts, fewestParts } = partsFor(target);
  if (eqn.primitive.kind !== "reduction") return null;
  const [x, ...others] = eqn.inputs;
  const { axes } = eqn.params as { readonly axes?: readonly number[] };
  if (!x || others.length > 0 || !axes || eqn.outputs.length !== 1) return null;
  const { shape, dtype } = x.aval;
  // Partial results would be rounded to 16 bits.
  if (dtype === "float16" || dtype === "bfloat16") return null;
  const length = axes.reduce((n, a) => n * shape[a]!, 1);
  // Rows that memory is contiguous across are added up side by side, so many of them to a block.
  const rows = x.aval.size / length / (axes.includes(shape.length - 1) ? 1 : rowsOfBlock);
  if (length < longRow || rows >= fewRows) return null;
  const cuts = axes.map((axis) => ({ axis, parts: partsOf(shape[axis]!, length, mostParts) }));
  const best = cuts.sort((a, b) => b.parts - a.parts)[0]!;
  if (best.parts < fewestParts || !isReducedAgain(eqn)) return null;
  const { axis, parts } = best;
  return ([array]) => {
    const cut = reshape(array!, [...shape.slice(0, axis), parts, shape[axis]! / parts, ...shape.slice(axis + 1)]);
    // The parts stay where the axis was; it and those behind it are one further.
    const inner = axes.map((a) => (a >= axis ? a + 1 : a));
    const partial = bind(eqn.primitive, [cut], { ...eqn.params, axes: inner });
    const before = axes.filter((a) => a < axis).length;
    return bind(eqn.primitive, partial, { ...eqn.params, axes: [axis - before] });
  };
}

/** The divisor of an axis that cuts the row best. */
function partsOf(extent: number, length: number, mostParts: number): number {
  const wanted = Math.min(mostParts, Math.sqrt(length));
  let best = 1;
  for (let n = 1; n <= mostParts && n <= extent; n++)
    if (extent % n === 0 && Math.abs(Math.log(n / wanted)) < Math.abs(Math.log(best / wanted))) best = n;
  return best;
}

/** Whether the reduction of partial results is the same reduction: an operation on the operand's elements. */
function isReducedAgain(eqn: Eqn): boolean {
  const access = accessOf(eqn);
  const { lowering } = access;
  if (lowering.form !== "pull") return false;
  const { shape } = eqn.outputs[0]!.aval;
  let plain = true;
  for (const e of lowering.at(indicesOf(axisVars(shape)), 0))
    visitReductions(e, (r) => (plain &&= typeof r.combine === "string"));
  return plain && access.reads.length > 0;
}
