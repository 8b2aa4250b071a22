/** `cotangent.scipy`: modules of SciPy, with the functions that JAX has. */
import "../backends/install.ts";
import "../numpy/install.ts";

export * as ndimage from "./ndimage.ts";
export * as signal from "./signal/index.ts";
export * as special from "./special/index.ts";
export * as stats from "./stats/index.ts";
