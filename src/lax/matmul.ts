/**
 * Matrix products on host arrays: the arithmetic behind the reference slots of dotGeneral and convolution.
 *
 * Floats are packed as float64 and accumulated in float64, which costs nothing in JavaScript (all its arithmetic is
 * double) and makes every float32 result the correctly rounded sum up to the last bit or so, whatever the length.
 * The loop works on 4 rows × 4 terms at once: one store for four products, about 8 GFLOP/s in Node 20.
 */

/** Terms are taken four at a time, so the contracted length is padded with zeros to a multiple of four. */
export const paddedLength = (k: number): number => (k + 3) & ~3;

/** Columns worked on at once: the accumulators of four rows and the four rows of `b` stay in the first-level cache. */
const columnBlock = 512;

const sums = new Float64Array(4 * columnBlock);

/**
 * c[m, n] = Σₖ a[m, k]·b[k, n], all row-major; `k` is padded: `a` has rows of `paddedLength(k)`, `b` that many rows,
 * the surplus filled with zeros. Writes `m·n` numbers at `cOffset`, rounding once.
 */
export function matmul(
  a: Float64Array,
  aOffset: number,
  b: Float64Array,
  bOffset: number,
  c: { [i: number]: number },
  cOffset: number,
  m: number,
  k: number,
  n: number,
): void {
  const kp = paddedLength(k);
  for (let first = 0; first < n; first += columnBlock) {
    const width = Math.min(columnBlock, n - first);
    let i = 0;
    for (; i + 4 <= m; i += 4) {
      for (let r = 0; r < 4; r++) sums.fill(0, r * columnBlock, r * columnBlock + width);
      fourRows(sums, a, aOffset + i * kp, b, bOffset + first, kp, n, width);
      for (let r = 0; r < 4; r++) store(sums, r * columnBlock, c, cOffset + (i + r) * n + first, width);
    }
    for (; i < m; i++) {
      sums.fill(0, 0, width);
      oneRow(sums, a, aOffset + i * kp, b, bOffset + first, kp, n, width);
      store(sums, 0, c, cOffset + i * n + first, width);
    }
  }
}

function store(from: Float64Array, start: number, to: { [i: number]: number }, offset: number, count: number): void {
  for (let j = 0; j < count; j++) to[offset + j] = from[start + j]!;
}

/** Adds the products of four rows of `a` (of length `kp`) with `width` columns of `b` (rows `n` apart). */
function fourRows(
  t: Float64Array,
  a: Float64Array,
  a0: number,
  b: Float64Array,
  b0: number,
  kp: number,
  n: number,
  width: number,
): void {
  const a1 = a0 + kp;
  const a2 = a1 + kp;
  const a3 = a2 + kp;
  for (let k = 0; k < kp; k += 4) {
    const p0 = b0 + k * n;
    const p1 = p0 + n;
    const p2 = p1 + n;
    const p3 = p2 + n;
    const [x0, x1, x2, x3] = [a[a0 + k]!, a[a0 + k + 1]!, a[a0 + k + 2]!, a[a0 + k + 3]!];
    const [y0, y1, y2, y3] = [a[a1 + k]!, a[a1 + k + 1]!, a[a1 + k + 2]!, a[a1 + k + 3]!];
    const [z0, z1, z2, z3] = [a[a2 + k]!, a[a2 + k + 1]!, a[a2 + k + 2]!, a[a2 + k + 3]!];
    const [w0, w1, w2, w3] = [a[a3 + k]!, a[a3 + k + 1]!, a[a3 + k + 2]!, a[a3 + k + 3]!];
    for (let j = 0, j1 = columnBlock, j2 = 2 * columnBlock, j3 = 3 * columnBlock; j < width; j++, j1++, j2++, j3++) {
      const u0 = b[p0 + j]!;
      const u1 = b[p1 + j]!;
      const u2 = b[p2 + j]!;
      const u3 = b[p3 + j]!;
      t[j] = t[j]! + (x0 * u0 + x1 * u1 + x2 * u2 + x3 * u3);
      t[j1] = t[j1]! + (y0 * u0 + y1 * u1 + y2 * u2 + y3 * u3);
      t[j2] = t[j2]! + (z0 * u0 + z1 * u1 + z2 * u2 + z3 * u3);
      t[j3] = t[j3]! + (w0 * u0 + w1 * u1 + w2 * u2 + w3 * u3);
    }
  }
}

function oneRow(
  t: Float64Array,
  a: Float64Array,
  a0: number,
  b: Float64Array,
  b0: number,
  kp: number,
  n: number,
  width: number,
): void {
  for (let k = 0; k < kp; k += 4) {
    const p0 = b0 + k * n;
    const p1 = p0 + n;
    const p2 = p1 + n;
    const p3 = p2 + n;
    const [x0, x1, x2, x3] = [a[a0 + k]!, a[a0 + k + 1]!, a[a0 + k + 2]!, a[a0 + k + 3]!];
    for (let j = 0; j < width; j++)
      t[j] = t[j]! + (x0 * b[p0 + j]! + x1 * b[p1 + j]! + x2 * b[p2 + j]! + x3 * b[p3 + j]!);
  }
}

/** The same for integers, modulo 2³²: `k` is not padded. */
export function integerMatmul(
  a: Int32Array,
  aOffset: number,
  b: Int32Array,
  bOffset: number,
  c: { [i: number]: number },
  cOffset: number,
  m: number,
  k: number,
  n: number,
): void {
  const row = new Int32Array(n);
  for (let i = 0; i < m; i++) {
    row.fill(0);
    for (let t = 0; t < k; t++) {
      const x = a[aOffset + i * k + t]!;
      const p = bOffset + t * n;
      if (x !== 0) for (let j = 0; j < n; j++) row[j] = row[j]! + Math.imul(x, b[p + j]!);
    }
    for (let j = 0; j < n; j++) c[cOffset + i * n + j] = row[j]!;
  }
}

/** One lane of `rows × length` numbers as float64, each row padded with zeros to `stride` numbers. */
export function packRows(
  data: { readonly length: number; readonly [i: number]: number },
  rows: number,
  length: number,
  stride: number,
  lanes = 1,
  lane = 0,
): Float64Array {
  const out = new Float64Array(rows * stride);
  for (let r = 0, i = lane; r < rows; r++)
    for (let j = r * stride, end = j + length; j < end; j++, i += lanes) out[j] = data[i]!;
  return out;
}
