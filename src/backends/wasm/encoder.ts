/**
 * WebAssembly's binary format: a growable run of code bytes, and modules of functions over one imported memory.
 *
 * Opcodes are numbers; those with a prefix carry it in their upper half (0xfd: SIMD, 0xfc: saturating conversions). The
 * code generator names the ones it writes, see https://webassembly.github.io/spec/core/binary/instructions.html.
 */

/** A type of a wasm value, as encoded. */
export type ValueType = 0x7f | 0x7d | 0x7c | 0x7b;
export const i32Type = 0x7f;
export const f32Type = 0x7d;
export const f64Type = 0x7c;
export const v128Type = 0x7b;

/** Opcodes of the SIMD and the saturating families. */
export const simd = (code: number): number => 0xfd0000 | code;
export const saturating = (code: number): number => 0xfc0000 | code;

const scratch = new DataView(new ArrayBuffer(8));

/** A function of the module. Its number is known once all imports are: before bytes are written. */
export interface Callee {
  number: number;
}
/** Bytes of the number of a callee, however small it is. */
const calleeBytes = 3;

/** A byte, code, or the number of a callee. */
type Part = number | Code | Callee;

/** A run of bytes with an end to write at. What is appended is kept as it is, and must not grow any more. */
export class Code {
  readonly #parts: Part[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }
  bytes(): Uint8Array {
    const out = new Uint8Array(this.#length);
    this.#writeTo(out, 0);
    return out;
  }
  #writeTo(out: Uint8Array, at: number): number {
    const parts = this.#parts;
    // Most programs are compiled once, in an engine that interprets this, and iterators are slow there.
    for (let n = 0; n < parts.length; n++) {
      const part = parts[n]!;
      if (typeof part === "number") out[at++] = part;
      else if (part instanceof Code) at = part.#writeTo(out, at);
      else
        for (let i = 0; i < calleeBytes; i++)
          out[at++] = ((part.number >>> (7 * i)) & 0x7f) | (i < calleeBytes - 1 ? 0x80 : 0);
    }
    return at;
  }

  byte(b: number): this {
    this.#parts.push(b);
    this.#length++;
    return this;
  }
  /** A byte, then a number. */
  #with(b: number, n: number): this {
    if (n > 0x7f) return this.byte(b).unsigned(n);
    this.#parts.push(b, n);
    this.#length += 2;
    return this;
  }
  append(other: Code): this {
    if (other.#length > 0) this.#parts.push(other);
    this.#length += other.#length;
    return this;
  }
  all(bytes: ArrayLike<number>): this {
    for (let i = 0; i < bytes.length; i++) this.#parts.push(bytes[i]!);
    this.#length += bytes.length;
    return this;
  }
  unsigned(n: number): this {
    if (n < 0x80) return this.byte(n);
    let rest = n;
    for (; rest > 0x7f; rest = Math.floor(rest / 128)) this.byte((rest % 128) | 0x80);
    return this.byte(rest);
  }
  signed(n: number): this {
    let rest = n | 0;
    for (; rest < -64 || rest > 63; rest >>= 7) this.byte((rest & 0x7f) | 0x80);
    return this.byte(rest & 0x7f);
  }
  name(text: string): this {
    return this.sized(new Code().all(new TextEncoder().encode(text)));
  }
  /** The other's length in bytes, then its bytes. */
  sized(other: Code): this {
    return this.unsigned(other.length).append(other);
  }

  op(code: number): this {
    return code < 0x100 ? this.byte(code) : this.#with(code >>> 16, code & 0xffff);
  }
  get(local: number): this {
    return this.#with(0x20, local);
  }
  set(local: number): this {
    return this.#with(0x21, local);
  }
  tee(local: number): this {
    return this.#with(0x22, local);
  }
  call(callee: Callee): this {
    this.byte(0x10).#parts.push(callee);
    this.#length += calleeBytes;
    return this;
  }
  i32(n: number): this {
    return n >= -64 && n < 64 ? this.#with(0x41, n & 0x7f) : this.byte(0x41).signed(n);
  }
  f32(n: number): this {
    scratch.setFloat32(0, n, true);
    return this.byte(0x43).#constant(4);
  }
  f64(n: number): this {
    scratch.setFloat64(0, n, true);
    return this.byte(0x44).#constant(8);
  }
  #constant(bytes: number): this {
    for (let i = 0; i < bytes; i++) this.byte(scratch.getUint8(i));
    return this;
  }
  /** Four equal lanes of 32 bits. */
  lanes(bits: number): this {
    const word = [bits & 0xff, (bits >>> 8) & 0xff, (bits >>> 16) & 0xff, bits >>> 24];
    return this.op(simd(0x0c)).all(word).all(word).all(word).all(word);
  }
  /** A load or store: the logarithm of its alignment, and an offset that is added to the address without wrapping. */
  memory(op: number, align: number, offset: number): this {
    return this.op(op).#with(align, offset);
  }
  /** i8x16.shuffle: byte i of the result is byte `from[i]` of the two operands. */
  shuffle(from: readonly number[]): this {
    return this.op(simd(0x0d)).all(from);
  }
}

export interface FunctionType {
  readonly params: readonly ValueType[];
  readonly results: readonly ValueType[];
}
/** Types of the locals after the parameters, and the body without its final `end`. */
export interface FunctionBody {
  readonly type: FunctionType;
  readonly locals: readonly ValueType[];
  readonly code: Code;
}

const vector = (items: readonly Code[]): Code => {
  const out = new Code().unsigned(items.length);
  for (const item of items) out.append(item);
  return out;
};

/** Limits of an imported memory that threads share: it has a maximum, which may be anything up to 4 GiB. */
const sharedLimits = [3, 0, 0x80, 0x80, 4];

/** A module that imports `env.memory` and functions of the module `math`, and exports its first functions as `k0`, `k1`, …. */
export function encodeModule(
  imports: readonly { readonly name: string; readonly type: FunctionType }[],
  functions: readonly FunctionBody[],
  exports: number,
  sharedMemory: boolean,
): Uint8Array {
  const types = new Map<string, { index: number; code: Code }>();
  const typeIndex = ({ params, results }: FunctionType): number => {
    const key = `${params.join()}:${results.join()}`;
    let known = types.get(key);
    if (!known) {
      const code = new Code().byte(0x60).unsigned(params.length);
      for (const t of params) code.byte(t);
      code.unsigned(results.length);
      for (const t of results) code.byte(t);
      types.set(key, (known = { index: types.size, code }));
    }
    return known.index;
  };

  const imported = imports.map(({ name, type }) =>
    new Code().name("math").name(name).byte(0).unsigned(typeIndex(type)),
  );
  imported.push(
    new Code()
      .name("env")
      .name("memory")
      .byte(2)
      .all(sharedMemory ? sharedLimits : [0, 0]),
  );
  const declared = functions.map((f) => new Code().unsigned(typeIndex(f.type)));
  const exported = functions.slice(0, exports).map((_, i) =>
    new Code()
      .name(`k${i}`)
      .byte(0)
      .unsigned(imports.length + i),
  );
  const bodies = functions.map(({ locals, code }) => {
    const runs: Code[] = [];
    for (let i = 0, n = 0; i < locals.length; i += n) {
      for (n = 1; locals[i + n] === locals[i];) n++;
      runs.push(new Code().unsigned(n).byte(locals[i]!));
    }
    return new Code().sized(vector(runs).append(code).byte(0x0b));
  });

  const out = new Code().all([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
  const section = (id: number, items: readonly Code[]): Code => out.byte(id).sized(vector(items));
  section(
    1,
    [...types.values()].map((t) => t.code),
  );
  section(2, imported);
  section(3, declared);
  section(7, exported);
  section(10, bodies);
  return out.bytes();
}
