/** How many rows are reduced side by side, and in what kind of loops. */
import type { Expr } from "../../core/scalar.ts";
import { visitExprs } from "../loopNest/rewrite.ts";

/** Partial results of a vectorised reduction, and rows of the smallest panel. */
export const lanes = 16;
/** Rows of a panel in registers, at most, and in memory: 2 KiB of sums are a small part of the nearest cache. */
const mostRegisters = 64;
const leastPanel = 80;
const mostPanel = 512;
/**
 * Rows that are added up side by side. Few are kept in registers. Where there are many, a panel of them in the nearest cache
 * is better: a step along the reduction then reads a run of memory, not one line of every page.
 */
export function panelOf(extent: number, isCheap: boolean): number {
  const whole = (n: number): number => Math.floor(n / lanes) * lanes;
  if (extent < leastPanel) return isCheap ? whole(Math.min(extent, mostRegisters)) : lanes;
  for (let n = mostPanel; n >= leastPanel; n -= lanes) if (extent % n === 0) return n;
  return whole(Math.min(extent, mostPanel));
}

/** A loop over elements of a private buffer that have no lanes. */
export const oneByOne = (extent: number): "unroll" | "serial" => (extent <= lanes ? "unroll" : "serial");
export function countNodes(roots: readonly Expr[]): number {
  let n = 0;
  visitExprs(roots, () => n++);
  return n;
}
