/**
 * Reading what users pass to lax functions: optional parameters, by position in JAX's order and by name in one trailing
 * object, and lists of integers that stand for axes, sizes and strides.
 */
import { NDArray } from "../core/ndarray.ts";
import { ArgumentError } from "../core/problem.ts";

/** Whether a value is a plain object, hence options rather than an operand. */
export const isOptions = (x: unknown): x is Readonly<Record<string, unknown>> =>
  typeof x === "object" &&
  x !== null &&
  !Array.isArray(x) &&
  !ArrayBuffer.isView(x) &&
  !(x instanceof NDArray) &&
  (Object.getPrototypeOf(x) === Object.prototype || Object.getPrototypeOf(x) === null);

/**
 * Collects optional parameters. `names` are all of them in JAX's order; the first `positional` may also be given by
 * position. Surplus arguments and unknown names are errors: a misspelt option must not be ignored.
 */
export function readOptions<T extends object>(
  name: string,
  names: readonly (keyof T & string)[],
  positional: number,
  given: readonly unknown[],
): Partial<T> {
  const list = [...given];
  const last = list.at(-1);
  const named: Readonly<Record<string, unknown>> = isOptions(last) ? last : {};
  if (isOptions(last)) list.pop();
  while (list.length > 0 && list.at(-1) === undefined) list.pop();
  if (list.length > positional) throw surplus(name, names.slice(0, positional), list.length);
  for (const key of Object.keys(named))
    if (!(names as readonly string[]).includes(key)) throw unknownOption(name, key, names);
  const out: Record<string, unknown> = {};
  list.forEach((v, i) => (out[names[i]!] = v));
  for (const [k, v] of Object.entries(named)) if (v !== undefined) out[k] = v;
  return out as Partial<T>;
}

const surplus = (name: string, names: readonly string[], count: number): ArgumentError =>
  new ArgumentError("SurplusArgument", {
    what: `${name}: ${count} optional arguments by position, but only ${names.length} can be given that way${names.length ? ` (${names.join(", ")})` : ""}`,
    why: "a surplus argument, such as the index that Array.map passes, would be taken for something else",
    fix: `give optional parameters by name: ${name}(…, { … })`,
  });

const unknownOption = (name: string, key: string, names: readonly string[]): ArgumentError =>
  new ArgumentError("UnknownOption", {
    what: `${name}: unknown option ${JSON.stringify(key)}`,
    why: "a misspelt option would be ignored silently",
    fix: names.length ? `the options are ${names.join(", ")}` : `${name} has no options`,
  });

/** Checks a list of integers known when the program is traced, such as start indices or strides. */
export function integers(name: string, what: string, list: readonly number[]): readonly number[] {
  if (Array.isArray(list) && list.every((n) => Number.isInteger(n))) return list;
  throw new ArgumentError("NotIntegers", {
    what: `${name}: ${what} must be a list of integers, found ${Array.isArray(list) ? `[${list.map(String).join(", ")}]` : String(list)}`,
    why: "shapes and positions that decide a result's shape are plain numbers, known when the program is traced",
    fix: `pass plain numbers; for positions computed by the program use dynamicSlice or gather`,
  });
}
