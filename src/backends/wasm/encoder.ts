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

/** A function of the module, whose number is known once all imports are. */
export interface Callee {
  number: number;
}
/** Bytes of the number of a callee, which is written last. */
const calleeBytes = 3;

/** A run of bytes with an end to write at. */
export class Code {
  #bytes = new Uint8Array(64);
  #length = 0;
  #calls: { readonly at: number; readonly callee: Callee }[] = [];

  get length(): number {
    return this.#length;
  }
  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  #reserve(n: number): void {
    if (this.#length + n <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#length + n, 2 * this.#bytes.length));
    grown.set(this.bytes());
    this.#bytes = grown;
  }

  byte(b: number): this {
    if (this.#length === this.#bytes.length) this.#reserve(1);
    this.#bytes[this.#length++] = b;
    return this;
  }
  append(other: Code | Uint8Array): this {
    const bytes = other instanceof Code ? other.bytes() : other;
    if (other instanceof Code)
      for (const { at, callee } of other.#calls) this.#calls.push({ at: this.#length + at, callee });
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
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
    return this.sized(new Code().append(new TextEncoder().encode(text)));
  }
  /** The other's length in bytes, then its bytes. */
  sized(other: Code): this {
    return this.unsigned(other.length).append(other);
  }

  op(code: number): this {
    return code < 0x100 ? this.byte(code) : this.byte(code >>> 16).unsigned(code & 0xffff);
  }
  get(local: number): this {
    return this.byte(0x20).unsigned(local);
  }
  set(local: number): this {
    return this.byte(0x21).unsigned(local);
  }
  tee(local: number): this {
    return this.byte(0x22).unsigned(local);
  }
  call(callee: Callee): this {
    this.byte(0x10);
    this.#calls.push({ at: this.#length, callee });
    for (let i = 1; i <= calleeBytes; i++) this.byte(i < calleeBytes ? 0x80 : 0);
    return this;
  }
  /** Writes the numbers of callees. */
  link(): this {
    for (const { at, callee } of this.#calls)
      for (let i = 0; i < calleeBytes; i++) this.#bytes[at + i]! |= (callee.number >>> (7 * i)) & 0x7f;
    this.#calls = [];
    return this;
  }
  i32(n: number): this {
    return this.byte(0x41).signed(n);
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
    this.op(simd(0x0c));
    for (let i = 0; i < 16; i++) this.byte((bits >>> (8 * (i & 3))) & 0xff);
    return this;
  }
  /** A load or store: the logarithm of its alignment, and an offset that is added to the address without wrapping. */
  memory(op: number, align: number, offset: number): this {
    return this.op(op).unsigned(align).unsigned(offset);
  }
  /** i8x16.shuffle: byte i of the result is byte `from[i]` of the two operands. */
  shuffle(from: readonly number[]): this {
    this.op(simd(0x0d));
    for (const b of from) this.byte(b);
    return this;
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

/** A module that imports `env.memory` and functions of the module `math`, and exports its first functions as `k0`, `k1`, …. */
export function encodeModule(
  imports: readonly { readonly name: string; readonly type: FunctionType }[],
  functions: readonly FunctionBody[],
  exports: number,
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
  imported.push(new Code().name("env").name("memory").byte(2).byte(0).unsigned(0));
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
    return new Code().sized(vector(runs).append(code.link()).byte(0x0b));
  });

  const out = new Code().append(new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]));
  const section = (id: number, items: readonly Code[]): Code => out.byte(id).sized(vector(items));
  section(
    1,
    [...types.values()].map((t) => t.code),
  );
  section(2, imported);
  section(3, declared);
  section(7, exported);
  section(10, bodies);
  return out.bytes().slice();
}
