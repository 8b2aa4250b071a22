/** The page docs/mistakes.md, made from a run of the mistakes. */
import { CotangentError } from "../../src/index.ts";
import { type Mistake, mistakes } from "./mistakes.ts";

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

/** Places are lines of this repository; readers see the file's name alone. */
const anonymous = (text: string): string => text.replace(/(?:[\w.-]*\/)*mistakes\.ts:\d+:\d+/g, "yourFile.ts");

export function mistakesPage(): string {
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
        `\`${name}\`, code \`${problem.code}\``,
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
