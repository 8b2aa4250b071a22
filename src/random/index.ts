/** `cotangent/random`: pseudo-random numbers as functions of a key, bit-equal to JAX's. */
import "../backends/install.ts";
import "../numpy/install.ts";

export {
  PRNGKey,
  clone,
  foldIn,
  key,
  keyData,
  keyDtype,
  keyImpl,
  split,
  wrapKeyData,
  type KeyOptions,
} from "./keys.ts";
export { type SampleMethod } from "./approximate.ts";
export { type SampleOptions } from "./arguments.ts";
export { type UniformOptions, bits, randint, uniform } from "./uniform.ts";
export {
  type GumbelOptions,
  cauchy,
  doubleSidedMaxwell,
  exponential,
  gumbel,
  laplace,
  logistic,
  lognormal,
  maxwell,
  normal,
  pareto,
  rayleigh,
  triangular,
  truncatedNormal,
  weibullMin,
} from "./continuous.ts";
export {
  type BernoulliOptions,
  type CategoricalOptions,
  bernoulli,
  categorical,
  geometric,
  rademacher,
} from "./discrete.ts";
export { type ChoiceOptions, type PermutationOptions, choice, permutation } from "./choice.ts";
export {
  type BallOptions,
  type GammaOptions,
  ball,
  beta,
  chisquare,
  dirichlet,
  f,
  gamma,
  generalizedNormal,
  loggamma,
  t,
  wald,
} from "./gamma.ts";
export { type PoissonOptions, poisson } from "./poisson.ts";
