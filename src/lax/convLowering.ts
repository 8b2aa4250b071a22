/** The `lower` slot of convolution: a sum over kernel positions and input features; padding and gaps are zeros in lhs. */
import type { Aval } from "../core/aval.ts";
import { allOf } from "../core/elementTypes.ts";
import { type Index, add, floorDiv, scale } from "../core/indexing.ts";
import type { Lowering, Operand, Value } from "../core/lowering.ts";
import { numberIn, pulled } from "../core/lowerRules.ts";
import { bool, like, select } from "../core/scalar.ts";
import { sizeOf } from "../core/shape.ts";
import { bind1 } from "../core/trace.ts";
import { composeProduct, isProductOfParts, sumOfProducts } from "./contractLowering.ts";
import { type ConvParams, convGeneralDilatedP } from "./conv.ts";
import { inOrder, outOfOrder } from "./convDimensions.ts";
import { spreadIndex } from "./movementLowering.ts";

export function lowerConv(x: Operand, w: Operand, p: ConvParams, { dtype: out, size }: Aval): Lowering {
  const { lhsSpec, rhsSpec, outSpec } = p.dimensionNumbers;
  const [batch, , ...lengths] = inOrder(x.aval.shape, lhsSpec);
  const [features, inFeatures, ...window] = inOrder(w.aval.shape, rhsSpec);
  const groupSize = features! / (p.featureGroupCount * p.batchGroupCount);
  const images = batch! / p.batchGroupCount;
  const summands = sizeOf(window) * inFeatures!;
  if (x.aval.size > 0 && isProductOfParts(out, size / features!, groupSize, summands))
    return composeProduct(out, (f, g, sums) =>
      bind1(convGeneralDilatedP, [f, g], { ...p, preferredElementType: sums }),
    );
  if (x.aval.size === 0) return pulled(() => numberIn(out, 0));
  return pulled((index) => {
    const [image, feature, ...places] = inOrder(index, outSpec);
    const group = floorDiv(feature!, groupSize);
    return sumOfProducts([...window, inFeatures!], [x.aval.dtype, w.aval.dtype, out], (r) => {
      const offsets = r.slice(0, -1);
      const channel = r.at(-1)!;
      const spread = places.map((o, i) => {
        const at = add(scale(o, p.windowStrides[i]!), scale(offsets[i]!, p.rhsDilation[i]!));
        return spreadIndex(at, lengths[i]!, p.padding[i]![0], p.lhsDilation[i]!);
      });
      const from: Index[] = [
        p.batchGroupCount > 1 ? add(image!, scale(group, images)) : image!,
        p.featureGroupCount > 1 ? add(channel, scale(group, inFeatures!)) : channel,
        ...spread.map((s) => s.index),
      ];
      const valid = allOf([bool(true), ...spread.flatMap((s) => s.valid)]);
      const f: Value = x.at(outOfOrder(from, lhsSpec)).map((v) => select(valid, v, like(v, 0)));
      return [f, w.at(outOfOrder([feature!, channel, ...offsets], rhsSpec))];
    });
  });
}
