/**
 * Switches for finding mistakes. Each works as a setting, `debugNans(true)`, or around a function, `debugNans(() => …)` or
 * `debugNans(false, () => …)`.
 */
import { type Modes, modes, withModes } from "../core/modes.ts";

export type Switch = {
  /** Turns the mode on or off. */
  (on: boolean): void;
  /** Turns the mode on while `body` runs. */
  <T>(body: () => T): T;
  /** Turns the mode on or off while `body` runs. */
  <T>(on: boolean, body: () => T): T;
};

const makeSwitch =
  (change: (on: boolean) => Partial<Modes>): Switch =>
  <T>(x: boolean | (() => T), body?: () => T): T => {
    if (typeof x === "function") return withModes(change(true), x);
    if (body) return withModes(change(x), body);
    Object.assign(modes, change(x));
    return undefined as T;
  };

/**
 * Looks for NaN in every result and reports the line that made it: of the forward computation, or of the operation whose
 * derivative made it. Inside transformed functions only a NaN that reaches a result counts.
 *
 * @example
 * debug.debugNans(() => np.log(np.array(-1))); // throws NaNError, naming this line
 */
export const debugNans: Switch = /* @__PURE__ */ makeSwitch((on) => ({ debugNans: on }));

/**
 * `debugNans` for infinities: reports the line that made one. Infinities that the program states itself, such as those of a
 * mask, count when an operation passes them on.
 *
 * @example
 * debug.debugInfs(() => np.exp(np.array(1000))); // throws NaNError, naming this line
 */
export const debugInfs: Switch = /* @__PURE__ */ makeSwitch((on) => ({ debugInfs: on }));

/** `debugNans` that also reports NaN which never reaches a result, such as in the unused half of a `where`. */
export const debugNansEverywhere: Switch = /* @__PURE__ */ makeSwitch((on) => ({
  debugNans: on,
  debugNansEverywhere: on,
}));

/** Prints the reason each time a jitted function is traced again. */
export const explainRetraces: Switch = /* @__PURE__ */ makeSwitch((on) => ({ explainRetraces: on }));

/**
 * Reports PRNG keys that are consumed twice (drawn from, or split): the second use repeats the first one's numbers.
 *
 * @example
 * const key = random.key(0);
 * debug.debugKeyReuse(() => [random.normal(key), random.normal(key)]); // throws TransformError
 */
export const debugKeyReuse: Switch = /* @__PURE__ */ makeSwitch((on) => ({ debugKeyReuse: on }));
