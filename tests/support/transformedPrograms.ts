/** Random programs under random compositions of transforms, with arguments: what the differential fuzzer runs. */
import fc from "fast-check";
import type { HostArray } from "../../src/core/hostArray.ts";
import type { NDArray } from "../../src/core/ndarray.ts";
import * as lax from "../../src/lax/index.ts";
import { checkpoint } from "../../src/transforms/checkpoint.ts";
import { jvp } from "../../src/transforms/forward.ts";
import { grad } from "../../src/transforms/gradient.ts";
import { jit } from "../../src/transforms/jit.ts";
import { vmap } from "../../src/transforms/vmap.ts";
import { arrays } from "../sweep/generator.ts";
import { type Program, bothModes, programs, run, show } from "./programs.ts";

type F = (x: NDArray) => NDArray;

/** Some number for each element, whatever the shape. */
const weigh = (y: NDArray): NDArray => {
  const flat = lax.reshape(y, [y.size]);
  const weights = lax.cos(lax.mul(lax.convertElementType(lax.iota("int32", y.size), y.dtype), 2.3));
  return lax.reduceSum(lax.mul(flat, weights), [0]);
};
const transforms: Readonly<Record<string, (f: F) => F>> = {
  jit: (f) => jit(f),
  checkpoint: (f) => checkpoint(f),
  vmap: (f) => (x) => vmap(f)(lax.stack([x, lax.mul(x, -0.5), lax.add(x, 0.25)], 0)),
  vmapShared: (f) => (x) =>
    vmap((s: NDArray) => f(lax.mul(x, s)), { outAxes: -1 })(lax.stack([weigh(x), lax.tanh(weigh(x))], 0)),
  jvp: (f) => (x) => jvp(f, [x], [lax.cos(x)])[1],
  grad: (f) => (x) => grad((v: NDArray) => weigh(f(v)))(x),
};
const everyTransform = Object.keys(transforms);
const compositions = (among: readonly string[]): fc.Arbitrary<string[]> =>
  fc
    .array(fc.constantFrom(...among), { maxLength: 3 })
    .filter((names) => names.filter((t) => t === "jvp" || t === "grad").length <= 2);

const inputs = (dtype: "float32" | "float64"): fc.Arbitrary<HostArray> =>
  fc
    .constantFrom<number[]>([], [2], [3], [2, 2], [5], [3, 1], [2, 3, 2])
    .chain((shape) => arrays(shape, dtype, { min: -1.5, max: 1.5 }));

/** Structures of programs and transforms of them that go together. */
export interface Suite {
  readonly structured: readonly string[];
  readonly among: readonly string[];
}
export const suites = {
  "every transform": { structured: bothModes, among: everyTransform },
  "forward mode, while loops": {
    structured: [...bothModes, "while"],
    among: everyTransform.filter((t) => t !== "grad"),
  },
  "reverse mode, customVjp": {
    structured: [...bothModes, "customVjp"],
    among: everyTransform.filter((t) => t !== "jvp"),
  },
} as const satisfies Readonly<Record<string, Suite>>;

export interface TransformedProgram {
  /** The transforms and the program, for messages. */
  readonly title: string;
  readonly f: F;
  readonly x: HostArray;
}
export const transformedPrograms = (
  { structured, among }: Suite,
  dtype: "float32" | "float64",
): fc.Arbitrary<TransformedProgram> =>
  fc
    .tuple(programs({ structured, maxSteps: 5, depth: 2 }), compositions(among), inputs(dtype))
    .map(([program, names, x]) => ({
      title: `${names.join(" of ")} (innermost first) of ${show(program)}`,
      f: names.reduce<F>((f, t) => transforms[t]!(f), plain(program)),
      x,
    }));
const plain =
  (program: Program): F =>
  (v) =>
    run(program, [v]);
