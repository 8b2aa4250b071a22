/**
 * Writes ONNX models as bytes: the few messages and fields of onnx.proto3 that small graphs need, in protobuf's encoding
 * (a key of field number and wire type, then a varint, four bytes, or a length and bytes).
 */
import type { Input } from "./workload.ts";

type Bytes = Uint8Array;

function varint(value: number): Bytes {
  const out: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest > 127n; rest >>= 7n) out.push(Number(rest & 127n) | 128);
  return Uint8Array.of(...out, Number(rest));
}

function concat(parts: readonly Bytes[]): Bytes {
  const out = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

const integer = (field: number, value: number): Bytes => concat([varint(field * 8), varint(value)]);
const float = (field: number, value: number): Bytes => concat([varint(field * 8 + 5), bytesOf(Float32Array.of(value))]);
const message = (field: number, ...parts: Bytes[]): Bytes => {
  const content = concat(parts);
  return concat([varint(field * 8 + 2), varint(content.length), content]);
};
const text = (field: number, value: string): Bytes => message(field, new TextEncoder().encode(value));
const bytesOf = (data: Float32Array | BigInt64Array): Bytes =>
  new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

// TensorProto.DataType and AttributeProto.AttributeType.
const [FLOAT, INT64] = [1, 7];
const [AS_FLOAT, AS_INT, AS_STRING, AS_INTS] = [1, 2, 3, 7];

const tensor = (name: string, type: number, shape: readonly number[], data: Bytes): Bytes =>
  concat([...shape.map((d) => integer(1, d)), integer(2, type), text(8, name), message(9, data)]);

const valueInfo = (name: string, shape?: readonly number[]): Bytes => {
  const dimensions = shape ? [message(2, ...shape.map((d) => message(1, integer(1, d))))] : [];
  return concat([text(1, name), message(2, message(1, integer(1, FLOAT), ...dimensions))]);
};

/** Whole numbers are integers; write floats that are whole as `{ float: 1 }`. */
type Attribute = number | string | readonly number[] | { readonly float: number };

function attribute(name: string, value: Attribute): Bytes {
  const [type, content] =
    typeof value === "number"
      ? [AS_INT, integer(3, value)]
      : typeof value === "string"
        ? [AS_STRING, text(4, value)]
        : "float" in value
          ? [AS_FLOAT, float(2, value.float)]
          : [AS_INTS, concat(value.map((v) => integer(8, v)))];
  return concat([text(1, name), content, integer(20, type)]);
}

/** A graph under construction. Values are called by their names. */
export class Graph {
  readonly #nodes: Bytes[] = [];
  readonly #initializers: Bytes[] = [];
  readonly #inputs: Bytes[] = [];
  #names = 0;

  input(name: string, shape: readonly number[]): string {
    this.#inputs.push(valueInfo(name, shape));
    return name;
  }

  weight({ data, shape }: Input): string {
    return this.#constant(FLOAT, shape, bytesOf(Float32Array.from(data)));
  }

  number(value: number): string {
    return this.#constant(FLOAT, [], bytesOf(Float32Array.of(value)));
  }

  integers(values: readonly number[]): string {
    return this.#constant(INT64, [values.length], bytesOf(BigInt64Array.from(values.map(BigInt))));
  }

  #constant(type: number, shape: readonly number[], data: Bytes): string {
    const name = this.#fresh();
    this.#initializers.push(tensor(name, type, shape, data));
    return name;
  }

  /** The output of a new node. */
  op(type: string, inputs: readonly string[], attributes: Readonly<Record<string, Attribute>> = {}): string {
    return this.ops(type, inputs, 1, attributes)[0]!;
  }

  /** The outputs of a new node that has several. */
  ops(
    type: string,
    inputs: readonly string[],
    count: number,
    attributes: Readonly<Record<string, Attribute>>,
  ): string[] {
    const outputs = Array.from({ length: count }, () => this.#fresh());
    this.#nodes.push(
      concat([
        ...inputs.map((name) => text(1, name)),
        ...outputs.map((name) => text(2, name)),
        text(4, type),
        ...Object.entries(attributes).map(([name, value]) => message(5, attribute(name, value))),
      ]),
    );
    return outputs;
  }

  #fresh(): string {
    return `v${this.#names++}`;
  }

  /** The model that computes `output`, by version 8 of the format and version 20 of the operators. */
  model(output: string): Bytes {
    const graph = concat([
      ...this.#nodes.map((n) => message(1, n)),
      text(2, "workload"),
      ...this.#initializers.map((t) => message(5, t)),
      ...this.#inputs.map((i) => message(11, i)),
      message(12, valueInfo(output)),
    ]);
    return concat([integer(1, 8), message(7, graph), message(8, integer(2, 20))]);
  }
}
