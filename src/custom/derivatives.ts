/** `customDerivatives`: rules for derivatives, under the names of `jax.custom_derivatives`. */
export { closureConvert, customGradient } from "../transforms/customGradient.ts";
export { type CustomJvpFunction, customJvp } from "../transforms/customJvp.ts";
export { type CustomVjpFunction, customVjp } from "../transforms/customVjp.ts";
