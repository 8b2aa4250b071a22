import { expect, test } from "vitest";
import * as lax from "../../src/lax/index.ts";
import * as np from "../../src/numpy/index.ts";

test("a whole number alone fills with int32, whoever fills", () => {
  for (const full of [lax.full, np.full]) {
    expect([full([2], 7).dtype, full([2], 7).weakType]).toEqual(["int32", true]);
    expect(full([2], 1.5).dtype).toBe("float32");
    expect(full([2], true).dtype).toBe("bool");
    expect(full([2], 7, "float16").dtype).toBe("float16");
  }
});
