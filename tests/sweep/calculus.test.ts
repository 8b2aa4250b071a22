/** The registry sweep, second half: derivatives of every primitive, in both modes and to second order. */
import { describe, test } from "vitest";
import { holds } from "../properties.ts";
import { checkForward, checkReverse } from "./checks.ts";
import { generators, titleOf } from "./registry.ts";

describe("forward mode agrees with finite differences, twice", () => {
  test.each(generators.map((g) => [titleOf(g), g] as const))("%s", (_, g) =>
    holds(25, [g.sample], (s) => checkForward(g, s)),
  );
});
describe("reverse mode agrees with forward mode, twice", () => {
  test.each(generators.map((g) => [titleOf(g), g] as const))("%s", (_, g) =>
    holds(25, [g.sample], (s) => checkReverse(g, s)),
  );
});
