/** `scipy.special`: functions of mathematical physics and statistics, with JAX's names. */
export {
  comb,
  digamma,
  factorial,
  gamma,
  gammainc,
  gammaincc,
  gammaln,
  gammasgn,
  loggamma,
  multigammaln,
  poch,
  polygamma,
  zeta,
} from "./gamma.ts";
export { beta, betainc, betaln } from "./beta.ts";
export { type BesselJnOptions, besselJn, i0, i0e, i1, i1e } from "./bessel.ts";
export { boxcox, boxcox1p, entr, klDiv, relEntr, xlog1py, xlogy } from "./information.ts";
export { type AxisOption, expit, logSoftmax, logit, logsumexp, softmax } from "./logistic.ts";
export { type LogNdtrOptions, erf, erfc, erfinv, logNdtr, ndtr, ndtri } from "./normal.ts";
export { exp1, expi, expn } from "./exponential.ts";
export { bernoulli, spence } from "./dilogarithm.ts";
export { dawsn, erfcx } from "./dawson.ts";
export { fresnel, sici } from "./integrals.ts";
export { owensT } from "./owens.ts";
export { hyp1f1, hyp2f1 } from "./hypergeometric.ts";
