/** `testUtil`: checks of derivatives under the names of `jax.test_util`; needs no fast-check. */
export {
  type CheckGradsOptions,
  type CheckRuleOptions,
  GradientMismatchError,
  checkGrads,
  checkJvp,
  checkVjp,
} from "./checkGrads.ts";
