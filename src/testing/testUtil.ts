/** `testUtil`: checks of derivatives under the names of `jax.test_util`; needs no fast-check. */
// Their types are those of `cotangent/testing`: declarations are bundled with types of other entry points taken for values.
export { GradientMismatchError, checkGrads, checkJvp, checkVjp } from "./checkGrads.ts";
