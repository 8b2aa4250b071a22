/** Samples for `lax/incomplete.ts`. */
import * as lax from "../../src/lax/incomplete.ts";
import { elementwise } from "./elementwise.ts";
import type { Generator } from "./generator.ts";

const parameter = { min: 0.25, max: 12 };
// The second derivative in `a` is none of the library: tests/scipy/incomplete.test.ts checks the first.
const share = { min: 0.0625, max: 0.9375 };

export const generators: readonly Generator[] = [
  elementwise(lax.igammaP, [parameter, parameter], { nonDifferentiable: [0] }),
  elementwise(lax.igammacP, [parameter, parameter], { nonDifferentiable: [0] }),
  elementwise(lax.igammaGradAP, [parameter, parameter], { nonDifferentiable: [0] }),
  elementwise(lax.randomGammaGradP, [parameter, parameter], { nonDifferentiable: [0, 1] }),
  elementwise(lax.betaincP, [parameter, parameter, share], { nonDifferentiable: [0, 1] }),
];
