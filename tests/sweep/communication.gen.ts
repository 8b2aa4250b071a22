/** Samples for `lax/collectives.ts`, each applied to all examples of a named axis at once, and `lax/callback.ts`. */
import fc from "fast-check";
import type { NDArray } from "../../src/core/ndarray.ts";
import { batchToFront } from "../../src/core/structural.ts";
import { bind } from "../../src/core/trace.ts";
import { callbackP } from "../../src/lax/callback.ts";
import * as lax from "../../src/lax/collectives.ts";
import { interpreters } from "../../src/transforms/interpreters.ts";
import { fromHost, host } from "../support/values.ts";
import { type AnyPrimitive, type DType, Aval } from "./core.ts";
import { type Generator, type Sample, arrays, shapes } from "./generator.ts";

const name = "i";
const size = 2;
/** Operands come with the named axis in front, and so do results. */
const overAxis = (primitive: AnyPrimitive, sample: fc.Arbitrary<Sample>, rest: Partial<Generator> = {}): Generator => ({
  primitive,
  sample,
  apply: (ins, params) => {
    const f = (xs: readonly NDArray[]): readonly NDArray[] => bind(primitive, xs, params);
    const axis = { size, name };
    const dims = ins.map(() => 0);
    const { outs, dims: outDims } = interpreters.batchCall(f, ins, dims, axis);
    return outs.map((y, i) => batchToFront(y, outDims[i]!, size));
  },
  ...rest,
});

const floats: readonly DType[] = ["float64", "float32"];
const each = (
  shape: fc.Arbitrary<readonly number[]>,
  params: (shape: readonly number[]) => fc.Arbitrary<unknown>,
  dtypes = floats,
): fc.Arbitrary<Sample> =>
  fc
    .tuple(shape, fc.constantFrom(...dtypes))
    .chain(([s, dtype]) => fc.tuple(arrays([size, ...s], dtype), params(s)).map(([x, p]) => ({ ins: [x], params: p })));
const some = shapes({ maxDims: 2, maxLength: 3 });
const even = fc.array(fc.constantFrom(2, 4), { minLength: 1, maxLength: 2 });
const pairs = fc.constantFrom([], [[0, 1]], [[1, 0]], [[0, 1], [1, 0]], [[0, 0]]); // prettier-ignore
const reduction = each(some, () => fc.constant({ axes: [name] }));

const doubled = (xs: readonly NDArray[]): readonly NDArray[] => {
  const x = host(xs[0]!);
  return [fromHost({ ...x, data: x.data.map((v) => 2 * v + 1) })];
};
const callback = (kind: "pure" | "debug"): fc.Arbitrary<Sample> =>
  fc
    .tuple(
      some,
      fc.constantFrom<DType>("float64", "int32"),
      fc.constantFrom("sequential", "broadcast_all", "expand_dims"),
    )
    .chain(([shape, dtype, vmapMethod]) =>
      arrays(shape, dtype).map((x) => ({
        ins: [x],
        params:
          kind === "pure"
            ? { kind, name: "doubled", call: doubled, outs: [new Aval(shape, dtype)], vmapMethod }
            : { kind, name: "look", call: () => [], outs: [], vmapMethod: null },
      })),
    );

export const generators: readonly Generator[] = [
  overAxis(lax.psumP, reduction),
  overAxis(
    lax.psumP,
    each(some, () => fc.constant({ axes: [name] }), ["int32", "complex64"]),
    { label: "other dtypes", smooth: false },
  ),
  overAxis(lax.pmaxP, reduction, { modes: "none" }),
  overAxis(lax.pminP, reduction, { modes: "none" }),
  {
    primitive: lax.axisIndexP,
    sample: fc.constant({ ins: [], params: { axis: name } }),
    apply: (_, params) => {
      const { outs } = interpreters.batchCall(() => bind(lax.axisIndexP, [], params), [], [], { size, name });
      return outs;
    },
  },
  overAxis(
    lax.allGatherP,
    each(some, (s) =>
      fc
        .tuple(fc.nat(s.length), fc.boolean())
        .map(([dimension, tiled]) => ({
          axis: name,
          size,
          dimension: Math.min(dimension, tiled ? s.length - 1 : s.length),
          tiled: tiled && s.length > 0,
        }))
        .map((p) => ({ ...p, dimension: Math.max(0, p.dimension) })),
    ),
  ),
  overAxis(
    lax.psumScatterP,
    each(even, (s) =>
      fc.nat(s.length - 1).map((dimension) => ({ axis: name, size, dimension, tiled: s[dimension] !== size })),
    ),
  ),
  overAxis(
    lax.ppermuteP,
    each(some, () => pairs.map((permutation) => ({ axis: name, permutation }))),
  ),
  overAxis(
    lax.allToAllP,
    each(even, (s) =>
      fc.tuple(fc.nat(s.length - 1), fc.nat(s.length - 1), fc.boolean()).map(([splitAxis, concatAxis, tiled]) => ({
        axis: name,
        size,
        splitAxis,
        concatAxis,
        tiled: tiled || s[splitAxis] !== size,
      })),
    ),
  ),
  { primitive: callbackP, label: "pure", sample: callback("pure"), modes: "none" },
  { primitive: callbackP, label: "debug", sample: callback("debug"), modes: "none" },
];
