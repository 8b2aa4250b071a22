/** Dimension numbers for gather and scatter: every operand axis draws a role, and everything else follows. */
import fc from "fast-check";
import { type GatherScatterModeName, type IndexDims, batchedShape } from "../../src/lax/indexPlan.ts";
import { type HostArray, allocate, range, sizeOf } from "./core.ts";
import { shapes } from "./generator.ts";

export interface Indexing {
  readonly mode: GatherScatterModeName;
  readonly operand: readonly number[];
  readonly indices: HostArray;
  readonly dims: IndexDims;
  readonly window: readonly number[];
  /** The shape of gather's result and of scatter's updates. */
  readonly batched: readonly number[];
}

type Role = "window" | "indexed" | "collapsed" | "indexedAndCollapsed" | "batching";
const roles: readonly Role[] = [
  "window",
  "indexed",
  "collapsed",
  "indexedAndCollapsed",
  "indexedAndCollapsed",
  "batching",
];

/** `single`: one index vector per batching position, so that no index occurs twice. */
export const indexing = (options: { readonly single?: boolean } = {}): fc.Arbitrary<Indexing> =>
  shapes({ minDims: 1, maxDims: 3 }).chain((operand) =>
    fc
      .tuple(
        fc.tuple(...operand.map(() => fc.constantFrom(...roles))),
        fc.tuple(...operand.map((n) => fc.integer({ min: 1, max: n }))),
        options.single ? fc.constant<number[]>([]) : shapes({ maxDims: 2, maxLength: 3 }),
        fc.boolean(),
        fc.constantFrom<GatherScatterModeName>("clip", "fill", "promise_in_bounds"),
      )
      .chain(([role, lengths, extra, reversed, mode]) => arrange(operand, role, lengths, extra, reversed, mode)),
  );

function arrange(
  operand: readonly number[],
  role: readonly Role[],
  lengths: readonly number[],
  extra: readonly number[],
  reversed: boolean,
  mode: GatherScatterModeName,
): fc.Arbitrary<Indexing> {
  const axes = (...wanted: readonly Role[]): number[] => range(operand.length).filter((i) => wanted.includes(role[i]!));
  const batching = axes("batching");
  const indexed = axes("indexed", "indexedAndCollapsed");
  const indexMap = reversed ? [...indexed].reverse() : indexed;
  const vectors = [...batching.map((a) => operand[a]!), ...extra];
  const windowCount = axes("window", "indexed").length;
  const rank = windowCount + vectors.length;
  const window = operand.map((_, i) => (role[i] === "window" || role[i] === "indexed" ? lengths[i]! : 1));
  const indicesShape = [...vectors, indexMap.length];
  const n = sizeOf(indicesShape);
  return fc
    .tuple(
      fc.subarray(range(rank), { minLength: windowCount, maxLength: windowCount }),
      fc.array(fc.integer({ min: -1, max: 4 }), { minLength: n, maxLength: n }),
    )
    .map(([windowDims, values]) => {
      const dims: IndexDims = {
        windowDims,
        collapsedDims: axes("collapsed", "indexedAndCollapsed"),
        indexMap,
        operandBatchingDims: batching,
        indicesBatchingDims: range(batching.length),
      };
      const data = allocate("int32", n);
      // A broken promise has no right derivative: gathers clamp, scatters drop.
      const inside = (v: number, axis: number): number =>
        mode === "promise_in_bounds" ? Math.min(Math.max(v, 0), operand[axis]! - window[axis]!) : v;
      values.forEach((v, i) => (data[i] = inside(v, indexMap[i % indexMap.length]!)));
      return {
        mode,
        operand,
        indices: { shape: indicesShape, dtype: "int32", data },
        dims,
        window,
        batched: batchedShape(indicesShape, dims, window),
      };
    });
}
