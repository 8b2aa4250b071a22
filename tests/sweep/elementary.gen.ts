/** Samples for `lax/elementary.ts`. */
import * as lax from "../../src/lax/elementary.ts";
import { complexCase, elementwise, floats } from "./elementwise.ts";
import type { Generator, ValueRange } from "./generator.ts";

const any: ValueRange = {};
const positive: ValueRange = { min: 0.25, max: 3 };
const inside: ValueRange = { min: -0.875, max: 0.875 };
const moderate: ValueRange = { min: 0.25, max: 0.75 };

const ranges: readonly (readonly [Generator["primitive"], ValueRange, ValueRange])[] = [
  [lax.expP, any, any],
  [lax.exp2P, any, any],
  [lax.expm1P, any, any],
  [lax.logP, positive, positive],
  [lax.log1pP, { min: -0.75, max: 3 }, moderate],
  [lax.logisticP, any, any],
  [lax.sinP, any, any],
  [lax.cosP, any, any],
  [lax.tanP, { min: -1.25, max: 1.25 }, moderate],
  [lax.asinP, inside, moderate],
  [lax.acosP, inside, moderate],
  [lax.atanP, any, moderate],
  [lax.sinhP, any, any],
  [lax.coshP, any, any],
  [lax.tanhP, any, moderate],
  [lax.asinhP, any, moderate],
  [lax.acoshP, { min: 1.25, max: 4 }, { min: 1.25, max: 3 }],
  [lax.atanhP, inside, moderate],
];

export const generators: readonly Generator[] = [
  ...ranges.flatMap(([p, real, complex]) => [elementwise(p, [real], { dtypes: floats }), complexCase(p, [complex])]),
  elementwise(lax.atan2P, [{ avoid: [0] }, { avoid: [0] }]),
  complexCase(lax.atan2P, [moderate, { min: 1, max: 2 }]),
];
