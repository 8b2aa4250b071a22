/** All workloads, in the order of the report. */
import { convolutions } from "./convolutions.ts";
import { elementwise } from "./elementwise.ts";
import { ordering } from "./ordering.ts";
import { products } from "./products.ts";
import { reductions } from "./reductions.ts";
import { trainingSteps } from "./training.ts";
import { transformer } from "./transformer.ts";
import type { Workload } from "./workload.ts";

export const workloads: readonly Workload[] = [
  ...products,
  ...elementwise,
  ...reductions,
  ...convolutions,
  ...trainingSteps,
  ...transformer,
  ...ordering,
];
