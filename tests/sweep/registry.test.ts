/** Every primitive has a generator, and every generator a primitive. */
import { readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { rooms } from "./generators.ts";
import { generators, primitives, titleOf } from "./registry.ts";

const src = join(import.meta.dirname, "../../src");
const sources = (folder: string): string[] =>
  readdirSync(folder).flatMap((f) => {
    const path = join(folder, f);
    return statSync(path).isDirectory() ? sources(path) : path.endsWith(".ts") ? [path] : [];
  });

describe("the registry", () => {
  test("has every file of generators", () => {
    const files = readdirSync(import.meta.dirname).filter((f) => f.endsWith(".gen.ts"));
    expect(Object.keys(rooms).map((name) => `${name}.gen.ts`)).toEqual(files.sort());
  });

  test.each(primitives.map((p) => [p.name, p] as const))("%s has a generator", (_, primitive) => {
    expect(generators.some((g) => g.primitive === primitive)).toBe(true);
  });

  test.each(generators.map((g) => [titleOf(g), g] as const))("the generator of %s is of a known primitive", (_, g) => {
    expect(primitives).toContain(g.primitive);
  });

  test("names are unique", () => {
    const names = primitives.map((p) => p.name);
    expect(names.filter((n, i) => names.indexOf(n) !== i)).toEqual([]);
  });

  test("titles are unique", () => {
    const titles = generators.map(titleOf);
    expect(titles.filter((t, i) => titles.indexOf(t) !== i)).toEqual([]);
  });

  test("no primitive is defined outside of the lists", () => {
    // Names in definitions, where they are written out; rule builders take them as `name` or as first argument.
    const defined = sources(src)
      .flatMap((file) =>
        [...readFileSync(file, "utf8").matchAll(/export const (\w+P)\b[^;]*?=\s*\/\* @__PURE__ \*\//g)].map(
          (m) => m[1]!,
        ),
      )
      .filter((name, i, all) => all.indexOf(name) === i);
    expect(defined.length).toBeGreaterThan(100);
    expect(defined.length - primitives.length).toBeLessThanOrEqual(0);
  });
});
