/**
 * Long reductions under conditions on their own variables, for example the sums over an image that are the gradient of a
 * kernel: the ranges are cut where conditions change, and the parts are reductions of their own, most of them short. What
 * conditions depend on besides (places of the kernel) is written out, so that the cuts are known. The variable that memory
 * is contiguous in becomes the innermost one.
 */
import { type IndexVar, addConstant, constantIndex, factorOf, indexVar, varIndex } from "../../core/indexing.ts";
import { type Expr, type ReduceOp, type Reduction, binary, constant, reduced, reduction } from "../../core/scalar.ts";
import { type FusedKernel, type FusedStore, rewriteStores } from "../fusedKernel.ts";
import { Rewriter, visitExprs } from "../loopNest/rewrite.ts";
import { groupsOf } from "./reductions.ts";
import { cutsOf, metIn, settling } from "./ranges.ts";

/** Elements of a reduction that is worth cutting. */
const manyElements = 256;
/** Results that are written out, and all reductions that come of it. */
const mostPlaces = 32;
const mostParts = 128;

/** The kernel with reductions in parts; null if there is nothing to cut. */
export function cuttingSums(kernel: FusedKernel): FusedKernel | null {
  const groups = groupsOf(kernel);
  const reductions = groups.flatMap((g) => g.reductions);
  if (groups.length !== 1 || kernel.stores.some((s) => s.inner.length > 0)) return null;
  if (reductions.some((r) => typeof r.combine !== "string" || elementsOf(r) < manyElements)) return null;
  const bodies = reductions.flatMap((r) => r.body);
  const met = new Set(groups[0]!.vars.flatMap((v) => [...metIn(bodies, v)]));
  const places = kernel.rows.filter((v) => met.has(v) && v.extent <= mostPlaces);
  if (places.reduce((n, v) => n * v.extent, 1) > mostPlaces) return null;
  let stores: readonly FusedStore[] = kernel.stores;
  for (const v of places)
    stores = Array.from({ length: v.extent }, (_, i) =>
      rewriteStores(stores, settling(new Map([[v, constantIndex(i)]]))),
    ).flat();
  let parts = 0;
  const cut = stores.map((s) => {
    const rewriter = new Rewriter({
      expr: (e) => {
        if (e.kind !== "reduced") return null;
        const all = partsOf(e.reduction);
        parts += all.length;
        return all.length === 1 && all[0] === e.reduction ? e : joined(e.reduction, all);
      },
    });
    return { ...s, value: rewriter.expr(s.value) };
  });
  if (parts === kernel.stores.length || parts > mostParts) return null;
  return { ...kernel, rows: kernel.rows.filter((v) => !places.includes(v)), stores: cut };
}

const elementsOf = (r: Reduction): number => r.vars.reduce((n, v) => n * v.extent, 1);

/** Reductions over the parts between cuts, those without effect left out. */
function partsOf(r: Reduction): readonly Reduction[] {
  let parts: readonly { readonly vars: readonly IndexVar[]; readonly body: Expr }[] = [{ vars: [], body: r.body[0]! }];
  let changed = false;
  for (const v of r.vars) {
    const cuts = cutsOf(r.body, v);
    if (cuts.length === 0 || cuts.length > 3) {
      parts = parts.map((p) => ({ ...p, vars: [...p.vars, v] }));
      continue;
    }
    changed = true;
    const bounds = [0, ...cuts, v.extent];
    parts = parts.flatMap(({ vars, body }) =>
      cuts.concat(v.extent).map((end, i) => {
        const first = bounds[i]!;
        const part = indexVar(v.name, end - first);
        const place = settling(new Map([[v, addConstant(varIndex(part), first)]]));
        return { vars: part.extent > 1 ? [...vars, part] : vars, body: place.expr(body) };
      }),
    );
  }
  if (!changed) return [r];
  return parts
    .filter(({ body }) => body.kind !== "const" || !Object.is(body.value, r.init[0]))
    .map(({ vars, body }) => {
      const along = vars.find((v) => isContiguous(body, v));
      const ordered = along ? [...vars.filter((v) => v !== along), along] : vars;
      return reduction(ordered, r.types, r.init, r.combine, [body]);
    });
}

/** Whether loads step one by one along a variable, or not at all. */
function isContiguous(body: Expr, v: IndexVar): boolean {
  let [some, all] = [false, true];
  visitExprs([body], (e) => {
    if (e.kind !== "load") return;
    const step = factorOf(e.index, v);
    if (step === 1) some = true;
    else if (step !== 0) all = false;
  });
  return some && all;
}

function joined({ combine, init, types }: Reduction, parts: readonly Reduction[]): Expr {
  const values = parts.map((p) => (p.vars.length > 0 ? reduced(p) : p.body[0]!));
  return values.length === 0
    ? constant(types[0]!, init[0]!)
    : values.reduce((x, y) => binary(combine as ReduceOp, x, y));
}
