/** The control-flow primitives, for those who enumerate them. */
import type { AnyPrimitive } from "../../core/primitive.ts";
import { condP } from "./cond.ts";
import { customRootP, linearSolveP } from "./linearSolve.ts";
import { scanP } from "./scan.ts";
import { whileP } from "./while.ts";

export const primitives: readonly AnyPrimitive[] = [scanP, whileP, condP, linearSolveP, customRootP];
