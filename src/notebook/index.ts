/** `cotangent/notebook`: values in notebooks, plots, progress. Importing it makes arrays show themselves as tables. */
import "../backends/install.ts";
import "../numpy/install.ts";
import "./install.ts";

export type { MimeBundle } from "../core/display.ts";
export { type Displayable, show } from "./show.ts";
export { display } from "./display.ts";
export { Figure } from "./figure.ts";
export { Progress, type ProgressOptions, type ProgressValues, progress } from "./progress.ts";
export type { HistogramOptions, ImageOptions, LinesOptions, PlotOptions, ScatterOptions } from "./plot.ts";
export * as plot from "./plot.ts";
