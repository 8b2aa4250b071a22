import { describe, expect, test } from "vitest";
import { examples } from "./examples.ts";
import { run } from "./runExample.ts";

describe("examples in doc comments", () => {
  const all = examples("src");
  let checked = 0;
  for (const e of all)
    test(`${e.file}: ${e.name}`, async () => {
      // Every example runs twice on the same inputs: nothing is consumed.
      await run(e.code);
      checked += await run(e.code);
    });
  test("there are many, and most promise a value", () => {
    expect(all.length).toBeGreaterThan(60);
    expect(checked).toBeGreaterThan(all.length / 2);
  });
});
