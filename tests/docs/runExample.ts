/** Runs examples and compares what their statements give with what the comments behind them promise. */
import { expect } from "vitest";
import * as cotangent from "../../src/index.ts";
import * as notebook from "../../src/notebook/index.ts";
import * as testing from "../../src/testing/index.ts";
import { promiseOf, steps } from "./examples.ts";

const { NDArray, numpy, tree } = cotangent;
const scope: Record<string, unknown> = { ...testing, ...notebook, ...cotangent, notebook, np: numpy };

/** Arrays as plain values. */
const plain = (x: unknown): unknown =>
  tree.map(
    (leaf: unknown) =>
      leaf instanceof NDArray ? leaf.js() : leaf instanceof cotangent.ShapeDtypeStruct ? String(leaf) : leaf,
    x,
  );

function expectClose(got: unknown, want: unknown): void {
  if (typeof want === "number" && typeof got === "number") {
    if (Number.isFinite(want))
      expect(Math.abs(got - want), `${got} for ${want}`).toBeLessThanOrEqual(1e-4 * Math.max(1, Math.abs(want)));
    else expect(got).toBe(want);
  } else if (Array.isArray(want)) {
    expect(Array.isArray(got) ? got.length : got).toBe(want.length);
    want.forEach((w, i) => expectClose((got as unknown[])[i], w));
  } else if (typeof want === "object" && want !== null) {
    expect(Object.keys(got as object).sort()).toEqual(Object.keys(want).sort());
    for (const [k, w] of Object.entries(want)) expectClose((got as Record<string, unknown>)[k], w);
  } else expect(got).toEqual(want);
}

/** Runs a program; gives how many of its promises were checked. */
export async function run(code: string): Promise<number> {
  let checked = 0;
  const check = (value: () => unknown, comment: string): void => {
    const promised = promiseOf(comment);
    if (promised && "throws" in promised) {
      let name = "nothing thrown";
      try {
        value();
      } catch (error) {
        name = (error as Error).name;
      }
      expect(name).toBe(promised.throws);
      checked++;
      return;
    }
    const got = value();
    if (!promised) return;
    expectClose(plain(got), promised.value);
    checked++;
  };
  const body = steps(code)
    .map((s) =>
      s.isExpression && s.comment !== null ? `__check(() => (${s.code}), ${JSON.stringify(s.comment)});` : `${s.code};`,
    )
    .join("\n");
  const names = Object.keys(scope);
  const AsyncFunction = (async () => {}).constructor as new (
    ...args: string[]
  ) => (...args: unknown[]) => Promise<void>;
  // In a block of its own: a program may call something by the name of a room.
  await new AsyncFunction(...names, "__check", "console", `{\n${body}\n}`)(...names.map((n) => scope[n]), check, {
    log: () => {},
  });
  return checked;
}
