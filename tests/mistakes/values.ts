/** Mistakes with values: traced ones, trees, shapes and dtypes. */
import { customJvp, grad, jit, numpy as np, tree } from "../../src/index.ts";
import type { NDArray } from "../../src/index.ts";
import type { Mistake } from "./mistake.ts";

// Programs are shown to readers as they stand, so they use few types.
/* eslint-disable @typescript-eslint/no-explicit-any */
type Any = any;

export const mistakesWithValues: readonly Mistake[] = [
  // ------------------------------------------------------------------ values that are not there
  {
    section: "Traced values",
    title: "Keeping a traced value in an outer variable",
    program: () => {
      let kept: NDArray = np.zeros([3]);
      const f = jit((x: NDArray) => {
        kept = x.mul(2);
        return np.sum(x);
      });
      f(np.ones([3]));
      return kept.add(1);
    },
    error: "LeakedTracerError",
    code: "LeakedTracer",
    what: ["float32[3]", "jit(", "after", /made inside .* at .*values\.ts:\d+/],
    why: ["pure"],
    fix: ["return the value", "hasAux"],
  },
  {
    section: "Traced values",
    title: "Branching on a traced value",
    program: () => jit((x: Any) => (x > 0 ? x : x.neg()))(np.array(1)),
    error: "ConcretizationError",
    code: "ArrayCoercion",
    what: ["traced float32[]", "comparison"],
    why: ["only shapes and dtypes are known"],
    fix: ["numpy.where", "lax.cond", "static"],
    note: "In JavaScript an object is always truthy, so `if (x)` and `x ? a : b` cannot be trapped: they always take the first branch. Comparisons are functions here (`numpy.greater(x, 0)`) and give arrays; never branch on an array.",
  },
  {
    section: "Traced values",
    title: "Arithmetic operators on an array",
    program: () => (np.array([1, 2]) as Any) + 1,
    error: "ConcretizationError",
    code: "ArrayCoercion",
    what: ["float32[2]", "plain number"],
    why: ["operators"],
    fix: ["x.add(y)"],
  },
  {
    section: "Traced values",
    title: "Math functions on an array",
    program: () => grad((x: Any) => Math.sin(x) as Any)(np.array(0.5)),
    error: "ConcretizationError",
    code: "ArrayCoercion",
    what: ["float32[]", "plain number"],
    fix: ["methods or functions"],
  },
  {
    section: "Traced values",
    title: "Reading a value inside jit",
    program: () => jit((x: NDArray) => x.mul(x.item() as number))(np.array(3)),
    error: "ConcretizationError",
    code: "TracedRead",
    what: ["item", "traced float32[]"],
    why: ["shapes and dtypes"],
    fix: ["debug.print"],
  },
  {
    section: "Traced values",
    title: "A shape that depends on values, inside jit",
    program: () => jit((x: NDArray) => np.nonzero(x))(np.array([1, 0, 2])),
    error: "ConcretizationError",
    code: "DataDependentShape",
    what: ["nonzero"],
    fix: ["size"],
  },
  {
    section: "Traced values",
    title: "An async function",
    program: () => jit((async (x: NDArray) => Promise.resolve(x)) as Any)(np.array(1)),
    error: "TransformError",
    code: "AsyncFunction",
    what: ["async", "promise"],
    why: ["synchronously"],
    fix: ["pass it as an argument"],
  },
  {
    section: "Traced values",
    title: "Using a traced value of a custom rule's surroundings",
    program: () => {
      const outer = (a: NDArray): NDArray => {
        const f = customJvp((x: NDArray) => x.mul(a));
        f.defjvp(([x]: [NDArray], [dx]: [NDArray]) => [f(x), dx.mul(a)]);
        return jit((x: NDArray) => f(x))(a);
      };
      return grad(outer)(np.array(2));
    },
    error: "DifferentiationError",
    code: "CapturedDerivative",
    what: ["captured"],
    fix: ["pass the value as an argument", "stopGradient"],
  },

  // ------------------------------------------------------------------ arguments
  {
    section: "Arguments and trees",
    title: "A string among the arguments",
    program: () => jit((p: Any) => p.w)({ w: np.ones([2]), activation: { name: "relu" } }),
    error: "TreeError",
    code: "BadLeaf",
    what: ["argument 0", ".activation.name", '"relu"'],
    why: ["trees of arrays"],
    fix: ["staticArgnums"],
  },
  {
    section: "Arguments and trees",
    title: "An array for a static argument",
    program: () => jit((x: NDArray, n: Any) => x.mul(n), { staticArgnums: [1] })(np.ones([2]), np.array(3)),
    error: "ArgumentError",
    code: "StaticArray",
    what: ["argument 1", "static"],
    fix: ["staticArgnums"],
  },
  {
    section: "Arguments and trees",
    title: "Calling a function instead of passing it",
    program: () => grad(np.sum(np.ones([2])) as Any),
    error: "ArgumentError",
    code: "NotAFunction",
    what: ["grad", "expected a function"],
    fix: ["grad(f)(x)"],
  },
  {
    section: "Arguments and trees",
    title: "A misspelt option",
    program: () => np.sum(np.ones([2, 2]), { axes: 0 } as Any),
    error: "ArgumentError",
    code: "UnknownOption",
    what: ["sum", '"axes"'],
    fix: ["axis", "keepdims"],
  },
  {
    section: "Arguments and trees",
    title: "Passing a function to Array.map, which adds arguments",
    program: () => [np.ones([2, 3]), np.ones([2, 3])].map(np.sum as Any),
    error: "ArgumentError",
    code: "SurplusArgument",
    what: ["sum"],
    fix: ["by name"],
  },
  {
    section: "Arguments and trees",
    title: "Trees that do not match",
    program: () =>
      tree.map((a: NDArray, b: NDArray) => a.add(b), { w: np.ones([2]), b: np.ones([2]) }, { w: np.ones([2]) }),
    error: "TreeError",
    code: "TreeMismatch",
    what: ["differ", "keys"],
    fix: ["same structure"],
    placed: true,
  },
  {
    section: "Arguments and trees",
    title: "A ragged list",
    program: () => np.array([[1, 2], [3]]),
    error: "ShapeError",
    code: "RaggedArray",
    what: ["ragged", "[1]"],
    fix: ["pad the rows"],
  },

  // ------------------------------------------------------------------ shapes and dtypes
  {
    section: "Shapes and dtypes",
    title: "Matrices that do not fit",
    program: () => np.matmul(np.ones([32, 128]), np.ones([64, 10])),
    error: "ShapeError",
    code: "ContractionMismatch",
    what: ["matmul", "128", "64"],
    fix: [/transpose|reshape/],
  },
  {
    section: "Shapes and dtypes",
    title: "Shapes that do not broadcast",
    program: () => np.add(np.ones([3]), np.ones([4])),
    error: "ShapeError",
    code: "BroadcastMismatch",
    what: ["add", "(3,)", "(4,)"],
    why: ["aligned from the last"],
    fix: ["expandDims"],
  },
  {
    section: "Shapes and dtypes",
    title: "An axis that is not there",
    program: () => np.sum(np.ones([2, 3]), 2),
    error: "IndexError",
    code: "AxisOutOfRange",
    what: ["sum", "axis 2", "2 axes"],
    fix: ["-2 to 1"],
  },
  {
    section: "Shapes and dtypes",
    title: "A reshape that changes the number of elements",
    program: () => np.ones([2, 3]).reshape(4, 2),
    error: "ShapeError",
    code: "ReshapeSize",
    what: ["reshape", "(2, 3)", "(4, 2)"],
    fix: ["-1"],
  },
  {
    section: "Shapes and dtypes",
    title: "A dtype that does not exist",
    program: () => np.zeros([2], { dtype: "float23" as Any }),
    error: "DTypeError",
    code: "UnknownDType",
    what: ['"float23"'],
    fix: ["float32"],
  },
  {
    section: "Shapes and dtypes",
    title: "64-bit integers that do not fit in 32 bits",
    program: () => np.array(BigInt64Array.of(5_000_000_000n, -1n)),
    error: "DTypeError",
    code: "IntegerTooWide",
    what: ["5000000000", "32 bits"],
    fix: ["Float64Array"],
  },
];
