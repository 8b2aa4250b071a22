/**
 * `cotangent.scipy.signal`: convolution and correlation of arrays of any number of axes, trends. What needs a Fourier
 * transform (`stft`, `istft`, `welch`, `csd`) is not here yet.
 */
export {
  type Convolve2dOptions,
  type ConvolveMethod,
  type ConvolveOptions,
  type FftconvolveOptions,
  convolve,
  convolve2d,
  correlate,
  correlate2d,
  fftconvolve,
} from "./convolve.ts";
export { type DetrendOptions, detrend } from "./detrend.ts";
