/**
 * Work for several threads, in tasks. Schedules for one thread mark loops whose rounds know nothing of each other as block
 * loops; what is worth several threads is cut along them, and the rest loses the mark. How a kernel is cut depends on its
 * shape alone, never on the number of threads, so that results do not either.
 *
 * The block loops of a kernel that was cut stand side by side in its body, with nothing between them but what is cheap
 * enough to be computed by every thread. Their rounds are tasks, numbered through in order; a call runs a range of them.
 */
import { type Index, type IndexVar, add, constantIndex, indexVar, scale, varIndex } from "../../core/indexing.ts";
import type { Expr } from "../../core/scalar.ts";
import { type For, type LoopNest, type Stmt, type Tasks, visitExprsOf } from "../loopNest/loopNest.ts";
import { placesOf, placing, rewriteStmts } from "../loopNest/rewrite.ts";
import type { Target } from "../target.ts";
import { extentOf } from "./contraction.ts";

/** Nanoseconds that a thread takes at a time: long enough to make the taking cheap, and short enough to end at about the same time. */
const worthTaking = 20_000;
const mostClaims = 64;
/** Tasks that a loop must have before those inside it are left alone. */
const enoughTasks = 32;
/** Nanoseconds that a node of an expression takes, about. */
const nodeTime = 0.3;

/** Cuts a kernel into tasks, if it is worth several threads and falls into independent parts. */
export function inTasks(nest: LoopNest, { cutting }: Target): LoopNest {
  const work = workOf(nest.body);
  const claims = Math.max(2, Math.min(mostClaims, Math.floor(work / worthTaking)));
  if (!cutting || work < cutting.nanoseconds || !nest.body.every(isSeparable))
    return { ...nest, body: inOrder(nest.body) };
  const body = nest.body.flatMap((s): readonly Stmt[] => (s.kind === "for" ? cut(s, claims, cutting.elements) : [s]));
  let count = 0;
  for (const s of body) if (s.kind === "for") count += s.variable.extent;
  if (count < 2) return { ...nest, body: inOrder(nest.body) };
  const tasks: Tasks = { count, grain: Math.ceil(count / claims) };
  return { ...nest, body, tasks };
}

/** Statements without block loops. */
export const inOrder = (body: readonly Stmt[]): Stmt[] =>
  body.map((s) => {
    if (s.kind !== "for" || s.loop !== "block") return s;
    return { ...s, loop: "serial", body: inOrder(s.body) };
  });

const isSeparable = (s: Stmt): boolean => {
  if (s.kind === "let") return true;
  if (s.kind !== "for") return false;
  return s.loop === "block" || (s.loop === "vector" && s.body.every((x) => x.kind !== "store" || x.buffer.space === "device")); // prettier-ignore
};

/** A loop as one block loop of enough rounds, or two if it does not divide. */
function cut(s: For, claims: number, whole: number): For[] {
  const chain = [s];
  for (let inner = s; inner.body.length === 1; chain.push(inner)) {
    const [only] = inner.body;
    if (only!.kind !== "for" || inner.loop !== "block" || (only!.loop !== "block" && only!.loop !== "vector")) break;
    inner = only as For;
  }
  const loops: IndexVar[] = [];
  let count = 1;
  for (const { loop, variable } of chain) {
    if (loop !== "block" || count >= enoughTasks) break;
    loops.push(variable);
    count *= variable.extent;
  }
  const inside = chain[loops.length];
  if (inside?.loop !== "vector" || count >= enoughTasks) return [flattened(loops, chain[loops.length - 1]!.body)];
  // The vector loop is cut as well.
  const { variable: v, body } = inside;
  const parts = Math.ceil(claims / count);
  const size = Math.max(whole, Math.ceil(v.extent / parts / whole) * whole);
  const part = (first: (i: Index) => Index, extent: number, times: number): For => {
    const p = indexVar("p", times);
    const rest = indexVar(v.name, extent);
    const at = add(first(varIndex(p)), varIndex(rest));
    const vector: For = { kind: "for", loop: "vector", variable: rest, body: replaced(body, new Map([[v, at]])) };
    return flattened([...loops, p], [vector]);
  };
  const times = Math.floor(v.extent / size);
  const left = v.extent - times * size;
  return [
    ...(times > 0 ? [part((i) => scale(i, size), size, times)] : []),
    ...(left > 0 ? [part(() => constantIndex(times * size), left, 1)] : []),
  ];
}

/** One block loop for several. */
function flattened(loops: readonly IndexVar[], body: readonly Stmt[]): For {
  const long = loops.filter((v) => v.extent > 1);
  if (long.length === 1 && loops.length === 1)
    return { kind: "for", loop: "block", variable: long[0]!, body: inOrder(body) };
  const task = indexVar("task", extentOf(loops));
  return { kind: "for", loop: "block", variable: task, body: replaced(inOrder(body), placesOf(loops, varIndex(task))) };
}

const replaced = (body: readonly Stmt[], places: ReadonlyMap<IndexVar, Index>): Stmt[] =>
  rewriteStmts(body, placing(places));

/** Nanoseconds that statements take, very roughly. */
function workOf(body: readonly Stmt[]): number {
  let work = 0;
  const seen = new Set<Expr>();
  for (const s of body) {
    let nodes = 0;
    visitExprsOf(s, (e) => {
      if (seen.has(e)) return false;
      seen.add(e);
      nodes++;
      return true;
    });
    work += nodes * nodeTime;
    if (s.kind === "if") work += workOf(s.body);
    if (s.kind === "for") work += workOf(s.body) * (s.loop === "vector" ? s.variable.extent / 4 : s.variable.extent);
  }
  return work;
}
