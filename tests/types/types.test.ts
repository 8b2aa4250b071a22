/** Compiles the type tests, and looks at the text of one error. */
import { join } from "node:path";
import { expect, test } from "vitest";
import { root, typeErrors } from "../support/typeErrors.ts";

const wrong = join(root, "tests/types/wrong.ts");
const program = `
  import type { NDArray } from "../../src/core/ndarray.ts";
  import { grad } from "../../src/transforms/gradient.ts";
  interface Config { readonly w: NDArray; readonly optimizer: { readonly name: string } }
  grad((c: Config) => c.w);
`;

test("the type tests compile, and a string leaf is named in the error", () => {
  const errors = typeErrors([join(root, "tests/types/transforms.ts")], { [wrong]: program });
  expect(errors.filter((e) => !e.startsWith(wrong))).toEqual([]);
  const mine = errors.filter((e) => e.startsWith(wrong));
  expect(mine).toHaveLength(1);
  expect(mine[0]).toContain("wrong.ts:5:");
  expect(mine[0]).toContain('"a pytree leaf must be an array or a number, but found": string');
}, 120_000);
