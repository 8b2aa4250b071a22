/** What the ready-made optimizers share. */
import { type AnyTransformation, type GradientTransformation, type Mask, type ScalarOrSchedule } from "./base.ts";
import { chain } from "./combine.ts";
import { scaleByLearningRate } from "./scaling.ts";

/** An optimizer whose state is a list of its parts' states. */
export type Chain<P> = GradientTransformation<P, readonly unknown[]>;

/** The parts of an optimizer, then minus the learning rate. */
export const descend = <P>(
  learningRate: ScalarOrSchedule | null | undefined,
  ...parts: readonly AnyTransformation<P>[]
): Chain<P> =>
  chain<P, readonly unknown[]>(...(parts as GradientTransformation<P>[]), scaleByLearningRate<P>(learningRate));

export interface WeightDecay<P> {
  /** Added to the updates, times the parameters: a number or a schedule. */
  readonly weightDecay?: ScalarOrSchedule;
  /** Which parameters decay. */
  readonly mask?: Mask<P> | null;
}
/** The given options among some names. */
export const pick = <O extends object>(options: O, names: readonly (keyof O)[]): O =>
  Object.fromEntries(names.filter((n) => options[n] !== undefined).map((n) => [n, options[n]])) as O;
