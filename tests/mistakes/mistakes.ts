/**
 * The mistakes people make with libraries like this one, provoked. Each entry is run by the test beside this file, which
 * checks the error's parts, and printed into docs/mistakes.md, program and message, from the same run.
 */
import type { Mistake } from "./mistake.ts";
import { mistakesWithPrograms } from "./programs.ts";
import { mistakesWithValues } from "./values.ts";

export const mistakes: readonly Mistake[] = [...mistakesWithValues, ...mistakesWithPrograms];
