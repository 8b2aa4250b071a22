/** What a race found, and how it is said in a line. */

export type Outcome =
  | { readonly kind: "time"; readonly milliseconds: number; readonly cores: number; readonly difference: number }
  | { readonly kind: "differs"; readonly absolute: number; readonly relative: number }
  | { readonly kind: "cannot"; readonly reason: string }
  /** The library has no program for the workload. */
  | { readonly kind: "none" };

export interface Entry {
  readonly library: string;
  readonly outcome: Outcome;
}

export interface Row {
  readonly workload: string;
  readonly target: number | null;
  readonly entries: readonly Entry[];
}

export interface Machine {
  readonly runtime: string;
  readonly engine: string;
  readonly processor: string;
  readonly cores: number;
  readonly relaxedSimd: boolean;
  /** Ours first. */
  readonly libraries: readonly { readonly name: string; readonly version: string; readonly features: string }[];
  readonly missing: readonly string[];
}

export interface Race {
  readonly machine: Machine;
  readonly rows: readonly Row[];
}

export const outcomeOf = (row: Row, library: string): Outcome =>
  row.entries.find((e) => e.library === library)?.outcome ?? { kind: "none" };

/** Whether a ratio reaches the target of its row; one without a target asks for nothing. */
export const isMet = ({ target }: Row, found: number): boolean => target === null || found <= target;

/** Our time over that of the fastest peer; null if no peer has a time. */
export function ratio({ entries }: Row, ours: string): number | null {
  const times = (mine: boolean): number[] =>
    entries.flatMap(({ library, outcome }) =>
      (library === ours) === mine && outcome.kind === "time" ? [outcome.milliseconds] : [],
    );
  const [own, peers] = [times(true), times(false)];
  return own.length === 0 || peers.length === 0 ? null : own[0]! / Math.min(...peers);
}

export const milliseconds = (x: number): string => (x < 10 ? x.toFixed(2) : x < 100 ? x.toFixed(1) : x.toFixed(0));

export function machineLines({
  runtime,
  engine,
  processor,
  cores,
  relaxedSimd,
  libraries,
  missing,
}: Machine): string[] {
  return [
    `${runtime}, ${engine}, ${cores} cores of ${processor}, relaxed SIMD: ${relaxedSimd ? "yes" : "no"}`,
    ...libraries.map(({ name, version, features }) => `  ${name} ${version}: ${features}`),
    ...(missing.length > 0 ? [`  not installed, hence not compared: ${missing.join(", ")} (see bench/peers.ts)`] : []),
    `${"medians in ms".padEnd(38)}${libraries.map(({ name }) => name.padStart(18)).join("")}   ratio to the best`,
  ];
}

/** The widest share of cores that a library kept busy: in how many threads it really runs. */
export function coresOf(rows: readonly Row[], library: string): number {
  const all = rows.flatMap((row) => {
    const outcome = outcomeOf(row, library);
    return outcome.kind === "time" && outcome.milliseconds > 2 ? [outcome.cores] : [];
  });
  return Math.max(0, ...all);
}

export function line(row: Row, { libraries }: Machine): string {
  const notes: string[] = [];
  const cells = libraries.map(({ name }) => {
    const outcome = outcomeOf(row, name);
    switch (outcome.kind) {
      case "time":
        return milliseconds(outcome.milliseconds);
      case "differs":
        notes.push(`${name} by ${outcome.absolute.toExponential(1)}, of the greatest ${outcome.relative.toExponential(1)}`); // prettier-ignore
        return "differs";
      case "cannot":
        notes.push(`${name}: ${outcome.reason}`);
        return "cannot";
      case "none":
        return "–";
    }
  });
  const found = ratio(row, libraries[0]!.name);
  const target = row.target === null ? "" : `  target ${row.target}: ${found !== null && isMet(row, found) ? "met" : "MISSED"}`; // prettier-ignore
  const judged = found === null ? "–" : `${found.toFixed(2)}${target}`;
  return `${row.workload.padEnd(38)}${cells.map((c) => c.padStart(18)).join("")}   ${judged}${notes.map((n) => `\n    ${n}`).join("")}`; // prettier-ignore
}
