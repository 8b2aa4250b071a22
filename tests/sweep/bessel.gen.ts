/** Samples for `lax/bessel.ts`. */
import * as lax from "../../src/lax/bessel.ts";
import { elementwise } from "./elementwise.ts";
import type { Generator } from "./generator.ts";

// Away from 0, where the derivative of the first jumps.
export const generators: readonly Generator[] = [
  elementwise(lax.besselI0eP, [{ min: 0.5, max: 20 }]),
  elementwise(lax.besselI1eP, [{ min: -20, max: 20 }]),
];
