/** Mistakes with programs: derivatives, NaN, control flow, mapping, ownership, random numbers, training. */
import {
  ShapeDtypeStruct,
  customJvp,
  customVjp,
  defaultDevice,
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
  vjp,
  vmap,
} from "../../src/index.ts";
import type { NDArray } from "../../src/index.ts";
import type { Mistake } from "./mistake.ts";

// Programs are shown to readers as they stand, so they use few types.
/* eslint-disable @typescript-eslint/no-explicit-any */
type Any = any;

export const mistakesWithPrograms: readonly Mistake[] = [
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
    program: () => defaultDevice("tpu"),
    error: "DeviceError",
    code: "UnknownDevice",
    what: ['"tpu"'],
    why: ["cpu"],
    fix: ['defaultDevice("wasm")'],
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
    code: "NoParams",
    what: ["without the parameters"],
    fix: ["update(gradients, state, params)"],
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
