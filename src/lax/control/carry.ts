/**
 * Carries and branches: the values that go around a loop, or come out of a choice, must keep their structure, shapes and
 * dtypes. Weakly typed ones adopt the dtype they meet; everything else is an error that lists the paths.
 */
import { type Aval, avalsEqual } from "../../core/aval.ts";
import { isInexact, isInteger } from "../../core/dtype.ts";
import type { NDArray } from "../../core/ndarray.ts";
import { ControlFlowError } from "../../core/problem.ts";
import { shapesEqual } from "../../core/shape.ts";
import { convert } from "../../core/structural.ts";
import { type TreeDef, keyString, treeDifferences } from "../../core/tree.ts";

const MAX_LINES = 10;
const shorten = (lines: readonly string[]): string =>
  (lines.length > MAX_LINES ? [...lines.slice(0, MAX_LINES), `… and ${lines.length - MAX_LINES} more`] : lines)
    .map((l) => `\n    ${l}`)
    .join("");

/** Whether a weak value can take another's dtype without losing its kind: a weak integer becomes a float, not the reverse. */
const canAdopt = (weak: Aval, to: Aval): boolean =>
  weak.weakType &&
  shapesEqual(weak.shape, to.shape) &&
  (isInexact(to.dtype) || isInteger(weak.dtype) || isInteger(to.dtype));

/**
 * The avals a loop's carry must have: the initial ones, with weak dtypes replaced where the body gives a stronger type.
 * Null if nothing changed.
 */
export function strongerCarry(before: readonly Aval[], after: readonly Aval[]): Aval[] | null {
  let changed = false;
  const avals = before.map((a, i) => {
    const b = after[i];
    if (!b || avalsEqual(a, b) || !a.weakType || !canAdopt(a, b)) return a;
    changed = true;
    return b;
  });
  return changed ? avals : null;
}

/** Values converted to the avals they must have. */
export const convertAll = (xs: readonly NDArray[], avals: readonly Aval[]): NDArray[] =>
  xs.map((x, i) => convert(x, avals[i]!.dtype, avals[i]!.weakType));

/** Checks that a loop body gives its carry back unchanged in type; reports differences by path. */
export function checkCarry(
  loop: string,
  carryDef: TreeDef,
  outDef: TreeDef,
  before: readonly Aval[],
  after: readonly Aval[],
): void {
  const lines = !carryDef.equals(outDef)
    ? treeDifferences(carryDef, outDef)
    : carryDef.paths().flatMap((path, i) => {
        const [a, b] = [before[i]!, after[i]!];
        return avalsEqual(a, b, true)
          ? []
          : [`${keyString(path) || "the carry"}: ${String(a)} goes in, ${String(b)} comes out`];
      });
  if (lines.length === 0) return;
  throw new ControlFlowError("CarryMismatch", {
    what: `${loop}: the body changes the type of the carry:${shorten(lines)}`,
    why: "a loop is traced once, so each step must receive and return a carry of the same structure, shapes and dtypes",
    fix: "make the initial carry of the type that the body returns (for example with .astype or numpy.zeros of the right shape), or convert in the body",
  });
}

/** Checks that branches give results of the same structure. */
export function checkBranchTrees(name: string, defs: readonly TreeDef[], label: (i: number) => string): void {
  const [first] = defs;
  defs.forEach((d, i) => {
    if (d.equals(first!)) return;
    throw new ControlFlowError("BranchMismatch", {
      what: `${name}: ${label(i)} returns another structure than ${label(0)}:${shorten(treeDifferences(first!, d))}`,
      why: "all branches must give results of the same structure, shapes and dtypes",
      fix: "return the same tree from every branch; fill what is missing with zeros",
    });
  });
}

/** The common avals of branch results: weak ones adopt the dtype of strong ones. */
export function joinBranches(
  name: string,
  def: TreeDef,
  branches: readonly (readonly Aval[])[],
  label: (i: number) => string,
): Aval[] {
  const lines: string[] = [];
  const paths = def.paths();
  const joined = branches[0]!.map((_, k) => {
    const avals = branches.map((b) => b[k]!);
    const strong = avals.find((a) => !a.weakType) ?? avals.find((a) => isInexact(a.dtype)) ?? avals[0]!;
    avals.forEach((a, i) => {
      if (avalsEqual(a, strong, true) || canAdopt(a, strong)) return;
      const from = avals.indexOf(strong);
      lines.push(
        `${keyString(paths[k]!) || "the result"}: ${String(strong)} from ${label(from)}, ${String(a)} from ${label(i)}`,
      );
    });
    return strong;
  });
  if (lines.length === 0) return joined;
  throw new ControlFlowError("BranchMismatch", {
    what: `${name}: the branches give results of different types:${shorten(lines)}`,
    why: "all branches must give results of the same structure, shapes and dtypes",
    fix: "convert the results to one dtype and shape in every branch",
  });
}

/** Whether arrays are all true, for readability of the fixpoints. */
export const sameFlags = (a: readonly boolean[], b: readonly boolean[]): boolean => a.every((x, i) => x === b[i]);
export const orFlags = (a: readonly boolean[], b: readonly boolean[]): boolean[] => a.map((x, i) => x || b[i]!);
/** The items at the positions marked. */
export const pick = <T>(xs: readonly T[], flags: readonly boolean[]): T[] => xs.filter((_, i) => flags[i]);
