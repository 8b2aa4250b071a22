/** Options after varargs: a trailing plain object counts as options only if it is not empty and all its keys are options. */
const isPlain = (x: unknown): x is Record<string, unknown> => {
  if (typeof x !== "object" || x === null) return false;
  const p = Object.getPrototypeOf(x) as unknown;
  return p === Object.prototype || p === null;
};

/** Splits a trailing options object off a list of varargs. */
export function splitOptions<T extends object>(args: readonly unknown[], known: readonly string[]): [unknown[], T] {
  const last = args[args.length - 1];
  if (isPlain(last)) {
    const keys = Object.keys(last);
    if (keys.length > 0 && keys.every((k) => known.includes(k))) return [args.slice(0, -1), last as T];
  }
  return [[...args], {} as T];
}
