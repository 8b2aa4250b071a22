/** `debug.breakpoint`: stopping inside programs. */
import { debugCallback } from "../lax/callback.ts";

/**
 * Stops in the debugger when the program runs, not when it is traced: under jit, in loops, and once per example under
 * vmap. Does nothing if no debugger is attached (`node --inspect`, the tools of a browser).
 *
 * @param values what to look at: in the debugger they are concrete arrays, in the variable `values`.
 * @example
 * jit((x) => { const y = np.sin(x); debug.breakpoint({ x, y }); return y; })(np.array(0)) // 0
 */
export function breakpoint(values: Readonly<Record<string, unknown>> = {}): void {
  debugCallback(stop, values);
}

function stop(values: unknown): void {
  // The one place that stops because it was asked to.

  debugger;
  void values;
}
