/** Messages with places for values: `{}` for the next one, `{name}` for a named one, `{{` and `}}` for braces. */
import { NDArray } from "./ndarray.ts";
import { ArgumentError } from "./problem.ts";

const PLACE = /\{\{|\}\}|\{(\w*)\}/g;

/** Whether a value is a plain object: the named values behind the others. */
export const isFields = (x: unknown): x is Record<string, unknown> =>
  typeof x === "object" && x !== null && !(x instanceof NDArray) && Object.getPrototypeOf(x) === Object.prototype;

/** The text with its places filled. */
export function fill(format: string, positional: readonly unknown[], named: Readonly<Record<string, unknown>>): string {
  let next = 0;
  return format.replace(PLACE, (whole, name: string | undefined) => {
    if (whole === "{{") return "{";
    if (whole === "}}") return "}";
    return text(name ? named[name] : positional[next++]);
  });
}

function text(x: unknown): string {
  if (x instanceof NDArray) return x.toString();
  if (Array.isArray(x)) return `[${x.map(text).join(", ")}]`;
  if (isFields(x))
    return `{ ${Object.entries(x)
      .map(([k, v]) => `${k}: ${text(v)}`)
      .join(", ")} }`;
  return String(x);
}

/** Checks that a format has a place for every positional value, and that the names it uses are given. */
export function checkFormat(transform: string, format: string, positional: number, names: readonly string[]): void {
  const places = [...format.matchAll(PLACE)].filter((m) => m[0] !== "{{" && m[0] !== "}}").map((m) => m[1] ?? "");
  const unnamed = places.filter((p) => p === "").length;
  const missing = places.filter((p) => p !== "" && !names.includes(p));
  if (unnamed === positional && missing.length === 0) return;
  throw new ArgumentError("PrintFormat", {
    what: `${transform}: the format ${JSON.stringify(format)} has ${unnamed} places {} for ${positional} ${positional === 1 ? "argument" : "arguments"}${missing.length ? ` and names ${missing.join(", ")}, which are not given` : ""}`,
    why: "the format is filled when the program runs, so it is checked now",
    fix: `write one {} per argument and {name} per field: ${transform}(${transform === "debug.print" ? "" : "ok, "}"x = {}, y = {y}", x, { y })`,
  });
}
