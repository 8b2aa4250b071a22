/** `cotangent/data`: data sets from bytes, and minibatches. */
import "../backends/install.ts";
import "../numpy/install.ts";

export { type IdxArray, type IdxDType, formatIdx, parseIdx, readIdx } from "./idx.ts";
export { type BatchOptions, batches } from "./batches.ts";
