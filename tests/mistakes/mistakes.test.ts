import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { mistakes } from "./mistakes.ts";
import { mistakesPage, provoke } from "./page.ts";

const matches = (text: string, pattern: string | RegExp): void => {
  if (typeof pattern === "string") expect(text).toContain(pattern);
  else expect(text).toMatch(pattern);
};

describe("mistakes", () => {
  for (const m of mistakes)
    test(m.title, () => {
      const error = provoke(m);
      expect(error.name).toBe(m.error);
      expect(error.code).toBe(m.code);
      const { what, where, why, fix } = error.problem;
      for (const p of m.what) matches(what, p);
      for (const p of m.why ?? []) matches(why, p);
      for (const p of m.fix) matches(fix, p);
      expect(why.length).toBeGreaterThan(10);
      expect(fix.length).toBeGreaterThan(10);
      // The place is a line of the program, not one of the library.
      expect(where).toMatch(/tests\/mistakes\/(values|programs)\.ts:\d+:\d+$/);
      // Nobody wants to read a wall of numbers.
      expect(error.message.length).toBeLessThan(1500);
      expect(error.message).toContain(what);
      expect(error.message).toContain(fix);
    });

  test("titles are distinct", () => {
    expect(new Set(mistakes.map((m) => m.title)).size).toBe(mistakes.length);
  });

  test("the page in docs is the one this run makes", () => {
    expect(readFileSync("docs/mistakes.md", "utf8")).toBe(mistakesPage());
  });
});
