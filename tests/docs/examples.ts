/**
 * Examples in doc comments: found with the TypeScript parser, run as programs, and compared with what their trailing
 * comments promise (`np.sum(np.array([1, 2])) // 3`, `f(-1) // throws NaNError`).
 */
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { runInThisContext } from "node:vm";
import ts from "typescript";

export interface Example {
  readonly file: string;
  /** The documented name. */
  readonly name: string;
  readonly code: string;
}

/** One statement and the comment behind it. */
export interface Step {
  readonly code: string;
  readonly isExpression: boolean;
  readonly comment: string | null;
}

const sources = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true })
    .flatMap((e) => (e.isDirectory() ? sources(join(folder, e.name)) : [join(folder, e.name)]))
    .filter((f) => f.endsWith(".ts"))
    .sort();

const parse = (name: string, text: string): ts.SourceFile =>
  ts.createSourceFile(name, text, ts.ScriptTarget.ES2022, true, ts.ScriptKind.TS);

const nameOf = (node: ts.Node): string => {
  if (ts.isVariableStatement(node)) return node.declarationList.declarations.map((d) => d.name.getText()).join(", ");
  return (node as { name?: ts.Node }).name?.getText() ?? "(anonymous)";
};

/** All examples under a folder. */
export function examples(folder: string): Example[] {
  return sources(folder).flatMap((file) => {
    const found: Example[] = [];
    const visit = (node: ts.Node): void => {
      for (const doc of ts.getJSDocCommentsAndTags(node))
        if (ts.isJSDoc(doc))
          for (const tag of doc.tags ?? [])
            if (tag.tagName.text === "example") {
              const text = ts.getTextOfJSDocComment(tag.comment) ?? "";
              found.push({ file, name: nameOf(node), code: text.replace(/^```\w*\n|\n?```$/g, "").trim() });
            }
      if (
        ts.isSourceFile(node) ||
        ts.isInterfaceDeclaration(node) ||
        ts.isClassDeclaration(node) ||
        ts.isModuleBlock(node)
      )
        ts.forEachChild(node, visit);
    };
    visit(parse(file, readFileSync(file, "utf8")));
    // A comment on an overload list is reported once per declaration that shares it.
    return found.filter((e, i) => found.findIndex((f) => f.code === e.code && f.name === e.name) === i);
  });
}

/** The statements of an example. */
export function steps(code: string): Step[] {
  const file = parse("example.ts", code);
  return file.statements.map((s) => {
    const [range] = ts.getTrailingCommentRanges(code, s.end) ?? [];
    const comment = range ? code.slice(range.pos + 2, range.end).trim() : null;
    const isExpression = ts.isExpressionStatement(s);
    return {
      code: ts
        .transpile(isExpression ? s.expression.getText() : s.getText(), { target: ts.ScriptTarget.ES2022 })
        .replace(/^"use strict";\s*/, "")
        .replace(/^"use strict";/, "")
        .trim()
        .replace(/;$/, ""),
      isExpression,
      comment,
    };
  });
}

/** What a comment promises: an error's name, a JavaScript value, or nothing that can be checked. */
export type Promised = { readonly throws: string } | { readonly value: unknown } | null;

const LITERAL = /^[\s\d.,+\-eE[\]{}:"'\w()]*$/;

export function promiseOf(comment: string | null): Promised {
  if (comment === null) return null;
  const thrown = /^throws (\w+)/.exec(comment);
  if (thrown) return { throws: thrown[1]! };
  if (!LITERAL.test(comment)) return null;
  try {
    // Comments are part of this repository's own sources.
    return { value: runInThisContext(`(${comment})`) as unknown };
  } catch {
    return null;
  }
}
