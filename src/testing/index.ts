/** `cotangent/testing`: property-testing your own mathematics. Needs the optional peer `fast-check`. */
import "../backends/install.ts";
import "../numpy/install.ts";

export {
  type CheckGradsOptions,
  type CheckRuleOptions,
  GradientMismatchError,
  checkGrads,
  checkJvp,
  checkVjp,
} from "./checkGrads.ts";
export {
  type ArrayOptions,
  type ShapeOptions,
  arrays,
  broadcastableShapes,
  dtypes,
  pytrees,
  shapes,
} from "./arbitraries.ts";
