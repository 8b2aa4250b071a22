/** Compiles the type tests, and looks at the text of one error. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "../..");
const { config } = ts.readConfigFile(join(root, "tsconfig.json"), (path) => readFileSync(path, "utf8")) as {
  config: object;
};
const { options } = ts.parseJsonConfigFileContent({ ...config, include: [], files: [] }, ts.sys, root);

/** Errors of files, some of which need not exist. */
function errorsIn(paths: readonly string[], virtual: Readonly<Record<string, string>> = {}): string[] {
  const host = ts.createCompilerHost({ ...options, noEmit: true });
  const { readFile, fileExists, getSourceFile } = host;
  host.fileExists = (path) => path in virtual || fileExists.call(host, path);
  host.readFile = (path) => virtual[path] ?? readFile.call(host, path);
  host.getSourceFile = (path, version, ...rest) =>
    path in virtual
      ? ts.createSourceFile(path, virtual[path]!, version)
      : getSourceFile.call(host, path, version, ...rest);
  const program = ts.createProgram([...paths, ...Object.keys(virtual)], options, host);
  const files = [...paths, ...Object.keys(virtual)].map((path) => program.getSourceFile(path)!);
  return files.flatMap((file) =>
    [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)].map((d) => {
      const { line } = file.getLineAndCharacterOfPosition(d.start ?? 0);
      return `${file.fileName}:${line + 1}: ${ts.flattenDiagnosticMessageText(d.messageText, "\n")}`;
    }),
  );
}

const wrong = join(root, "tests/types/wrong.ts");
const program = `
  import type { NDArray } from "../../src/core/ndarray.ts";
  import { grad } from "../../src/transforms/gradient.ts";
  interface Config { readonly w: NDArray; readonly optimizer: { readonly name: string } }
  grad((c: Config) => c.w);
`;

test("the type tests compile, and a string leaf is named in the error", () => {
  const errors = errorsIn([join(root, "tests/types/transforms.ts")], { [wrong]: program });
  expect(errors.filter((e) => !e.startsWith(wrong))).toEqual([]);
  const mine = errors.filter((e) => e.startsWith(wrong));
  expect(mine).toHaveLength(1);
  expect(mine[0]).toContain("wrong.ts:5:");
  expect(mine[0]).toContain('"a pytree leaf must be an array or a number, but found": string');
}, 120_000);
