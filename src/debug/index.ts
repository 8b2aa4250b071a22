/** `cotangent/debug`: looking into programs. */
import "../backends/install.ts";
import "../numpy/install.ts";

export { debugCallback as callback } from "../lax/callback.ts";
export { type Explanation, explain } from "./explain.ts";
export { print, setPrinter } from "./print.ts";
export { debugKeyReuse, debugNans, debugNansEverywhere, explainRetraces } from "./modes.ts";
