/**
 * Types of core under names of this room. Aliases rather than re-exports: the bundler of declarations takes a type that
 * another file re-exports inside a namespace for a value.
 */
import type * as methods from "../core/arrayMethods.ts";
import type * as dtypes from "../core/dtype.ts";

export type ArrayLike = methods.ArrayLike;
export type Axis = methods.Axis;
export type IndexItem = methods.IndexItem;
export type IndexMode = methods.IndexMode;
export type IndexUpdate = methods.IndexUpdate;
export type Nested = methods.Nested;
export type DType = dtypes.DType;
