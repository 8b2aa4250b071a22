/** The measured part of docs/performance.md. The prose around it is written by hand, in the page. */
import { type Outcome, type Race, coresOf, isMet, milliseconds, outcomeOf, ratio } from "./report.ts";

const [BEGIN, END] = ["<!-- measured: npm run bench speed -- --all --write -->", "<!-- end of measured -->"];

const cell = (outcome: Outcome): string =>
  outcome.kind === "time" ? milliseconds(outcome.milliseconds) : outcome.kind === "none" ? "–" : outcome.kind;

function table({ machine, rows }: Race): string {
  const names = machine.libraries.map(({ name }) => name);
  const body = rows.map((row) => {
    const found = ratio(row, names[0]!);
    const judged = found === null ? "–" : isMet(row, found) ? found.toFixed(2) : `**${found.toFixed(2)}**`;
    return [row.workload, ...names.map((name) => cell(outcomeOf(row, name))), judged, String(row.target ?? "–")];
  });
  const head = ["workload", ...names, "ratio", "target"];
  const text = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [text(head), text(["---", ...head.slice(1).map(() => "---:")]), ...body.map(text)].join("\n");
}

function section(race: Race): string {
  const { runtime, engine, processor, cores, relaxedSimd, libraries } = race.machine;
  const ours = libraries[0]!.features;
  return `### ${runtime}${ours.includes("wide") ? ", wide vectors" : ""}

${engine}, relaxed SIMD: ${relaxedSimd ? "yes" : "no"}; ${cores} cores of ${processor}.

${libraries.map(({ name, version, features }) => `- ${name} ${version}: ${features}; at most ${coresOf(race.rows, name).toFixed(1)} cores busy`).join("\n")}

${table(race)}`;
}

/** The page with its measured part replaced. */
export function withRaces(page: string, races: readonly Race[], date: Date): string {
  const [from, to] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`docs/performance.md lacks the lines ${BEGIN} and ${END}`);
  const measured = [`Measured on ${date.toISOString().slice(0, 10)}; medians in milliseconds.`, ...races.map(section)];
  return `${page.slice(0, from)}${BEGIN}\n${measured.join("\n\n")}\n${page.slice(to)}`;
}
