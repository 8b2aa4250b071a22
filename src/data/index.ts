/** `cotangent/data`: data sets from bytes, batches of them, and what is done to examples on the way. */
import "../backends/install.ts";
import "../numpy/install.ts";

export { type IdxArray, type IdxDType, formatIdx, parseIdx, readIdx } from "./idx.ts";
export { type FileArray, type FileData, type FileDType, arrayOf, fileArray } from "./elements.ts";
export { type Bytes } from "./bytes.ts";
export { formatNpy, parseNpy, readNpy } from "./npy.ts";
export { type NpzReadOptions, type NpzWriteOptions, formatNpz, parseNpz, readNpz } from "./npz.ts";
export {
  type Safetensors,
  type SafetensorsOptions,
  formatSafetensors,
  parseSafetensors,
  readSafetensors,
} from "./safetensors.ts";
export { type CsvOptions, type CsvTable, parseCsv, readCsv } from "./csv.ts";
export { formatJsonLines, parseJsonLines, readJsonLines } from "./jsonLines.ts";
export { type ImageLimits, encodePng, parsePng } from "./png.ts";
export { type ImageOptions, type JpegDecoder, decodeImage, parseImage } from "./images.ts";
export { type BatchOptions, batches } from "./batches.ts";
export { type BatchInfo, type Loader, type LoaderOptions, type LoaderState, loader } from "./loader.ts";
export type { ExampleFunction, Stream } from "./source.ts";
export { type Fold, type SplitOptions, kFold, split } from "./split.ts";
export { type MinMaxOptions, type Scaler, type ScalerOptions, minMaxScaler, standardizer } from "./scale.ts";
export * as augment from "./augment.ts";
