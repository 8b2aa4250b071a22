/** The parts of core that tests reach into. */
export * from "../../src/core/aval.ts";
export * from "../../src/core/dtype.ts";
export * from "../../src/core/hostArray.ts";
export * from "../../src/core/ndarray.ts";
export * from "../../src/core/primitive.ts";
export * from "../../src/core/shape.ts";
