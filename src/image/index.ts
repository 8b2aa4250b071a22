/** `cotangent.image`: resampling of images. */
import "../backends/install.ts";
import "../numpy/install.ts";

export { type ImageOptions, ResizeMethod, type ResizeMethodName, resize, scaleAndTranslate } from "./resize.ts";
