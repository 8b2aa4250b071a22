import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type NDArray,
  ShapeDtypeStruct,
  TransformError,
  checkify,
  checkpoint,
  customVjp,
  disableJit,
  evalShape,
  grad,
  jit,
  lax,
  makeJaxpr,
  numpy as np,
  random,
  tree,
  vmap,
} from "../../src/index.ts";
import { holds } from "../properties.ts";

const positive = (x: NDArray): NDArray => {
  checkify.check(np.greater(x, 0), "must be positive, is {}", x);
  return np.log(x);
};
const int = (x: number | number[]): NDArray => np.array(x, { dtype: "int32" });
/** The message of a function's error under some checks. */
const message = (
  f: (...args: never[]) => unknown,
  errors: Iterable<checkify.ErrorCategory>,
  ...args: unknown[]
): string | null => {
  const checked = checkify.checkify(f as (...args: unknown[]) => unknown, errors);
  const direct = checked(...args)[0].get();
  expect(jit(checked)(...args)[0].get()).toBe(direct);
  return direct;
};

/** The gradient of a function that gives an error beside its value. */
const gradWithError = (f: (x: NDArray) => [NDArray, checkify.Error]): ((x: NDArray) => [NDArray, checkify.Error]) =>
  grad(f as never, { hasAux: true }) as never;

describe("check outside of checkify", () => {
  test("throws at once where it is evaluated, also in vmap and grad and with jit off", () => {
    expect(positive(np.array(1)).item()).toBe(0);
    for (const f of [positive, grad(positive), disableJit.bind(null, () => jit(positive)(np.array(-2)))])
      expect(() => (f as typeof positive)(np.array(-2))).toThrow(/must be positive, is -2\. \(`check` failed\)/);
    expect(() => vmap(positive)(np.array([1, -2, -3]))).toThrow(/is -2\./);
    expect(() => positive(np.array(-2))).toThrow(checkify.JaxRuntimeError);
  });

  test("is refused in compiled programs, with a way out", () => {
    expect(() => jit(positive)(np.array(1))).toThrow(TransformError);
    expect(() => jit(positive)(np.array(1))).toThrow(/checkify\.checkify\(f\)/);
    const loop = (x: NDArray): NDArray => lax.foriLoop(0, 3, (_, c: NDArray) => positive(c), x);
    expect(() => loop(np.array(1))).toThrow(/part of a program that is compiled/);
  });

  test("debugCheck does nothing until it is checkified", () => {
    const f = (x: NDArray): NDArray => {
      checkify.debugCheck(np.less(x, 0), "not negative");
      return x.mul(2);
    };
    expect([f(np.array(1)).item(), jit(f)(np.array(1)).item()]).toEqual([2, 2]);
    expect(message(f, checkify.userChecks, np.array(1))).toBe("not negative (`check` failed)");
  });

  test("mistakes are reported where they are made", () => {
    expect(() => checkify.check(np.array([true, false]), "x")).toThrow(/must be a boolean scalar/);
    expect(() => checkify.check(np.array(1), "x")).toThrow(/numpy\.all/);
    expect(() => checkify.check(true, "{} and {}", 1)).toThrow(/2 places \{\} for 1 argument/);
    expect(() => checkify.check(true, "{name}", { other: 1 })).toThrow(/names name, which are not given/);
    expect(() => checkify.check(true, 3 as never)).toThrow(/the message is the number 3/);
    expect(() => checkify.check(true, "{}", random.key(0))).toThrow(/keyData/);
    expect(() => checkify.checkError({} as never)).toThrow(/expected an error value/);
    expect(() => checkify.checkify(positive, ["nans" as never])).toThrow(/is not a kind of checks/);
    expect(() => checkify.checkify(positive, { error: [] } as never)).toThrow(/unknown option "error"/);
  });
});

describe("errors", () => {
  test("read, thrown, and told with values and the user's line", async () => {
    const [error, y] = checkify.checkify(positive)(np.array(-2));
    expect(Number.isNaN(y.item())).toBe(true);
    expect(await error.getAsync()).toBe(error.get());
    expect(() => error.throw_()).toThrow(/checkify\.test\.ts:\d+/);
    expect(() => error.throw()).toThrow(checkify.JaxRuntimeError);
    expect(String(error)).toBe("Error(must be positive, is -2. (`check` failed))");
    const [fine] = checkify.checkify(positive)(np.array(2));
    expect([fine.get(), fine.getException(), String(fine)]).toEqual([null, null, "Error(no error)"]);
    fine.throw_();
    expect(checkify.initError.get()).toBeNull();
  });

  test("messages show trees, names, braces and arrays of several dtypes", () => {
    const f = (x: NDArray): NDArray => {
      checkify.check(np.less(x, 0), "{{{}}} {n} {}", { a: x, b: [np.array([1, 2])] }, np.array([true, false]), {
        n: int(3),
      });
      return x;
    };
    expect(message(f, checkify.userChecks, np.array(1.5))).toBe(
      "{{ a: 1.5, b: [[1. 2.]] }} 3 [ true false] (`check` failed)",
    );
  });

  test("are trees: through jit, scan and tree.map, and unreadable inside", () => {
    const safe = checkify.checkify(positive);
    const [, errors] = lax.scan((c: NDArray, x: NDArray) => [c, safe(x)[0]] as const, 0, np.array([1, -1, -2]));
    expect(errors.get()).toBe(
      "at mapped index 1: must be positive, is -1. (`check` failed)\nat mapped index 2: must be positive, is -2. (`check` failed)",
    );
    const [error] = safe(np.array(-1));
    expect(tree.map((x: NDArray) => x, error)).toBeInstanceOf(checkify.Error);
    expect(() => jit((x: NDArray) => (safe(x)[0].get(), x))(np.array(1))).toThrow(/return the error/);
    expect(String(evalShape(safe, new ShapeDtypeStruct([], "float32"))[1])).toMatch(/float32/);
  });

  test("two mapped axes", () => {
    const [error] = vmap(vmap(checkify.checkify(positive)))(
      np.array([
        [1, -1],
        [2, 3],
      ]),
    );
    expect(error.get()).toBe("at mapped index 0, 1: must be positive, is -1. (`check` failed)");
  });

  test("checkError throws outside, and joins the error of a checkified caller", () => {
    const safe = jit(checkify.checkify(positive));
    const outer = (x: NDArray): NDArray => {
      checkify.check(np.less(x, 9), "too large: {}", x);
      const [error, y] = safe(x);
      checkify.checkError(error);
      return y;
    };
    expect(() => outer(np.array(-2))).toThrow(/is -2\./);
    expect(message(outer, checkify.userChecks, np.array(-2))).toBe("must be positive, is -2. (`check` failed)");
    expect(message(outer, checkify.userChecks, np.array(10))).toBe("too large: 10. (`check` failed)");
    expect(message(outer, checkify.userChecks, np.array(2))).toBeNull();
    const mapped = (x: NDArray): void => checkify.checkError(vmap(checkify.checkify(positive))(x)[0]);
    expect(() => mapped(np.array([1, -2, -3]))).toThrow(/is -2\./);
    expect(message(mapped as never, checkify.userChecks, np.array([1, -2, -3]))).toMatch(/is -2\./);
  });
});

describe("checkify", () => {
  test("the earliest check wins, in time and then by example", () => {
    const f = (x: NDArray): NDArray => {
      checkify.check(np.less(x, 3), "first {}", x);
      checkify.check(np.less(x, 1), "second {}", x);
      return x;
    };
    expect(message(f, checkify.userChecks, np.array(2))).toBe("second 2. (`check` failed)");
    expect(message(f, checkify.userChecks, np.array(4))).toBe("first 4. (`check` failed)");
    expect(message(vmap(f) as never, checkify.userChecks, np.array([2, 5, 4]))).toBe("first 5. (`check` failed)");
    expect(message(vmap(f) as never, checkify.userChecks, np.zeros([0]))).toBeNull();
  });

  test("inside grad, checkpoint and custom rules, and around them", () => {
    const id = customVjp((x: NDArray) => positive(x));
    id.defvjp(
      (x: NDArray) => [np.log(x), x],
      (x: NDArray, ct: NDArray) => [ct.div(x)],
    );
    for (const f of [grad(positive), grad(checkpoint(positive)), checkpoint(positive), jit(positive), id])
      expect(message(f as never, checkify.userChecks, np.array(-2))).toBe("must be positive, is -2. (`check` failed)");
    for (const f of [positive, id, jit(positive), checkpoint(positive)]) {
      const both = (x: NDArray): [NDArray, checkify.Error] => {
        const [error, y] = checkify.checkify(f)(x);
        return [y, error];
      };
      const [dx, error] = gradWithError(both)(np.array(-2));
      expect(dx.item()).toBe(-0.5);
      expect(error.get()).toBe("must be positive, is -2. (`check` failed)");
    }
  });

  test("a custom rule whose function checks a captured value", () => {
    const f = (limit: NDArray, x: NDArray): NDArray => {
      const g = customVjp((y: NDArray) => (checkify.check(np.less(y, limit), "{} of {}", y, limit), y.mul(y)));
      g.defvjp(
        (y: NDArray) => [y.mul(y), y],
        (y: NDArray, ct: NDArray) => [ct.mul(y).mul(3)],
      );
      return g(x);
    };
    const both = (limit: NDArray, x: NDArray): [NDArray, checkify.Error] => {
      const [error, y] = checkify.checkify(f)(limit, x);
      return [y, error];
    };
    const [dx, error] = jit(gradWithError((x: NDArray) => both(np.array(2), x)))(np.array(4));
    expect([dx.item(), error.get()]).toEqual([12, "4. of 2. (`check` failed)"]);
  });

  test("a program without checks is left as it is", () => {
    const f = (x: NDArray): NDArray => lax.scan((c: NDArray, y: NDArray) => [c.mul(y), c], 1, x)[0];
    expect(String(makeJaxpr((x: NDArray) => checkify.checkify(f)(x)[1])(np.ones(3)))).toBe(
      String(makeJaxpr(f)(np.ones(3))),
    );
  });

  test("a jitted function is checked once: its checked form is compiled once", () => {
    const checked = checkify.checkify(jit(positive));
    const form = (): unknown =>
      (makeJaxpr((x: NDArray) => checked(x)[1])(np.array(1)).eqns[0]!.params as { jaxpr: unknown }).jaxpr;
    expect(form()).toBe(form());
  });

  test("checks inside functions that cannot pass them on are refused", () => {
    const f = (b: NDArray): unknown =>
      lax.customLinearSolve(
        (x: NDArray) => (checkify.check(np.less(x, 1e9), "large"), x.mul(2)),
        b,
        (_: unknown, y: NDArray) => y.div(2),
      );
    expect(() => checkify.checkify(f)(np.array(2))).toThrow(/a check stands inside a function given to/);
  });
});

describe("automatic checks", () => {
  const { nanChecks, divChecks, indexChecks, floatChecks, automaticChecks, allChecks, userChecks } = checkify;

  test("NaN: named after the operation that made it; infinities and integers pass", () => {
    expect(message(np.sin, nanChecks, np.array(Infinity))).toBe("nan generated by primitive: sin");
    expect(message((x: NDArray) => np.sum(np.log(x)), nanChecks, np.array([1, -1]))).toBe(
      "nan generated by primitive: log",
    );
    expect(message(np.log, nanChecks, np.array(0))).toBeNull();
    expect(message((x: NDArray) => x.mul(2), nanChecks, int(3))).toBeNull();
    expect(message(np.sin, userChecks, np.array(Infinity))).toBeNull();
    expect(message((x: NDArray) => x.reshape([1]), nanChecks, np.array(NaN))).toBe(
      "nan generated by primitive: reshape",
    );
    expect(message(grad(np.sqrt as never), floatChecks, np.array(-1))).toBe("nan generated by primitive: sqrt");
  });

  test("NaN in loops, branches and custom functions", () => {
    const loop = (x: NDArray): NDArray => lax.foriLoop(0, 4, (_, c: NDArray) => np.log(c), x);
    expect(message(loop, nanChecks, np.array(0.5))).toBe("nan generated by primitive: log");
    const half = (x: NDArray): NDArray => lax.cond(np.greater(x, 0), np.log, (y: NDArray) => y, x);
    expect([message(half, nanChecks, np.array(2)), message(half, nanChecks, np.array(-2))]).toEqual([null, null]);
  });

  test("division by zero, of floats and integers", () => {
    expect(message(np.divide, divChecks, np.array(1), np.array([1, 0]))).toBe("division by zero");
    expect(message(lax.div, divChecks, int(1), int(0))).toBe("division by zero");
    expect(message(np.divide, divChecks, np.array(1), np.array(2))).toBeNull();
    expect(message(np.divide, nanChecks, np.array(1), np.array(0))).toBeNull();
    expect(message(np.divide, floatChecks, np.array(0), np.array(0))).toBe("division by zero");
    expect(message(np.divide, automaticChecks, np.array(1), np.array(0))).toBe("division by zero");
  });

  test("indices against a plain comparison: gather, scatter, dynamicSlice, dynamicUpdateSlice", () =>
    holds(
      20,
      [fc.integer({ min: -6, max: 6 }), fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 2 })],
      (i, n, w) => {
        const x = np.ones([2, n]);
        const says = (axis: number, index: number): string =>
          `out-of-bounds indexing for array of shape (2, ${n}): index ${index} is out of bounds for axis ${axis} with size ${n}.`;
        const raw = i < 0 ? i + n : i; // numpy indices count from the end
        const inside = raw >= 0 && raw < n;
        expect(message((a: NDArray, k: NDArray) => a.slice([], k), indexChecks, x, int(i))).toBe(
          inside ? null : says(1, raw),
        );
        expect(message((a: NDArray, k: NDArray) => a.at([], k).set(0), indexChecks, x, int([i, 0]))).toBe(
          inside ? null : says(1, raw),
        );
        if (w > n) return;
        const fits = i >= 0 && i + w <= n;
        const cut = (a: NDArray, k: NDArray): NDArray => lax.dynamicSlice(a, [0, k], [1, w]);
        const paste = (a: NDArray, k: NDArray): NDArray => lax.dynamicUpdateSlice(a, np.zeros([1, w]), [0, k]);
        // dynamicSlice counts negative indices from the end, too.
        const at = i < 0 ? i + n : i;
        for (const f of [cut, paste]) {
          const got = message(f, indexChecks, x, int(i));
          expect(got).toBe((i < 0 ? at >= 0 && at + w <= n : fits) ? null : says(1, at));
        }
      },
    ));

  test("small and unsigned index dtypes, several axes, the first bad one in row-major order", () => {
    const x = np.ones([300, 3]);
    const at = (dtype: "int8" | "uint8" | "uint32", i: number): NDArray => np.array([i], { dtype });
    expect(message((a: NDArray, k: NDArray) => np.take(a, k, 0), indexChecks, x, at("uint8", 255))).toBeNull();
    expect(message((a: NDArray, k: NDArray) => np.take(a, k, 0), indexChecks, x, at("int8", 127))).toBeNull();
    expect(
      message((a: NDArray, i: NDArray, j: NDArray) => a.slice(i, j), indexChecks, x, int([0, 1, 400]), int([2, 5, 1])),
    ).toMatch(/index 5 is out of bounds for axis 1 with size 3/);
  });

  test("all checks on a function without mistakes stay silent, values and gradients unchanged", () => {
    const f = (x: NDArray): NDArray => {
      const y = np.where(np.greater(x, 0), np.sqrt(np.abs(x)), 0);
      return np.sum(np.cumsum(np.matmul(y.reshape([2, 2]), np.eye(2)))).div(np.size(x));
    };
    const x = np.array([1, 2, 3, 4]);
    const [error, g] = jit(checkify.checkify(grad(f), allChecks))(x);
    expect(error.get()).toBeNull();
    expect(g.js()).toEqual(grad(f)(x).js());
  });
});
