/** `debug.print`: printing values from inside programs. */
import { checkFormat, fill, isFields } from "../core/format.ts";
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
  checkFormat("debug.print", format, positional.length, Object.keys(named));
  const show = (xs: readonly unknown[], byName: Readonly<Record<string, unknown>>): void =>
    write(fill(format, xs, byName));
  const options = ordered === undefined ? [] : [{ ordered }];
  debugCallback(show, positional, named, ...options);
}
