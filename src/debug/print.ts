/** `debug.print`: printing values from inside programs. */
import { NDArray } from "../core/ndarray.ts";
import { ArgumentError } from "../core/problem.ts";
import { debugCallback } from "../lax/callback.ts";

/** Where `debug.print` writes: the console unless changed. */
let write: (line: string) => void = (line) => {
  // The one place in the library that prints because it was asked to.
  // eslint-disable-next-line no-console
  console.log(line);
};

/** Sends what `debug.print` prints elsewhere (a notebook cell, a file, a test); gives back the function used before. */
export function setPrinter(printer: (line: string) => void): (line: string) => void {
  const before = write;
  write = printer;
  return before;
}

const isFields = (x: unknown): x is Record<string, unknown> =>
  typeof x === "object" && x !== null && !(x instanceof NDArray) && Object.getPrototypeOf(x) === Object.prototype;

/**
 * Prints when the program runs, not when it is traced: under jit, in loops, and once per example under vmap.
 *
 * @param format text with `{}` for the arguments in order and `{name}` for fields of a trailing object. `{{` is a brace.
 * @example
 * jit((x) => { debug.print("x = {}, twice {twice}", x, { twice: x.mul(2) }); return x; })(np.array(3)); // x = 3., twice 6.
 */
export function print(format: string, ...args: unknown[]): void {
  const last = args[args.length - 1];
  const fields = isFields(last) ? last : {};
  const { ordered, ...named } = fields as { ordered?: boolean };
  const positional = isFields(last) ? args.slice(0, -1) : args;
  checkFormat(format, positional.length, Object.keys(named));
  const show = (xs: readonly unknown[], byName: Readonly<Record<string, unknown>>): void =>
    write(fill(format, xs, byName));
  const options = ordered === undefined ? [] : [{ ordered }];
  debugCallback(show, positional, named, ...options);
}

const PLACE = /\{\{|\}\}|\{(\w*)\}/g;

function fill(format: string, positional: readonly unknown[], named: Readonly<Record<string, unknown>>): string {
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

function checkFormat(format: string, positional: number, names: readonly string[]): void {
  const places = [...format.matchAll(PLACE)].filter((m) => m[0] !== "{{" && m[0] !== "}}").map((m) => m[1] ?? "");
  const unnamed = places.filter((p) => p === "").length;
  const missing = places.filter((p) => p !== "" && !names.includes(p));
  if (unnamed === positional && missing.length === 0) return;
  throw new ArgumentError("PrintFormat", {
    what: `debug.print: the format ${JSON.stringify(format)} has ${unnamed} places {} for ${positional} ${positional === 1 ? "argument" : "arguments"}${missing.length ? ` and names ${missing.join(", ")}, which are not given` : ""}`,
    why: "the format is filled when the program runs, so it is checked now",
    fix: 'write one {} per argument and {name} per field: debug.print("x = {}, y = {y}", x, { y })',
  });
}
