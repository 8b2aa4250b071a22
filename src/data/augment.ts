/** Augmentation: random changes of examples that keep what they are. */
export {
  type ColorJitterOptions,
  type CropOptions,
  type CutoutOptions,
  type EdgeMode,
  type EdgeOptions,
  type FlipOptions,
  type WarpOptions,
  colorJitter,
  cutout,
  gaussianNoise,
  mixup,
  randomCrop,
  randomFlip,
  randomRotation,
  randomScale,
  randomShift,
} from "./augmentImages.ts";
export { type TimeWarpOptions, jitter, scaling, timeShift, timeWarp, windowSlice } from "./augmentSeries.ts";
