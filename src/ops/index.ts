/** `cotangent.ops`: reductions over segments. */
import "../backends/install.ts";
import "../numpy/install.ts";

export { type SegmentMode, type SegmentOptions, segmentMax, segmentMin, segmentProd, segmentSum } from "./segments.ts";
