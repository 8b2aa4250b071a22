/**
 * The mistakes people make with libraries like this one, provoked. Each entry is run by the test beside this file, which
 * checks the error's parts, and printed into docs/mistakes.md from the same run. `program` is what the reader sees, and
 * it is the program that runs: the function's own text.
 */
import {
  DTypeError,
  ShapeDtypeStruct,
  customJvp,
  customVjp,
  debug,
  grad,
  hessian,
  jit,
  jvp,
  lax,
  linearTranspose,
  nn,
  numpy as np,
  optim,
  random,
  tree,
  vjp,
  vmap,
} from "../../src/index.ts";
import type { NDArray } from "../../src/index.ts";

export interface Mistake {
  /** What the reader was doing. */
  readonly title: string;
  /** Section of the page. */
  readonly section: string;
  /** The program; must throw. */
  readonly program: () => unknown;
  /** The error's class and code. */
  readonly error: string;
  readonly code: string;
  /** Words that the parts must contain. */
  readonly what: readonly (string | RegExp)[];
  readonly why?: readonly (string | RegExp)[];
  readonly fix: readonly (string | RegExp)[];
  /** Text for the page, where the message alone does not say enough. */
  readonly note?: string;
  /** Whether the place is a line of the program (default) or cannot be. */
  readonly placed?: boolean;
}

// Programs are shown to readers as they stand, so they use few types.
/* eslint-disable @typescript-eslint/no-explicit-any */
type Any = any;

export const mistakes: readonly Mistake[] = [
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
    what: ["float32[3]", "jit(", "after", /made inside .* at .*mistakes\.ts:\d+/],
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

  // ------------------------------------------------------------------ derivatives
  {
    section: "Derivatives",
    title: "The gradient of something that is not a scalar",
    program: () => grad((x: NDArray) => x.mul(2))(np.ones([3])),
    error: "ShapeError",
    code: "NonScalarGradient",
    what: ["grad", "scalar", "(3,)"],
    why: ["single number"],
    fix: ["numpy.sum", "jacrev", "hasAux"],
  },
  {
    section: "Derivatives",
    title: "The gradient with respect to integers",
    program: () => grad((x: NDArray) => np.sum(x))(np.arange(3)),
    error: "DTypeError",
    code: "IntegerGradient",
    what: ["int32[3]", "argument 0"],
    fix: ["astype", "allowInt"],
  },
  {
    section: "Derivatives",
    title: "The gradient through a loop of unknown length",
    program: () =>
      grad((x: NDArray) =>
        lax.whileLoop(
          (y: NDArray) => np.less(y, 100),
          (y: NDArray) => y.mul(x),
          x,
        ),
      )(np.array(2)),
    error: "DifferentiationError",
    code: "ReverseWhile",
    what: ["whileLoop", "reverse mode"],
    why: ["number of steps"],
    fix: ["lax.scan", "foriLoop"],
  },
  {
    section: "Derivatives",
    title: "Forward mode through a reverse-mode rule",
    program: () => {
      const f = customVjp((x: NDArray) => x.mul(x));
      f.defvjp(
        (x: NDArray) => [x.mul(x), x],
        (x: NDArray, ct: NDArray) => [ct.mul(x).mul(2)],
      );
      return jvp(f, [np.array(1)], [np.array(1)]);
    },
    error: "DifferentiationError",
    code: "ForwardModeCustomVjp",
    what: ["forward mode", "reverse-mode rule"],
    fix: ["customJvp"],
  },
  {
    section: "Derivatives",
    title: "A custom function without its rule",
    program: () => customJvp((x: NDArray) => x.mul(x))(np.array(1)),
    error: "TransformError",
    code: "NoCustomRule",
    what: ["customJvp", "no rule"],
    fix: ["defjvp"],
  },
  {
    section: "Derivatives",
    title: "A backward rule with the wrong number of cotangents",
    program: () => {
      const f = customVjp((x: NDArray, y: NDArray) => x.mul(y));
      f.defvjp(
        (x: NDArray, y: NDArray) => [x.mul(y), [x, y]],
        (_: Any, ct: NDArray) => [ct],
      );
      return grad(f)(np.array(1), np.array(2));
    },
    error: "ArgumentError",
    code: "BwdResult",
    what: ["list of 2 cotangents", "array of 1"],
    fix: ["null stands for zero"],
  },
  {
    section: "Derivatives",
    title: "A cotangent of the wrong shape",
    program: () => {
      const [, pull] = vjp((x: NDArray) => x.mul(2), np.ones([3]));
      return pull(np.ones([2]));
    },
    error: "DTypeError",
    code: "TangentType",
    what: ["float32[2]", "float32[3]"],
    fix: ["float32[3]"],
  },
  {
    section: "Derivatives",
    title: "Transposing a function that is not linear",
    program: () => linearTranspose((x: NDArray) => np.sin(x), new ShapeDtypeStruct([2], "float32"))(np.ones([2])),
    error: "DifferentiationError",
    code: "NotLinear",
    what: ["sin", "not linear"],
    fix: ["vjp"],
  },
  {
    section: "Derivatives",
    title: "Second derivatives through a JavaScript callback",
    program: () =>
      hessian((x: NDArray) => lax.pureCallback((v: NDArray) => Math.sin(v.item() as number), x, x) as NDArray)(
        np.array(1),
      ),
    error: "DifferentiationError",
    code: "CallbackDerivative",
    what: ["callback"],
    fix: ["customJvp"],
  },

  // ------------------------------------------------------------------ NaN
  {
    section: "NaN",
    title: "A NaN in the forward computation",
    program: () => debug.debugNans(() => jit((x: NDArray) => np.sum(np.log(x)))(np.array([1, -1]))),
    error: "NaNError",
    code: "NaN",
    what: ["NaN", "log"],
    fix: ["where", "before"],
  },
  {
    section: "NaN",
    title: "A NaN only in the gradient, through where",
    program: () => debug.debugNans(() => grad((x: NDArray) => np.where(np.greater(x, 0), np.sqrt(x), 0))(np.array(0))),
    error: "NaNError",
    code: "NaN",
    what: ["NaN", /backward pass|mul|div/],
    why: ["operands were free of NaN"],
    fix: ["numpy.where(x > 0, x, 1)"],
    note: "Both halves of `where` are computed and differentiated. Guard the operand as well: `where(x > 0, sqrt(where(x > 0, x, 1)), 0)`. NaN that never reaches a result is not reported.",
  },

  // ------------------------------------------------------------------ control flow
  {
    section: "Loops and branches",
    title: "A carry that changes its shape",
    program: () =>
      lax.scan(
        (c: Any, x: NDArray) => [{ h: np.concatenate([c.h, x.reshape(1)]), n: c.n }, null],
        { h: np.zeros([1]), n: np.zeros([2]) },
        np.ones([3]),
      ),
    error: "ControlFlowError",
    code: "CarryMismatch",
    what: ["scan", ".h", "float32[1]", "float32[2]"],
    why: ["traced once"],
    fix: ["initial carry"],
  },
  {
    section: "Loops and branches",
    title: "A carry that changes its dtype",
    program: () => lax.foriLoop(0, 3, (_: NDArray, x: NDArray) => x.mul(0.5), np.array([1, 2], { dtype: "int32" })),
    error: "ControlFlowError",
    code: "CarryMismatch",
    what: ["int32[2]", "float32[2]"],
    fix: ["astype"],
  },
  {
    section: "Loops and branches",
    title: "Branches of different types",
    program: () =>
      lax.cond(
        true,
        (x: NDArray): Any => ({ y: x }),
        (x: NDArray): Any => ({ y: x.astype("int32") }),
        np.ones([2]),
      ),
    error: "ControlFlowError",
    code: "BranchMismatch",
    what: ["cond", ".y", "int32[2]", "float32[2]"],
    fix: ["convert"],
  },
  {
    section: "Loops and branches",
    title: "A body that returns only the carry",
    program: () => lax.scan((c: NDArray, x: NDArray) => c.add(x) as Any, np.array(0), np.ones([3])),
    error: "ArgumentError",
    code: "ScanBodyResult",
    what: ["[carry, y]"],
    fix: ["list of two"],
  },
  {
    section: "Loops and branches",
    title: "A predicate with several elements",
    program: () =>
      lax.cond(
        np.array([true, false]),
        (x: NDArray) => x,
        (x: NDArray) => x.neg(),
        np.array(1),
      ),
    error: "ControlFlowError",
    code: "Predicate",
    what: ["cond", "scalar", "bool[2]"],
    fix: ["numpy.where", "vmap"],
  },

  // ------------------------------------------------------------------ vmap
  {
    section: "Mapping",
    title: "Mapped axes of different lengths",
    program: () => vmap((x: NDArray, y: NDArray) => x.add(y))(np.ones([3, 2]), np.ones([4, 2])),
    error: "BatchingError",
    code: "MappedSizes",
    what: ["argument 0", "length 3", "argument 1", "length 4"],
    fix: ["null in inAxes"],
  },
  {
    section: "Mapping",
    title: "Mapping a scalar",
    program: () => vmap((x: NDArray, y: NDArray) => x.mul(y))(np.ones([3]), np.array(2)),
    error: "BatchingError",
    code: "MappedAxisRange",
    what: ["argument 1", "()"],
    fix: ["null in inAxes"],
  },
  {
    section: "Mapping",
    title: "A collective without its axis",
    program: () => lax.psum(np.ones([3]), "batch"),
    error: "TransformError",
    code: "UnboundAxisName",
    what: ['"batch"'],
    fix: ["axisName"],
  },
  {
    section: "Mapping",
    title: "A callback that does not know about batches",
    program: () =>
      vmap(
        (x: NDArray) =>
          lax.pureCallback(
            (v: NDArray) => Math.sin(v.item() as number),
            new ShapeDtypeStruct([], "float32"),
            x,
          ) as NDArray,
      )(np.ones([3])),
    error: "BatchingError",
    code: "CallbackVmap",
    what: ["pureCallback", "vmapMethod"],
    fix: ["sequential"],
  },

  // ------------------------------------------------------------------ arrays
  {
    section: "Arrays",
    title: "Assigning to an element",
    program: () => {
      const x = np.zeros([3]) as Any;
      x[0] = 1;
      return x;
    },
    error: "ArgumentError",
    code: "ArrayAssignment",
    what: ["x[0]"],
    why: ["immutable"],
    fix: ["x.at(0).set("],
  },
  {
    section: "Arrays",
    title: "Using an argument after it was donated",
    program: () => {
      const x = np.ones([3]);
      jit((y: NDArray) => y.add(1), { donateArgnums: 0 })(x);
      return x.add(1);
    },
    error: "DeviceError",
    code: "ArrayGone",
    what: ["float32[3]", "donated"],
    fix: ["donateArgnums"],
  },
  {
    section: "Arrays",
    title: "A device that does not exist",
    program: () => np.zeros([1]).add(new DTypeError("x", { what: "", why: "", fix: "" }) as Any),
    error: "ArgumentError",
    code: "NotArrayLike",
    what: ["add", "DTypeError"],
    fix: ["numpy.array"],
  },

  // ------------------------------------------------------------------ random numbers
  {
    section: "Random numbers",
    title: "A number where a key is needed",
    program: () => random.normal(42 as Any, [3]),
    error: "ArgumentError",
    code: "NotAKey",
    what: ["normal", "key"],
    fix: ["random.key("],
  },
  {
    section: "Random numbers",
    title: "Using a key twice",
    program: () =>
      debug.debugKeyReuse(() => {
        const key = random.key(0);
        const noise = random.normal(key, [2]);
        return noise.add(random.uniform(key, [2]));
      }),
    error: "TransformError",
    code: "KeyReuse",
    what: ["key", "twice"],
    why: ["same numbers"],
    fix: ["random.split"],
  },
  {
    section: "Random numbers",
    title: "Arithmetic on a key",
    program: () => np.add(random.key(0), 1),
    error: "DTypeError",
    code: "KeyArithmetic",
    what: ["key"],
    fix: ["keyData"],
  },

  // ------------------------------------------------------------------ training
  {
    section: "Training",
    title: "Parameters forgotten in an update that needs them",
    program: () => {
      const optimizer = optim.adamw(1e-3);
      const params = { w: np.ones([2]) };
      return (optimizer.update as Any)(params, optimizer.init(params));
    },
    error: "ArgumentError",
    code: "MissingParams",
    what: ["params"],
    fix: ["update(grads, state, params)"],
  },
  {
    section: "Training",
    title: "An activation applied to something that is not an array",
    program: () => nn.relu("x" as Any),
    error: "ArgumentError",
    code: "NotArrayLike",
    what: ["relu", '"x"'],
    fix: ["numpy.array"],
  },
];
