import { readFileSync } from "node:fs";
import ts from "typescript";
import { expect, test } from "vitest";
import * as cotangent from "../../src/index.ts";

const readme = readFileSync("README.md", "utf8");

test("the program of the README runs and says what it promises", async () => {
  const [, code] = /```ts\n([\s\S]*?)```/.exec(readme) ?? [];
  expect(code).toBeDefined();
  const body = ts
    .transpile(code!, { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext })
    .replace(/^import .*$/gm, "")
    .replace(/^export .*$/gm, "");
  const lines: unknown[][] = [];
  const scope = { ...cotangent, np: cotangent.numpy, console: { log: (...xs: unknown[]) => lines.push(xs) } };
  const AsyncFunction = (async () => {}).constructor as new (
    ...args: string[]
  ) => (...args: unknown[]) => Promise<void>;
  await new AsyncFunction(...Object.keys(scope), body)(...Object.values(scope));
  const [[fitted]] = lines as [[number[]]];
  [1, -2, 0.5].forEach((w, i) => expect(fitted[i]).toBeCloseTo(w, 2));
});

test("every link to a page of this repository leads somewhere", () => {
  for (const [, path] of readme.matchAll(/\]\(((?!http)[^)#]+)\)/g)) expect(() => readFileSync(path!)).not.toThrow();
});
