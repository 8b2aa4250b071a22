/** The page docs/mistakes.md, made from a run of the mistakes. */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { CotangentError } from "../../src/index.ts";
import type { Mistake } from "./mistake.ts";
import { mistakes } from "./mistakes.ts";

/** What a mistake's program threw. */
export function provoke(m: Mistake): CotangentError {
  try {
    m.program();
  } catch (error) {
    if (error instanceof CotangentError) return error;
    throw error;
  }
  throw new Error(`${m.title}: nothing was thrown`);
}

/** Places are lines of this repository; readers see a file of their own. */
const anonymous = (text: string): string =>
  text.replace(/(?:[\w.-]*\/)*(?:values|programs)\.ts:\d+:\d+/g, "yourFile.ts");

/** The programs as written, by title: what the parser finds in the two lists. */
function programTexts(): ReadonlyMap<string, string> {
  const texts = new Map<string, string>();
  for (const name of ["values.ts", "programs.ts"]) {
    const text = readFileSync(join(dirname(fileURLToPath(import.meta.url)), name), "utf8");
    const visit = (node: ts.Node): void => {
      if (ts.isObjectLiteralExpression(node)) {
        const field = (key: string): ts.Expression | undefined =>
          node.properties.filter(ts.isPropertyAssignment).find((p) => p.name.getText() === key)?.initializer;
        const [title, program] = [field("title"), field("program")];
        if (title && ts.isStringLiteral(title) && program && ts.isArrowFunction(program))
          texts.set(title.text, programText(program));
      }
      ts.forEachChild(node, visit);
    };
    visit(ts.createSourceFile(name, text, ts.ScriptTarget.ES2022, true));
  }
  return texts;
}

/** The body of an arrow function, flush left, without the casts that only these lists need. */
function programText(f: ts.ArrowFunction): string {
  const body = ts.isBlock(f.body) ? f.body.getText().slice(1, -1) : `    ${f.body.getText()};`;
  const lines = body.split("\n").filter((l) => l.trim() !== "");
  const indent = Math.min(...lines.map((l) => l.length - l.trimStart().length));
  return lines
    .map((l, i) =>
      i === 0 && !ts.isBlock(f.body) ? l.trimStart() : l.slice(Math.min(indent, l.length - l.trimStart().length)),
    )
    .join("\n")
    .replace(/ as Any|: Any/g, "");
}

export function mistakesPage(): string {
  const programs = programTexts();
  const sections = [...new Set(mistakes.map((m) => m.section))];
  const lines = [
    "# Mistakes, and what you are told",
    "",
    "Every error says what went wrong, where in your file, why, and how to fix it. This page is generated from a run that",
    "provokes them: `npm run docs`. The parts are data too: `error.problem.what`, `.where`, `.why`, `.fix`, and `error.code`.",
  ];
  for (const section of sections) {
    lines.push("", `## ${section}`);
    for (const m of mistakes.filter((x) => x.section === section)) {
      const { problem, name } = provoke(m);
      lines.push(
        "",
        `### ${m.title}`,
        "",
        "```ts",
        programs.get(m.title)!,
        "```",
        "",
        `\`${name}\`, code \`${problem.code}\`:`,
        "",
        "```text",
        anonymous(`${problem.what}\n  at: ${problem.where}\n  why: ${problem.why}\n  fix: ${problem.fix}`),
        "```",
      );
      if (m.note) lines.push("", m.note);
    }
  }
  return `${lines.join("\n")}\n`;
}
