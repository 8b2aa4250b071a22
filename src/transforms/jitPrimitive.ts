/** The `jit` primitive: a call of a jaxpr, which the compiler puts in place of the call. */
import type { Jaxpr } from "../core/jaxpr.ts";
import { type Many, type Primitive, definePrimitive } from "../core/primitive.ts";
import { callSlots } from "./callRules.ts";

export interface JitParams {
  readonly jaxpr: Jaxpr;
  readonly name: string;
  readonly inline: boolean;
}

export const jitP: Primitive<Many, JitParams> = /* @__PURE__ */ definePrimitive<Many, JitParams>({
  .../* @__PURE__ */ callSlots<JitParams>(() => jitP),
  name: "jit",
  inline: ({ jaxpr }) => jaxpr,
  printParams: ({ jaxpr, name }) => ({ name, jaxpr }),
});
