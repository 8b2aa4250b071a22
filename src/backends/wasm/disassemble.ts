/**
 * WebAssembly modules as text, in the instruction names of the specification: what `lower(…).asText("wasm")` shows. Reads
 * the modules that `encoder.ts` writes; instructions it has no name for are shown by their number.
 */

/** Runs of instructions without immediates, from their first opcode on; `-` is no instruction. */
const plain: readonly (readonly [number, string])[] = [
  [0x45, "i32.eqz i32.eq i32.ne i32.lt_s i32.lt_u i32.gt_s i32.gt_u i32.le_s i32.le_u i32.ge_s i32.ge_u"],
  [0x5b, "f32.eq f32.ne f32.lt f32.gt f32.le f32.ge f64.eq f64.ne f64.lt f64.gt f64.le f64.ge"],
  [0x67, "i32.clz i32.ctz i32.popcnt i32.add i32.sub i32.mul i32.div_s i32.div_u i32.rem_s i32.rem_u i32.and i32.or"],
  [0x73, "i32.xor i32.shl i32.shr_s i32.shr_u i32.rotl i32.rotr"],
  [0x8b, "f32.abs f32.neg f32.ceil f32.floor f32.trunc f32.nearest f32.sqrt f32.add f32.sub f32.mul f32.div f32.min"],
  [0x97, "f32.max f32.copysign f64.abs f64.neg f64.ceil f64.floor f64.trunc f64.nearest f64.sqrt f64.add f64.sub"],
  [0xa2, "f64.mul f64.div f64.min f64.max f64.copysign"],
  [0xb2, "f32.convert_i32_s f32.convert_i32_u - - f32.demote_f64 f64.convert_i32_s f64.convert_i32_u"],
  [0xbb, "f64.promote_f32 i32.reinterpret_f32 - f32.reinterpret_i32"],
  [0xc0, "i32.extend8_s i32.extend16_s"],
];
const saturating = "i32.trunc_sat_f32_s i32.trunc_sat_f32_u i32.trunc_sat_f64_s i32.trunc_sat_f64_u".split(" ");
const memory: Readonly<Record<number, string>> = {
  0x28: "i32.load",
  0x2a: "f32.load",
  0x2b: "f64.load",
  0x2c: "i32.load8_s",
  0x2d: "i32.load8_u",
  0x2e: "i32.load16_s",
  0x2f: "i32.load16_u",
  0x36: "i32.store",
  0x38: "f32.store",
  0x39: "f64.store",
  0x3a: "i32.store8",
  0x3b: "i32.store16",
};
const simdMemory =
  "v128.load v128.load8x8_s v128.load8x8_u v128.load16x4_s v128.load16x4_u v128.load32x2_s v128.load32x2_u v128.load8_splat v128.load16_splat v128.load32_splat v128.load64_splat v128.store".split(
    " ",
  );
const simdLaneMemory =
  "v128.load8_lane v128.load16_lane v128.load32_lane v128.load64_lane v128.store8_lane v128.store16_lane v128.store32_lane v128.store64_lane v128.load32_zero v128.load64_zero".split(
    " ",
  );
const simdLanes =
  "i8x16.extract_lane_s i8x16.extract_lane_u i8x16.replace_lane i16x8.extract_lane_s i16x8.extract_lane_u i16x8.replace_lane i32x4.extract_lane i32x4.replace_lane i64x2.extract_lane i64x2.replace_lane f32x4.extract_lane f32x4.replace_lane".split(
    " ",
  );
const simdPlain: readonly (readonly [number, string])[] = [
  [0x0e, "i8x16.swizzle i8x16.splat i16x8.splat i32x4.splat i64x2.splat f32x4.splat f64x2.splat"],
  [0x37, "i32x4.eq i32x4.ne i32x4.lt_s i32x4.lt_u i32x4.gt_s i32x4.gt_u i32x4.le_s i32x4.le_u i32x4.ge_s i32x4.ge_u"],
  [0x41, "f32x4.eq f32x4.ne f32x4.lt f32x4.gt f32x4.le f32x4.ge"],
  [0x4d, "v128.not v128.and v128.andnot v128.or v128.xor v128.bitselect v128.any_true"],
  [0x60, "i8x16.abs i8x16.neg i8x16.popcnt i8x16.all_true i8x16.bitmask i8x16.narrow_i16x8_s i8x16.narrow_i16x8_u"],
  [0x67, "f32x4.ceil f32x4.floor f32x4.trunc f32x4.nearest"],
  [0x7c, "i16x8.extadd_pairwise_i8x16_s i16x8.extadd_pairwise_i8x16_u i32x4.extadd_pairwise_i16x8_s"],
  [0x7f, "i32x4.extadd_pairwise_i16x8_u"],
  [0x85, "i16x8.narrow_i32x4_s i16x8.narrow_i32x4_u"],
  [0xa0, "i32x4.abs i32x4.neg - i32x4.all_true i32x4.bitmask - - i32x4.extend_low_i16x8_s i32x4.extend_high_i16x8_s"],
  [
    0xa9,
    "i32x4.extend_low_i16x8_u i32x4.extend_high_i16x8_u i32x4.shl i32x4.shr_s i32x4.shr_u i32x4.add - - i32x4.sub",
  ],
  [0xb5, "i32x4.mul i32x4.min_s i32x4.min_u i32x4.max_s i32x4.max_u"],
  [0xe0, "f32x4.abs f32x4.neg - f32x4.sqrt f32x4.add f32x4.sub f32x4.mul f32x4.div f32x4.min f32x4.max f32x4.pmin"],
  [0xeb, "f32x4.pmax"],
  [0xf8, "i32x4.trunc_sat_f32x4_s i32x4.trunc_sat_f32x4_u f32x4.convert_i32x4_s f32x4.convert_i32x4_u"],
  [0x105, "f32x4.relaxed_madd"],
  [0x106, "f32x4.relaxed_nmadd"],
];

const tableOf = (runs: readonly (readonly [number, string])[]): ReadonlyMap<number, string> =>
  new Map(
    runs
      .flatMap(([first, names]) => names.split(" ").map((n, i): [number, string] => [first + i, n]))
      .filter(([, n]) => n !== "-"),
  );

const types: Readonly<Record<number, string>> = { 0x7f: "i32", 0x7d: "f32", 0x7c: "f64", 0x7b: "v128" };

/** The text of a module. */
export const disassemble = (bytes: Uint8Array): string => new Reader(bytes).module();

class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #plain = tableOf(plain);
  readonly #simd = tableOf(simdPlain);
  #at = 8;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  #byte = (): number => this.#bytes[this.#at++]!;
  #unsigned(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const b = this.#byte();
      value += (b & 0x7f) * scale;
      if (b < 0x80) return value;
    }
  }
  #signed(): number {
    let value = 0;
    for (let shift = 0; ;) {
      const b = this.#byte();
      value |= (b & 0x7f) << shift;
      shift += 7;
      if (b < 0x80) return shift < 32 && b & 0x40 ? value | (-1 << shift) : value;
    }
  }
  #list<T>(item: () => T): T[] {
    return Array.from({ length: this.#unsigned() }, item);
  }
  #name(): string {
    const n = this.#unsigned();
    this.#at += n;
    return new TextDecoder().decode(this.#bytes.subarray(this.#at - n, this.#at));
  }

  module(): string {
    const out: string[] = [];
    let signatures: string[] = [];
    let declared: number[] = [];
    let imports = 0;
    while (this.#at < this.#bytes.length) {
      const section = this.#byte();
      const end = this.#unsigned() + this.#at;
      if (section === 1)
        signatures = this.#list(() => {
          this.#byte();
          const [params, results] = [this.#list(this.#byte), this.#list(this.#byte)];
          const group = (word: string, list: number[]): string =>
            list.length > 0 ? ` (${word} ${list.map((t) => types[t]).join(" ")})` : "";
          return group("param", params) + group("result", results);
        });
      else if (section === 2)
        this.#list(() => {
          const [module, name] = [this.#name(), this.#name()];
          if (this.#byte() === 0)
            out.push(`(import "${module}" "${name}" (func $${imports++}${signatures[this.#unsigned()]}))`);
          else {
            this.#unsigned();
            out.push(`(import "${module}" "${name}" (memory ${this.#unsigned()}))`);
          }
        });
      else if (section === 3) declared = this.#list(() => this.#unsigned());
      else if (section === 10)
        declared.forEach((signature, i) => {
          if (i === 0) this.#unsigned();
          out.push(`(func $k${i}${signatures[signature]}`, ...this.#body(), ")");
        });
      this.#at = end;
    }
    return `(module\n${out.map((l) => `  ${l}`).join("\n")}\n)`;
  }

  #body(): string[] {
    const end = this.#unsigned() + this.#at;
    const locals = this.#list(() => {
      const count = this.#unsigned();
      return Array<string>(count).fill(types[this.#byte()]!).join(" ");
    });
    const out = locals.length > 0 ? [`  (local ${locals.join(" ")})`] : [];
    let depth = 1;
    while (this.#at < end) {
      const text = this.#instruction();
      if (text === "end" || text === "else") depth--;
      if (depth > 0) out.push("  ".repeat(depth) + text);
      if (text === "else" || /^(block|loop|if)/.test(text)) depth++;
    }
    return out;
  }

  #instruction(): string {
    const op = this.#byte();
    const loaded = memory[op];
    if (loaded) return this.#access(loaded);
    switch (op) {
      case 0x02:
      case 0x03:
      case 0x04: {
        const result = types[this.#byte()];
        return `${["block", "loop", "if"][op - 2]}${result ? ` (result ${result})` : ""}`;
      }
      case 0x05:
        return "else";
      case 0x0b:
        return "end";
      case 0x0c:
        return `br ${this.#unsigned()}`;
      case 0x0d:
        return `br_if ${this.#unsigned()}`;
      case 0x10:
        return `call $${this.#unsigned()}`;
      case 0x1a:
        return "drop";
      case 0x1b:
        return "select";
      case 0x20:
      case 0x21:
      case 0x22:
        return `local.${["get", "set", "tee"][op - 0x20]} ${this.#unsigned()}`;
      case 0x41:
        return `i32.const ${this.#signed()}`;
      case 0x43:
        this.#at += 4;
        return `f32.const ${this.#view.getFloat32(this.#at - 4, true)}`;
      case 0x44:
        this.#at += 8;
        return `f64.const ${this.#view.getFloat64(this.#at - 8, true)}`;
      case 0xfc: {
        const code = this.#unsigned();
        return saturating[code] ?? `0xfc ${code}`;
      }
      case 0xfd:
        return this.#simdInstruction(this.#unsigned());
      default:
        return this.#plain.get(op) ?? `0x${op.toString(16)}`;
    }
  }

  #access(name: string): string {
    const align = this.#unsigned();
    const offset = this.#unsigned();
    return `${name}${offset ? ` offset=${offset}` : ""} align=${2 ** align}`;
  }

  #simdInstruction(code: number): string {
    if (code < simdMemory.length) return this.#access(simdMemory[code]!);
    if (code === 0x0c || code === 0x0d) {
      this.#at += 16;
      const lane = (i: number): number => this.#view.getInt32(this.#at - 16 + 4 * i, true);
      const bytes = [...this.#bytes.subarray(this.#at - 16, this.#at)];
      return code === 0x0c
        ? `v128.const i32x4 ${[0, 1, 2, 3].map(lane).join(" ")}`
        : `i8x16.shuffle ${bytes.join(" ")}`;
    }
    if (code >= 0x15 && code <= 0x20) return `${simdLanes[code - 0x15]!} ${this.#byte()}`;
    if (code >= 0x54 && code <= 0x5d) {
      const text = this.#access(simdLaneMemory[code - 0x54]!);
      return code <= 0x5b ? `${text} ${this.#byte()}` : text;
    }
    return this.#simd.get(code) ?? `0xfd ${code}`;
  }
}
