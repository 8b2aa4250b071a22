/** What one would write by hand in JavaScript: plain loops over typed arrays, in the order that memory likes. */

export function chainOf20(x: Float32Array): Float32Array {
  const out = new Float32Array(x.length);
  for (let i = 0; i < x.length; i++) {
    let v = x[i]!;
    for (let k = 0; k < 10; k++) v = v * 0.9 + 0.1;
    out[i] = v;
  }
  return out;
}

export function sum(x: Float32Array): number {
  let total = 0;
  for (let i = 0; i < x.length; i++) total += x[i]!;
  return total;
}

export function softmax(x: Float32Array, rows: number): Float32Array {
  const n = x.length / rows;
  const out = new Float32Array(x.length);
  for (let r = 0, at = 0; r < rows; r++, at += n) {
    let most = -Infinity;
    for (let i = at; i < at + n; i++) if (x[i]! > most) most = x[i]!;
    let total = 0;
    for (let i = at; i < at + n; i++) total += out[i] = Math.exp(x[i]! - most);
    for (let i = at; i < at + n; i++) out[i] = out[i]! / total;
  }
  return out;
}

export function layerNorm(x: Float32Array, rows: number, scale: Float32Array, shift: Float32Array): Float32Array {
  const n = x.length / rows;
  const out = new Float32Array(x.length);
  for (let r = 0, at = 0; r < rows; r++, at += n) {
    let [mean, variance] = [0, 0];
    for (let i = 0; i < n; i++) mean += x[at + i]!;
    mean /= n;
    for (let i = 0; i < n; i++) variance += (x[at + i]! - mean) ** 2;
    const by = 1 / Math.sqrt(variance / n + 1e-5);
    for (let i = 0; i < n; i++) out[at + i] = (x[at + i]! - mean) * by * scale[i]! + shift[i]!;
  }
  return out;
}

/** Rows of the right operand are walked through, so that the inner loop is contiguous. */
export function matmul(a: Float32Array, b: Float32Array, m: number, k: number, n: number): Float32Array {
  const out = new Float32Array(m * n);
  for (let i = 0; i < m; i++)
    for (let p = 0; p < k; p++) {
      const v = a[i * k + p]!;
      for (let j = 0; j < n; j++) out[i * n + j] = out[i * n + j]! + v * b[p * n + j]!;
    }
  return out;
}

/** Channels first, stride 1, zeros around. */
export function conv3x3(
  x: Float32Array,
  w: Float32Array,
  images: number,
  from: number,
  to: number,
  size: number,
): Float32Array {
  const out = new Float32Array(images * to * size * size);
  for (let n = 0; n < images; n++)
    for (let o = 0; o < to; o++)
      for (let c = 0; c < from; c++)
        for (let di = -1; di <= 1; di++)
          for (let dj = -1; dj <= 1; dj++) {
            const v = w[((o * from + c) * 3 + di + 1) * 3 + dj + 1]!;
            for (let i = Math.max(0, -di); i < Math.min(size, size - di); i++) {
              const [row, source] = [((n * to + o) * size + i) * size, ((n * from + c) * size + i + di) * size + dj];
              for (let j = Math.max(0, -dj); j < Math.min(size, size - dj); j++)
                out[row + j] = out[row + j]! + v * x[source + j]!;
            }
          }
  return out;
}

/** Softmax of scaled scores times values, head by head. */
export function attention(
  q: Float32Array,
  k: Float32Array,
  v: Float32Array,
  heads: number,
  n: number,
  d: number,
): Float32Array {
  const out = new Float32Array(heads * n * d);
  const scores = new Float32Array(n);
  for (let h = 0; h < heads; h++)
    for (let i = 0; i < n; i++) {
      const at = (h * n + i) * d;
      for (let j = 0; j < n; j++) {
        let s = 0;
        for (let c = 0; c < d; c++) s += q[at + c]! * k[(h * n + j) * d + c]!;
        scores[j] = s / Math.sqrt(d);
      }
      const weights = softmax(scores, 1);
      for (let j = 0; j < n; j++)
        for (let c = 0; c < d; c++) out[at + c] = out[at + c]! + weights[j]! * v[(h * n + j) * d + c]!;
    }
  return out;
}
