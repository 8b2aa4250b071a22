/** Samples for `lax/arithmetic.ts`. */
import fc from "fast-check";
import * as lax from "../../src/lax/arithmetic.ts";
import { complexCase, elementwise, floats, integerCase } from "./elementwise.ts";
import type { Generator, ValueRange } from "./generator.ts";

const any: ValueRange = {};
const away: ValueRange = { avoid: [0] };
const positive: ValueRange = { min: 0.25, max: 3 };
/** Multiples of 1/64 never tie with these. */
const odd = (g: Generator): Generator => ({
  ...g,
  sample: g.sample.map(({ ins, params }) => ({
    ins: ins.map((x, i) =>
      i === 0 || !x.dtype.startsWith("float") ? x : { ...x, data: x.data.map((v) => v + i / 512) },
    ),
    params: params as unknown,
  })),
});
const power = fc.record({ y: fc.integer({ min: -4, max: 5 }) });

export const generators: readonly Generator[] = [
  elementwise(lax.negP, [any], { dtypes: floats }),
  complexCase(lax.negP, [any]),
  integerCase(lax.negP, [any]),
  elementwise(lax.addP, [any, any], { dtypes: floats }),
  complexCase(lax.addP, [any, any]),
  integerCase(lax.addP, [any, any]),
  elementwise(lax.subP, [any, any]),
  complexCase(lax.subP, [any, any]),
  integerCase(lax.subP, [any, any]),
  elementwise(lax.mulP, [any, any]),
  complexCase(lax.mulP, [any, any]),
  integerCase(lax.mulP, [any, any]),
  elementwise(lax.divP, [any, away]),
  complexCase(lax.divP, [any, { avoid: [0], min: 0.25, max: 2 }]),
  integerCase(lax.divP, [any, any]),
  odd(elementwise(lax.remP, [any, { min: 0.75, max: 3 }])),
  integerCase(lax.remP, [any, any]),
  odd(elementwise(lax.maxP, [any, any])),
  integerCase(lax.maxP, [any, any]),
  complexCase(lax.maxP, [any, any], { smooth: false }),
  odd(elementwise(lax.minP, [any, any])),
  integerCase(lax.minP, [any, any]),
  complexCase(lax.minP, [any, any], { smooth: false }),
  elementwise(lax.signP, [away]),
  complexCase(lax.signP, [any], { smooth: false }),
  elementwise(lax.absP, [away]),
  complexCase(lax.absP, [{ min: 0.25, max: 2 }]),
  elementwise(lax.squareP, [any]),
  complexCase(lax.squareP, [any]),
  integerCase(lax.squareP, [any]),
  elementwise(lax.integerPowP, [{ min: 0.5, max: 2 }], { params: power }),
  complexCase(lax.integerPowP, [{ min: 0.5, max: 1.5 }], { params: power }),
  integerCase(lax.integerPowP, [any], { params: fc.record({ y: fc.integer({ min: 0, max: 6 }) }) }),
  elementwise(lax.powP, [positive, any]),
  complexCase(lax.powP, [{ min: 0.5, max: 1.5 }, any]),
  elementwise(lax.sqrtP, [positive], { dtypes: floats }),
  complexCase(lax.sqrtP, [positive]),
  elementwise(lax.rsqrtP, [positive]),
  complexCase(lax.rsqrtP, [positive]),
  elementwise(lax.cbrtP, [away]),
  odd(elementwise(lax.floorP, [any], { smooth: false })),
  elementwise(lax.ceilP, [any], { smooth: false }),
  elementwise(lax.roundP, [any], { smooth: false, params: fc.record({ roundingMethod: fc.constantFrom(0, 1) }) }),
  elementwise(lax.isFiniteP, [any]),
  elementwise(lax.nextafterP, [any, any], { smooth: false, dtypes: floats }),
  odd(elementwise(lax.clampP, [{ min: -1.5, max: 0 }, any, { min: 0.25, max: 1.5 }])),
  integerCase(lax.clampP, [{ max: 1 }, any, { min: 1 }]),
];
