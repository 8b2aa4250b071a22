/** Random programs with checks: checkified ones against a plain loop in JavaScript that stops at the first failure. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type NDArray, checkify, checkpoint, customJvp, jit, jvp, lax, numpy as np, vmap } from "../../src/index.ts";
import { holds } from "../properties.ts";

type Statement =
  | { readonly op: "add" | "mul"; readonly by: number }
  | { readonly op: "check"; readonly below: number; readonly id: number }
  | { readonly op: "cond"; readonly yes: Program; readonly no: Program }
  | { readonly op: "scan" | "fori"; readonly times: number; readonly body: Program }
  | { readonly op: "while"; readonly times: number; readonly below: number; readonly body: Program }
  | { readonly op: "jit" | "checkpoint" | "customJvp"; readonly body: Program };
type Program = readonly Statement[];

class Failure extends Error {
  readonly id: number | string;
  readonly x: number;
  constructor(id: number | string, x: number) {
    super("a check failed");
    this.id = id;
    this.x = x;
  }
}

/** The meaning, in float32. */
function run(program: Program, start: number): number {
  let x = start;
  for (const s of program)
    switch (s.op) {
      case "add":
        x = Math.fround(x + s.by);
        break;
      case "mul":
        x = Math.fround(x * s.by);
        break;
      case "check":
        if (!(x < s.below)) throw new Failure(s.id, x);
        break;
      case "cond":
        x = run(x > 0 ? s.yes : s.no, x);
        break;
      case "scan":
      case "fori":
        for (let k = 0; k < s.times; k++) x = run(s.body, x);
        break;
      case "while":
        for (let k = 0; ; k++) {
          if (!(x < s.below)) throw new Failure("while", x);
          if (k >= s.times) break;
          x = run(s.body, x);
        }
        break;
      default:
        x = run(s.body, x);
    }
  return x;
}

/** The same program for the library; without its checks if `checks` is false. */
function build(program: Program, checks: boolean): (x: NDArray) => NDArray {
  const parts = program.map((s): ((x: NDArray) => NDArray) => {
    const say = (x: NDArray, below: number, id: number | string): void => {
      if (checks) checkify.check(np.less(x, below), `check ${id}: {}`, x);
    };
    switch (s.op) {
      case "add":
        return (x) => x.add(s.by);
      case "mul":
        return (x) => x.mul(s.by);
      case "check":
        return (x) => (say(x, s.below, s.id), x);
      case "cond": {
        const [yes, no] = [build(s.yes, checks), build(s.no, checks)];
        return (x) => lax.cond(np.greater(x, 0), yes, no, x);
      }
      case "scan": {
        const body = build(s.body, checks);
        return (x) => lax.scan((c: NDArray) => [body(c), c] as const, x, null, { length: s.times })[0];
      }
      case "fori": {
        const body = build(s.body, checks);
        return (x) => lax.foriLoop(0, s.times, (_, c: NDArray) => body(c), x);
      }
      case "while": {
        const body = build(s.body, checks);
        return (x) =>
          lax.whileLoop(
            ([k, c]: NDArray[]) => (say(c!, s.below, "while"), np.less(k!, s.times)),
            ([k, c]: NDArray[]) => [k!.add(1), body(c!)],
            [np.array(0, { dtype: "int32" }), x],
          )[1]!;
      }
      case "jit":
        return jit(build(s.body, checks));
      case "checkpoint":
        return checkpoint(build(s.body, checks));
      case "customJvp": {
        const [body, plain] = [build(s.body, checks), build(s.body, false)];
        const f = customJvp(body);
        f.defjvp(([x]: [NDArray], [t]: [NDArray]) => jvp(plain, [x], [t]) as never);
        return f;
      }
    }
  });
  return (x) => parts.reduce((y, part) => part(y), x);
}

const { program } = fc.letrec<{ program: Program; statement: Statement }>((tie) => {
  const body = tie("program");
  const times = fc.integer({ min: 0, max: 3 });
  const below = fc.constantFrom(-1, 0, 1, 2, 4, 8);
  return {
    program: fc.array(tie("statement"), { minLength: 1, maxLength: 3 }),
    statement: fc.oneof(
      { maxDepth: 3, depthSize: "small" },
      fc.record({ op: fc.constantFrom("add" as const, "mul" as const), by: fc.constantFrom(-2, -1, 0.5, 1, 2) }),
      fc.record({ op: fc.constant("check" as const), below, id: fc.nat(99) }),
      fc.record({ op: fc.constant("check" as const), below, id: fc.nat(99) }),
      fc.record({ op: fc.constant("cond" as const), yes: body, no: body }),
      fc.record({ op: fc.constantFrom("scan" as const, "fori" as const), times, body }),
      fc.record({ op: fc.constant("while" as const), times, below, body }),
      fc.record({ op: fc.constantFrom("jit" as const, "checkpoint" as const, "customJvp" as const), body }),
    ),
  };
});
const start = fc.integer({ min: -6, max: 6 }).map((k) => k / 2);

/** What the program gives: its value, or the message of the first check that fails. */
function expected(p: Program, x: number): { readonly value: number } | { readonly message: string } {
  try {
    return { value: run(p, x) };
  } catch (failure) {
    if (!(failure instanceof Failure)) throw failure;
    return { message: `check ${failure.id}: ${np.array(failure.x).toString()} (\`check\` failed)` };
  }
}
const scalar = (x: number): NDArray => np.array(x, { dtype: "float32" });

describe("random programs", () => {
  test("checkify tells of the first failing check, with jit outside and without", () =>
    holds(60, [program, start], (p, x) => {
      const want = expected(p, x);
      const f = checkify.checkify(build(p, true));
      for (const g of [f, jit(f)]) {
        const [error, y] = g(scalar(x));
        expect(error.get()).toBe("message" in want ? want.message : null);
        if ("value" in want) expect(y.item()).toBe(want.value);
      }
    }));

  test("a mapped error tells of each example as if it ran alone", () =>
    holds(40, [program, fc.array(start, { minLength: 1, maxLength: 4 })], (p, xs) => {
      const lines = xs.flatMap((x, i) => {
        const want = expected(p, x);
        return "message" in want ? [`at mapped index ${i}: ${want.message}`] : [];
      });
      const [error] = vmap(checkify.checkify(build(p, true)))(np.array(xs));
      expect(error.get()).toBe(lines.length ? lines.join("\n") : null);
    }));

  test("derivatives are those of the program without checks", () =>
    holds(30, [program, start], (p, x) => {
      const checked = checkify.checkify(build(p, true));
      const [[error, y], [, dy]] = jvp(checked, [scalar(x)], [scalar(1)]);
      const [z, dz] = jvp(build(p, false), [scalar(x)], [scalar(1)]);
      const want = expected(p, x);
      expect(error.get()).toBe("message" in want ? want.message : null);
      expect([y.item(), dy.item()]).toEqual([z.item(), dz.item()]);
    }));
});
