/** Installs the evaluator. One of the two modules with an effect on import (see `sideEffects` in package.json). */
import { installEvaluator } from "../core/evaluator.ts";
import { deviceEvaluator } from "./registry.ts";

installEvaluator(deviceEvaluator);
