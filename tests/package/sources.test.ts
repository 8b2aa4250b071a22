/**
 * Properties of the source files themselves: their size, and that any file of lax can be the first to be imported.
 */
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import ts from "typescript";
import { expect, test } from "vitest";
import { root, run } from "./consumer.ts";

const filesUnder = (folder: string): readonly string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => `${folder}/${name}`);

const textOf = (file: string): string => readFileSync(join(root, file), "utf8");

test("no source file is longer than 600 lines", () => {
  const lines = (file: string): number => textOf(file).trimEnd().split("\n").length;
  expect(filesUnder("src").filter((file) => lines(file) > 600)).toEqual([]);
});

/** The source files with their types erased, one by one, where Node finds what they import. */
function eraseTypes(folder: string): void {
  const { ES2022: target } = ts.ScriptTarget;
  const compilerOptions = { target, module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true };
  for (const file of filesUnder("src")) {
    const options = { compilerOptions: { ...compilerOptions, rewriteRelativeImportExtensions: true } };
    const path = join(folder, file.replace(/\.ts$/, ".js"));
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, ts.transpileModule(textOf(file), options).outputText);
  }
  writeFileSync(join(folder, "package.json"), `{ "type": "module" }`);
}

// Families of lax import each other in circles. That is sound only as long as nothing at the top of a file needs a value
// from another family; whether it does shows when that file comes first. Bundlers and vitest's own loader let a constant
// be read too early, as undefined; Node does not, hence one Node for each file.
test("every file of lax can be imported first", { timeout: 120_000 }, async () => {
  const folder = join(root, "node_modules", ".cache", "cotangent-import-first");
  rmSync(folder, { recursive: true, force: true });
  eraseTypes(folder);
  const failures: string[] = [];
  const waiting = [...filesUnder("src/lax")];
  const importNext = async (): Promise<void> => {
    for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
      const path = join(folder, file.replace(/\.ts$/, ".js"));
      await run(process.execPath, [path], folder).catch((error: unknown) => failures.push(`${file}: ${String(error)}`));
    }
  };
  await Promise.all([importNext(), importNext()]);
  expect(failures).toEqual([]);
  rmSync(folder, { recursive: true });
});
