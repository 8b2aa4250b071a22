/** `cotangent/debug`: looking into programs. */
import "../backends/install.ts";
import "../numpy/install.ts";

export { debugCallback as callback } from "../lax/callback.ts";
export { type Explanation, explain } from "./explain.ts";
export { print, print as log, setPrinter } from "./print.ts";
export { breakpoint } from "./breakpoint.ts";
export { debugInfs, debugKeyReuse, debugNans, debugNansEverywhere, explainRetraces } from "./modes.ts";
