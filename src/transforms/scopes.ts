/** Small transforms that change how a piece of code is run: on trees, by callbacks. */
import { modes, withModes } from "../core/modes.ts";
import { NDArray } from "../core/ndarray.ts";
import { withScope } from "../core/staging.ts";
import { stopGradientArray } from "../core/structural.ts";
import { evalTrace, withTrace } from "../core/trace.ts";
import { mapTree } from "../core/tree.ts";
import type { Arrays } from "../core/types.ts";

/**
 * The same value, treated as a constant by differentiation. Works on trees; leaves that are not arrays pass through.
 *
 * @example
 * grad((x) => x.mul(stopGradient(x)))(np.array(3)) // 3, not 6
 */
export const stopGradient = <T>(x: T): Arrays<T> =>
  mapTree((leaf: unknown) => (leaf instanceof NDArray ? stopGradientArray(leaf) : leaf), x) as Arrays<T>;

/**
 * Runs `body` with jit off: jitted functions, loops and branches run as plain JavaScript, so that a debugger can step
 * through them and values can be printed.
 *
 * @example
 * disableJit(() => jit((x) => { console.log(x.item()); return x; })(np.array(1)));
 */
export const disableJit = <T>(body: () => T): T => withModes({ disableJit: true }, body);

/** Whether `disableJit` is in effect. */
export const jitIsDisabled = (): boolean => modes.disableJit;

/**
 * Runs `body` outside of all tracing: what it computes from constants is computed now, not recorded.
 *
 * @example
 * jit((x) => x.mul(ensureCompileTimeEval(() => np.sum(np.arange(10)).item())))(np.array(1)) // 45
 */
export const ensureCompileTimeEval = <T>(body: () => T): T => withTrace(evalTrace, body);

/**
 * Runs `body`; what it traces carries `name`, which shows in profiles and printed programs.
 *
 * @example
 * namedScope("attention", () => np.matmul(np.ones([1, 2]), np.ones([2, 1]))) // [[2]]
 */
export const namedScope = <T>(name: string, body: () => T): T => withScope(name, body);
