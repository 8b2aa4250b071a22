/**
 * Few rows and many keys: the keys of an online product are divided among blocks, because one block would walk over them
 * for long while the rest of the device is idle. What each part found of a row, its largest score and its sums, goes to
 * memory, and a second kernel puts it together: sums are scaled to the largest score of all parts, as they are to that of
 * all tiles within a part.
 */
import { type Index, type IndexVar, add, flatIndex, indexVar, scale, varIndex } from "../../core/indexing.ts";
import {
  type Buffer,
  type Expr,
  type Local,
  greatest,
  load,
  minus,
  newBuffer,
  readLocal,
  reduced,
  reduction,
  times,
  unary,
} from "../../core/scalar.ts";
import type { FusedKernel, FusedStore } from "../fusedKernel.ts";
import { Rewriter } from "../loopNest/rewrite.ts";
import { extentOf } from "./contraction.ts";
import { type OnlineProduct, lowest } from "./onlineProduct.ts";

export interface OnlineParts {
  /** The product with a part among what it is around, whose stores are what the part found. */
  readonly product: OnlineProduct;
  readonly part: IndexVar;
  /** Memory between the kernels. */
  readonly found: readonly Buffer[];
  /** The kernel that puts the parts together; its parameters are all of the product's. */
  readonly together: FusedKernel;
}

export function inParts(p: OnlineProduct, parts: number): OnlineParts {
  const part = indexVar("part", parts);
  const [ofRows, ofColumns] = [
    [...p.around, ...p.rows],
    [...p.around, ...p.rows, ...p.columns],
  ];
  const place = (vars: readonly IndexVar[], at: Index): Index => {
    const flat = flatIndex(
      vars.map(varIndex),
      vars.map((v) => v.extent),
    );
    return add(scale(at, extentOf(vars)), flat);
  };
  const stores: FusedStore[] = [];
  const loads = new Map<Local, (at: Index) => Expr>();
  const pass = (local: Local, vars: readonly IndexVar[]): void => {
    const buffer = newBuffer(local.name, "f32", parts * extentOf(vars));
    stores.push({ buffer, index: place(vars, varIndex(part)), value: readLocal(local), inner: [] });
    loads.set(local, (at) => load(buffer, place(vars, at)));
  };
  pass(p.largest, ofRows);
  for (const s of p.sums) pass(s.local, s.values ? ofColumns : ofRows);

  const overParts = (combine: "max" | "add", init: number, body: (at: Index) => Expr): Expr => {
    const v = indexVar("part", parts);
    return reduced(reduction([v], ["f32"], [init], combine, [body(varIndex(v))]), 0);
  };
  const largest = overParts("max", -Infinity, loads.get(p.largest)!);
  const subtrahend = greatest(largest, lowest);
  const values = new Map([[p.largest, largest]]);
  for (const { local } of p.sums) {
    const scaled = (at: Index): Expr =>
      times(loads.get(local)!(at), unary("exp", minus(loads.get(p.largest)!(at), subtrahend)));
    values.set(local, overParts("add", 0, scaled));
  }
  const rewriter = new Rewriter({ expr: (e) => (e.kind === "local" ? (values.get(e.local) ?? null) : null) });
  return {
    product: { ...p, stores },
    part,
    found: stores.map((s) => s.buffer),
    together: {
      ...p.kernel,
      name: `${p.kernel.name}_together`,
      stores: p.stores.map((s) => ({ ...s, value: rewriter.expr(s.value) })),
    },
  };
}
