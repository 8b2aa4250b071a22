/** What TypeScript says about files, some of which need not exist. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";

export const root = join(import.meta.dirname, "../..");
const { config } = ts.readConfigFile(join(root, "tsconfig.json"), (path) => readFileSync(path, "utf8")) as {
  config: object;
};
const { options } = ts.parseJsonConfigFileContent({ ...config, include: [], files: [] }, ts.sys, root);

/**
 * Errors of files as `path:line: text`.
 * @param virtual texts by path, in place of files or besides them.
 * @param other options that differ from those of this repository.
 */
export function typeErrors(
  paths: readonly string[],
  virtual: Readonly<Record<string, string>> = {},
  other: ts.CompilerOptions = {},
): string[] {
  const all = { ...options, ...other };
  const host = ts.createCompilerHost({ ...all, noEmit: true });
  const { readFile, fileExists, getSourceFile } = host;
  host.fileExists = (path) => path in virtual || fileExists.call(host, path);
  host.readFile = (path) => virtual[path] ?? readFile.call(host, path);
  host.getSourceFile = (path, version, ...rest) =>
    path in virtual
      ? ts.createSourceFile(path, virtual[path]!, version)
      : getSourceFile.call(host, path, version, ...rest);
  const program = ts.createProgram([...paths, ...Object.keys(virtual)], all, host);
  const files = [...paths, ...Object.keys(virtual)].map((path) => program.getSourceFile(path)!);
  return files.flatMap((file) =>
    [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)].map((d) => {
      const { line } = file.getLineAndCharacterOfPosition(d.start ?? 0);
      return `${file.fileName}:${line + 1}: ${ts.flattenDiagnosticMessageText(d.messageText, "\n")}`;
    }),
  );
}
