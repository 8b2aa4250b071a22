/**
 * Retraces: why a jitted function was traced again. A miss is compared with the nearest earlier signature; five misses
 * from one line within a second are worth a warning, because they usually mean a loop that compiles every time.
 */
import { type Aval, avalsEqual } from "../core/aval.ts";
import { modes } from "../core/modes.ts";
import { NDArray } from "../core/ndarray.ts";
import type { NamedAxis } from "../core/trace.ts";
import { type TreeDef, describeValue, keyString, structurallyEqual, treeDifferences } from "../core/tree.ts";
import { warnOnce } from "../core/warn.ts";

/** The components of a call that select a program. */
export interface Signature {
  readonly defs: readonly TreeDef[];
  readonly statics: readonly unknown[];
  readonly avals: readonly Aval[];
  readonly axes: readonly NamedAxis[];
}

/** The differences to the earlier signature that has the fewest. */
export function explainMiss(earlier: readonly Signature[], now: Signature): string[] {
  const all = earlier.map((e) => differences(e, now));
  return all.reduce((best, d) => (d.length < best.length ? d : best));
}

function differences(before: Signature, now: Signature): string[] {
  const lines: string[] = [];
  if (before.defs.length !== now.defs.length)
    lines.push(`the number of arguments: ${before.defs.length} before, ${now.defs.length} now`);
  else {
    now.statics.forEach((s, i) => {
      if (!structurallyEqual(s, before.statics[i])) lines.push(staticDifference(i, before.statics[i], s));
    });
    let same = true;
    now.defs.forEach((d, i) => {
      if (d.equals(before.defs[i]!)) return;
      same = false;
      lines.push(...treeDifferences(before.defs[i]!, d).map((l) => `the structure of argument ${i}: ${l}`));
    });
    if (same) lines.push(...avalDifferences(before, now));
  }
  const axes = (s: Signature): string => s.axes.map((a) => `${a.name}=${a.size}`).join(", ") || "none";
  if (axes(before) !== axes(now)) lines.push(`the named axes in scope: ${axes(before)} before, ${axes(now)} now`);
  return lines.length ? lines : ["a value captured from a transformation that has ended"];
}

function staticDifference(i: number, before: unknown, now: unknown): string {
  const text = (x: unknown): string =>
    typeof x === "object" && x !== null && !(x instanceof NDArray)
      ? (JSON.stringify(x) ?? describeValue(x))
      : describeValue(x);
  const hint =
    typeof before === "function" && typeof now === "function"
      ? " (functions are compared by identity: define it once, outside the loop)"
      : "";
  return `static argument ${i}: ${text(before)} before, ${text(now)} now${hint}`;
}

function avalDifferences(before: Signature, now: Signature): string[] {
  const lines: string[] = [];
  let leaf = 0;
  now.defs.forEach((d, i) => {
    for (const path of d.paths()) {
      const [a, b] = [before.avals[leaf]!, now.avals[leaf]!];
      leaf++;
      if (avalsEqual(a, b)) continue;
      const what =
        a.dtype === b.dtype && a.weakType === b.weakType ? "shape" : avalsEqual(a, b, true) ? "weak type" : "type";
      const weak = (x: Aval): string => `${String(x)}${x.weakType ? " (weak)" : ""}`;
      lines.push(
        `the ${what} of argument ${i}${path.length ? ` at ${keyString(path)}` : ""}: ${weak(a)} before, ${weak(b)} now`,
      );
    }
  });
  return lines;
}

const WARN_AFTER = 5;
const WINDOW_MILLISECONDS = 1000;

interface Trace {
  readonly time: number;
  /** Null where none was before it: telling the place takes long, and one trace is no reason for a warning. */
  readonly place: string | null;
}
/** Traces of the last second by what was traced, first traces of new functions included. */
const recent = new Map<string, Trace[]>();

/** Calls `warn` if this is one of many traces from one place. */
function countRecent(key: string, where: () => string, warn: (count: number, place: string) => void): void {
  const now = Date.now();
  const traces = (recent.get(key) ?? []).filter((t) => now - t.time < WINDOW_MILLISECONDS);
  const place = traces.length === 0 ? null : where();
  traces.push({ time: now, place });
  recent.set(key, traces);
  const count = traces.filter((t) => t.place === null || t.place === place).length;
  if (place !== null && count >= WARN_AFTER) warn(count, place);
}

/** The same function text traced anew from one place: jit is called inside a loop, and every call is a new function. */
function warnFresh(name: string, text: string, where: () => string): void {
  countRecent(`fresh|${text}`, where, (count, place) =>
    warnOnce(
      `fresh|${place}|${text}`,
      `jit(${name}) was applied to a newly created function ${count} times within a second${place && ` at ${place}`}, and traced each time: functions are told apart by identity. ` +
        "Create the jitted function once, outside the loop, and pass what changes as arguments.",
    ),
  );
}

/** The traces of one function. */
export class RetraceLog {
  readonly #reasons: string[][] = [];

  /** Records a trace; `reasons` is null for the first of a function. `text` is the function's source. */
  record(reasons: string[] | null, name: string, text: string, where: () => string): void {
    if (reasons === null) {
      warnFresh(name, text, where);
      return;
    }
    this.#reasons.push(reasons);
    if (modes.explainRetraces)
      warnOnce(
        `retrace|${name}|${reasons.join()}|${this.#reasons.length}`,
        `jit(${name}) is traced again, because of ${reasons.join("; ")}`,
      );
    countRecent(`often|${name}`, where, (count, place) =>
      warnOnce(
        `often|${name}|${place}`,
        `jit(${name}) was traced ${count} times within a second${place && ` at ${place}`}; the last time because of ${reasons.join("; ")}. ` +
          "Pad to equal shapes, pass numbers as arguments rather than static values, or jit once outside the loop.",
      ),
    );
  }

  text(name: string): string {
    if (this.#reasons.length === 0) return `jit(${name}) has been traced at most once per structure: no retrace`;
    const last = this.#reasons[this.#reasons.length - 1]!;
    return `jit(${name}) was traced again ${this.#reasons.length} ${this.#reasons.length === 1 ? "time" : "times"}; the last time because of:\n${last.map((l) => `  ${l}`).join("\n")}`;
  }
}
