/** Which row of a group an element belongs to, as an index over the axes of a result. */
import { type Index, type IndexVar, substitute } from "../core/indexing.ts";
import type { Read } from "./access.ts";
import { axisVars } from "./pull.ts";

/**
 * Whether a row number, in terms of a result's axes, takes every value below `rows` for some position, and the axes that
 * it does not mention are free: the axes it mentions are the digits of a mixed-radix number.
 */
export function coversOnce(row: Index, axes: readonly IndexVar[], rows: number): boolean {
  if (row.constant !== 0) return false;
  const digits = row.terms.map(({ atom, factor }) => ({ atom, factor })).sort((a, b) => a.factor - b.factor);
  let radix = 1;
  for (const { atom, factor } of digits) {
    if (atom.kind !== "var" || !axes.includes(atom) || factor !== radix) return false;
    radix *= atom.extent;
  }
  return radix === rows;
}

/** Indices of an operand's element, such as its row, in terms of the axes of the result that reads it. */
export function through({ operand, index }: Read): (x: Index) => Index {
  const places = new Map<IndexVar, Index>(axisVars(operand.aval.shape).map((v, i) => [v, index[i]!]));
  return (x) => substitute(x, (a) => (a.kind === "var" ? (places.get(a) ?? null) : null));
}
