/** The registry sweep, first half: inference, compilation, mapping and dead code of every primitive. */
import { describe, test } from "vitest";
import { holds } from "../properties.ts";
import { checkDeadCode, checkDevice, checkInference, checkJit, checkVmap } from "./checks.ts";
import { generators, titleOf } from "./registry.ts";

const carriesJaxprs = generators.filter((g) => g.primitive.subJaxprs);

describe("results are as inferred", () => {
  test.each(generators.map((g) => [titleOf(g), g] as const))("%s", (_, g) =>
    holds(30, [g.sample], (s) => checkInference(g, s)),
  );
});
describe("jit equals eager to the bit", () => {
  test.each(generators.map((g) => [titleOf(g), g] as const))("%s", (_, g) =>
    holds(12, [g.sample], (s) => checkJit(g, s)),
  );
});
describe("the device that compiles equals the reference", () => {
  test.each(generators.map((g) => [titleOf(g), g] as const))("%s", (_, g) =>
    holds(12, [g.sample], (s) => checkDevice(g, s)),
  );
});
describe("vmap equals a loop", () => {
  test.each(generators.map((g) => [titleOf(g), g] as const))("%s", (_, g) =>
    holds(20, [g.sample], (s) => checkVmap(g, s)),
  );
});
describe("results that nobody needs can go", () => {
  test.each(carriesJaxprs.map((g) => [titleOf(g), g] as const))("%s", (_, g) =>
    holds(15, [g.sample], (s) => checkDeadCode(g, s)),
  );
});
