#!/usr/bin/env node
// Runs the golden cases of a data folder against a library and prints a table per family.
//
//   node run-golden.mjs [LIB] [--data DIR] [--family A,B] [--fn TEXT] [--list-failures] [--list-missing]
//                       [--json FILE] [--adapter FILE] [--device NAME]
//
// LIB      a module path or package name; without it, the entry that ./package.json of the current folder names.
// --data   the folder of case files (default: ./golden beside this script).
// --adapter  a module that may export any of the functions of ADAPTER below, to fit another calling style.
//
// JS names are the camelCase of the Python names. Adapter functions and `$…` values are explained where they are read.
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const argv = process.argv.slice(2);
const flags = {};
const rest = [];
for (let i = 0; i < argv.length; i++) {
  const a = argv[i];
  if (a === '--list-failures' || a === '--list-missing') flags[a] = true;
  else if (a.startsWith('--')) flags[a] = argv[++i];
  else rest.push(a);
}

// ---------------------------------------------------------------- names
const RESERVED = new Set(('var delete in case switch with new typeof while do if for function void yield await let static enum export import null true false this throw try super return const class default else extends finally instanceof break continue debugger catch interface package private protected public implements eval arguments').split(' '));
export function camel(name, option = false) {
  let tail = '';
  while (name.endsWith('_')) { tail += '_'; name = name.slice(0, -1); }
  const parts = name.split('_').filter(Boolean);
  const base = parts.length < 2 ? name : parts[0] + parts.slice(1).map((p) => p[0].toUpperCase() + p.slice(1)).join('');
  const r = base + tail;
  return !option && RESERVED.has(r) ? r + '_' : r;
}
class Missing extends Error {}

// ---------------------------------------------------------------- adapter
const Typed = { int8: Int8Array, int16: Int16Array, int32: Int32Array, uint8: Uint8Array, uint16: Uint16Array, uint32: Uint32Array, float16: Float32Array, bfloat16: Float32Array, float32: Float32Array, float64: Float64Array };
const num = (v) => (v === 'nan' ? NaN : v === 'inf' ? Infinity : v === '-inf' ? -Infinity : v);
function halfToNumber(h) {
  const s = h & 0x8000 ? -1 : 1, e = (h >> 10) & 31, f = h & 1023;
  return e === 0 ? s * f * 2 ** -24 : e === 31 ? (f ? NaN : s * Infinity) : s * (1 + f / 1024) * 2 ** (e - 15);
}
function bfloatToNumber(h) {
  const b = new DataView(new ArrayBuffer(4)); b.setUint32(0, h << 16); return b.getFloat32(0);
}
const ADAPTER = {
  // dtype name -> what the library takes as a dtype argument
  dtype: (lib, name) => lib.numpy?.[name] ?? (name === 'bool' ? lib.numpy?.bool_ : undefined) ?? name,
  // {dtype, shape, data} -> array of the library
  array(lib, spec) {
    const np = lib.numpy;
    if (spec.dtype === 'complex64') {
      const part = (k) => ADAPTER.array(lib, { dtype: 'float32', shape: spec.shape, data: spec.data.map((z) => z[k]) });
      if (!lib.lax?.complex) throw new Missing('lax.complex');
      return lib.lax.complex(part(0), part(1));
    }
    const values = spec.data.map(num);
    const T = Typed[spec.dtype];
    const flat = spec.dtype === 'bool' ? values.map(Boolean) : T ? T.from(values) : values;
    return np.reshape(np.array(flat, { dtype: ADAPTER.dtype(lib, spec.dtype) }), spec.shape);
  },
  key: (lib, seed) => lib.random.key(seed),
  wrapKeyData: (lib, data) => {
    if (!lib.random?.wrapKeyData) throw new Missing('random.wrapKeyData');
    return lib.random.wrapKeyData(data);
  },
  keyData: (lib, key) => (lib.random?.keyData ? lib.random.keyData(key) : key),
  // one item of an index: a number, null (new axis), '...', [start, stop, step] (null: the end) or an array of the library
  indexItem: (lib, item) => item,
  at: (lib, x, items) => x.at(...items),
  // -> {shape, dtype (name or null), data (flat list)}
  async read(lib, x) {
    if (typeof x === 'number' || typeof x === 'boolean' || typeof x === 'bigint') return { shape: [], dtype: null, data: [Number(x)] };
    if (x === null || x === undefined) throw new Error('result is ' + x);
    const shape = Array.from(x.shape ?? []);
    const dtype = ADAPTER.dtypeName(lib, x.dtype);
    let data = typeof x.data === 'function' ? await x.data() : x.data;
    const size = shape.reduce((a, b) => a * b, 1);
    if (dtype === 'complex64' || dtype === 'complex128') {
      if (data.real && data.imag) data = Array.from(data.real, (r, i) => [r, data.imag[i]]);
      else if (!Array.isArray(data[0]) && data.length === 2 * size) data = Array.from({ length: size }, (_, i) => [data[2 * i], data[2 * i + 1]]);
      else data = Array.from(data, (z) => (Array.isArray(z) ? z : [z.re ?? z.real, z.im ?? z.imag]));
    } else if (data instanceof Uint16Array && dtype === 'float16') data = Array.from(data, halfToNumber);
    else if (data instanceof Uint16Array && dtype === 'bfloat16') data = Array.from(data, bfloatToNumber);
    else data = Array.from(data, Number);
    return { shape, dtype, data };
  },
  dtypeName: (lib, d) => { const s = typeof d === 'string' ? d : d?.name ?? String(d); return s === 'bool_' ? 'bool' : s; },
  // call of a named function: required arguments, then one options object when there are any
  call: (lib, fn, args, options) => (options ? fn(...args, options) : fn(...args)),
};

// ---------------------------------------------------------------- library access
function lookup(lib, dotted) {
  let o = lib;
  for (const k of dotted.split('.')) {
    if (o === undefined || o === null) return undefined;
    o = o[k];
  }
  return o;
}
function resolve(lib, fn) {
  const tries = [fn.split('.').map((p) => camel(p)).join('.')];
  const seg = fn.split('.');
  if (seg[0] === 'optim' && seg.length > 2) tries.push('optim.' + camel(seg.at(-1)));
  for (const t of tries) { const f = t && lookup(lib, t); if (f !== undefined) return f; }
  throw new Missing(tries.find(Boolean));
}
function decode(lib, v) {
  if (v === null || typeof v !== 'object') return num(v);
  if (Array.isArray(v)) return v.map((x) => decode(lib, x));
  if ('dtype' in v && 'data' in v) return ADAPTER.array(lib, v);
  if ('$dtype' in v) return ADAPTER.dtype(lib, v.$dtype);
  if ('$key' in v) return ADAPTER.key(lib, v.$key);
  if ('$keyData' in v) return ADAPTER.wrapKeyData(lib, ADAPTER.array(lib, { dtype: 'uint32', shape: [2], data: v.$keyData }));
  if ('$fn' in v) return resolve(lib, 'lax.' + v.$fn);
  if ('$schedule' in v) return resolve(lib, 'optim.' + v.$schedule[0])(...v.$schedule[1]);
  if ('$slice' in v) return [v.$slice[0] ?? null, v.$slice[1] ?? null, v.$slice[2] ?? 1];
  if ('$index' in v) return v.$index.map((x) => ADAPTER.indexItem(lib, decode(lib, x)));
  return Object.fromEntries(Object.entries(v).map(([k, x]) => [k, decode(lib, x)]));
}
function options(lib, kwargs) {
  if (!kwargs) return undefined;
  return Object.fromEntries(Object.entries(kwargs).map(([k, v]) => [camel(k, true), decode(lib, v)]));
}

// ---------------------------------------------------------------- comparison
function close(a, e, rtol, atol, signedZero) {
  if (Number.isNaN(e)) return Number.isNaN(a);
  if (!Number.isFinite(e)) return a === e;
  if (signedZero && e === 0) return Object.is(a, e);
  return Math.abs(a - e) <= atol + rtol * Math.abs(e);
}
async function compare(lib, exp, act, c, where = 'out') {
  if (exp && typeof exp === 'object' && '$tuple' in exp) {
    let list = act;
    if (!Array.isArray(list)) {
      if (list === null || typeof list !== 'object') return `${where}: expected ${exp.$tuple.length} results`;
      if (c.outNames && c.outNames.every((n) => camel(n, true) in list)) list = c.outNames.map((n) => list[camel(n, true)]);
      else if (typeof list[Symbol.iterator] === 'function') list = [...list];
      else list = Object.values(list);
    }
    if (list.length < exp.$tuple.length) return `${where}: ${list.length} results, expected ${exp.$tuple.length}`;
    for (let i = 0; i < exp.$tuple.length; i++) {
      const m = await compare(lib, exp.$tuple[i], list[i], c, `${where}[${i}]`);
      if (m) return m;
    }
    return null;
  }
  if (exp && typeof exp === 'object' && '$keyData' in exp) return compare(lib, exp.$keyData, ADAPTER.keyData(lib, act), c, where);
  if (Array.isArray(exp)) {
    const got = Array.from(act ?? []);
    if (got.length !== exp.length) return `${where}: length ${got.length}, expected ${exp.length}`;
    for (let i = 0; i < exp.length; i++) { const m = await compare(lib, exp[i], got[i], c, `${where}[${i}]`); if (m) return m; }
    return null;
  }
  if (typeof exp === 'string') { const g = ADAPTER.dtypeName(lib, act); return g === exp ? null : `${where}: ${g}, expected ${exp}`; }
  const spec = typeof exp === 'object' ? exp : { dtype: 'any', shape: [], data: [Number(exp)] };
  const got = await ADAPTER.read(lib, act);
  if (JSON.stringify(got.shape) !== JSON.stringify(spec.shape)) return `${where}: shape [${got.shape}], expected [${spec.shape}]`;
  if (got.dtype !== null && spec.dtype !== 'any' && !c.anyDtype && got.dtype !== spec.dtype) return `${where}: dtype ${got.dtype}, expected ${spec.dtype}`;
  if (got.data.length !== spec.data.length) return `${where}: ${got.data.length} values, expected ${spec.data.length}`;
  for (let i = 0; i < spec.data.length; i++) {
    const e = spec.data[i];
    if (Array.isArray(e)) {
      const [er, ei] = e.map(num), [ar, ai] = Array.isArray(got.data[i]) ? got.data[i] : [got.data[i], 0];
      const mag = Math.hypot(er, ei), tol = c.atol + c.rtol * mag;
      const ok = Number.isFinite(mag) ? Math.hypot(ar - er, ai - ei) <= tol * 1.5 : close(ar, er, c.rtol, c.atol) && close(ai, ei, c.rtol, c.atol);
      if (!ok) return `${where}: value ${i} is ${ar}${ai < 0 ? '' : '+'}${ai}i, expected ${er}${ei < 0 ? '' : '+'}${ei}i`;
    } else {
      const en = spec.dtype === 'float32' ? Math.fround(num(e)) : Number(num(e));
      if (!close(got.data[i], en, c.rtol, c.atol, c.signedZero)) return `${where}: value ${i} is ${got.data[i]}, expected ${en}`;
    }
  }
  return null;
}

// ---------------------------------------------------------------- named programs
// L(path) gives a function of the library by its Python name; all arithmetic goes through numpy.* functions.
function programs(lib) {
  const L = (p) => resolve(lib, p);
  const n = (k) => (...a) => L('numpy.' + k)(...a);
  const add = n('add'), sub = n('subtract'), mul = n('multiply'), div = n('divide'), mm = n('matmul'), sq = n('square'), neg = n('negative');
  const exp = n('exp'), log = n('log'), sin = n('sin'), cos = n('cos'), tanh = n('tanh'), sqrt = n('sqrt'), pow = n('power');
  const sum = (x, axis, keepdims) => (axis === undefined ? L('numpy.sum')(x) : L('numpy.sum')(x, keepdims ? { axis, keepdims } : { axis }));
  const mean = (x, axis, keepdims) => (axis === undefined ? L('numpy.mean')(x) : L('numpy.mean')(x, keepdims ? { axis, keepdims } : { axis }));
  const nn = (k) => (...a) => L('nn.' + k)(...a);
  const lax = (k) => (...a) => L('lax.' + k)(...a);
  const softmax = nn('softmax'), logSoftmax = nn('log_softmax'), sigmoid = nn('sigmoid');
  const reshape = n('reshape'), tr = (x, axes) => L('numpy.transpose')(x, ...(axes ? [{ axes }] : []));
  const split = (x, k) => L('numpy.split')(x, k, { axis: -1 });
  const es = (s, ...a) => L('numpy.einsum')(s, ...a);
  const dot = (x, w) => sum(mul(x, w));
  const slc = (x, a, b) => lax('slice_in_dim')(x, a, b);
  const T = (x) => tr(x);
  const la = (k) => (...a) => L('numpy.linalg.' + k)(...a);
  const eye = (k) => L('numpy.eye')(k);
  const conv = (d) => (x, k, w, o) => dot(lax('conv_general_dilated')(x, k, Array(d).fill(o.stride), Array(d).fill([o.padding, o.padding]), { rhsDilation: Array(d).fill(o.dilation), featureGroupCount: o.groups }), w);
  const norm2 = (x) => { const m = mean(x, -1, true), d = sub(x, m); return div(d, sqrt(add(mean(sq(d), -1, true), 1e-5))); };
  const rosen = (x) => { const k = x.shape[0], a = slc(x, 0, k - 1), b = slc(x, 1, k); return sum(add(mul(100, sq(sub(b, sq(a)))), sq(sub(1, a)))); };
  const grad = {
    softmax_weighted: (x, w) => dot(softmax(x), w),
    log_softmax_weighted: (x, w) => dot(logSoftmax(x), w),
    layernorm: (x, g, b, w) => dot(add(mul(norm2(x), g), b), w),
    rmsnorm: (x, g, w) => dot(mul(div(x, sqrt(add(mean(sq(x), -1, true), 1e-6))), g), w),
    batchnorm: (x, g, b, w) => { const m = mean(x, 0), d = sub(x, m); return dot(add(mul(div(d, sqrt(add(mean(sq(d), 0), 1e-5))), g), b), w); },
    conv1d: conv(1), conv2d: conv(2), conv3d: conv(3),
    maxpool2d: (x, w, o) => dot(lax('reduce_window')(x, -Infinity, L('lax.max'), [1, 1, o.window, o.window], { windowStrides: [1, 1, o.stride, o.stride], padding: 'VALID' }), w),
    avgpool2d: (x, w, o) => dot(div(lax('reduce_window')(x, 0, L('lax.add'), [1, 1, o.window, o.window], { windowStrides: [1, 1, o.stride, o.stride], padding: 'VALID' }), o.window * o.window), w),
    logsumexp: (x, w) => dot(L('nn.logsumexp')(x, { axis: -1 }), w),
    cholesky_logdet: (m) => mul(2, sum(log(n('diagonal')(la('cholesky')(add(mm(m, T(m)), mul(m.shape[0], eye(m.shape[0])))))))),
    matmul_chain: (a, b, c) => sum(sq(mm(tanh(mm(a, b)), c))),
    einsum_scores: (q, k, w) => dot(sq(es('bqd,bkd->bqk', q, k)), w),
    einsum_trilinear: (a, b, c) => add(es('i,ij,j->', a, b, c), es('ij,ij->', b, b)),
    gather_rows: (x, i, w) => dot(sq(L('numpy.take')(x, i, { axis: 0 })), w),
    cumsum: (x, w, o) => dot(L('numpy.cumsum')(x, { axis: o.axis }), w),
    cumprod: (x, w, o) => dot(L('numpy.cumprod')(x, { axis: o.axis }), w),
    sort: (x, w) => dot(n('sort')(x), w),
    norm: (x) => la('norm')(reshape(x, [-1])),
    solve: (a, b, w) => dot(la('solve')(a, b), w),
    slogdet: (a) => { const r = la('slogdet')(a); return r.logabsdet ?? r[1]; },
    inv: (a, w) => dot(la('inv')(a), w),
    det: (a) => la('det')(a),
    svdvals: (a, w) => dot(la('svdvals')(a), w),
    eigvalsh: (m, w) => dot(la('eigvalsh')(div(add(m, T(m)), 2)), w),
    triangular_solve: (a, b, w) => dot(L('scipy.linalg.solve_triangular')(n('tril')(a), b, { lower: true }), w),
    lstm_cell: (x, h, c, Wx, Wh, b, w) => {
      const [i, f, g, o] = split(add(add(mm(x, Wx), mm(h, Wh)), b), 4);
      const c2 = add(mul(sigmoid(f), c), mul(sigmoid(i), tanh(g)));
      return dot(mul(sigmoid(o), tanh(c2)), w);
    },
    gru_cell: (x, h, Wx, Wh, bx, bh, w) => {
      const a = split(add(mm(x, Wx), bx), 3), b = split(add(mm(h, Wh), bh), 3);
      const r = sigmoid(add(a[0], b[0])), z = sigmoid(add(a[1], b[1])), m = tanh(add(a[2], mul(r, b[2])));
      return dot(add(mul(sub(1, z), m), mul(z, h)), w);
    },
    mha: (x, Wq, Wk, Wv, Wo, w, o) => {
      const [t, d] = x.shape, k = d / o.heads, sp = (y) => tr(reshape(y, [t, o.heads, k]), [1, 0, 2]);
      const q = sp(mm(x, Wq)), kk = sp(mm(x, Wk)), v = sp(mm(x, Wv));
      let l = div(mm(q, tr(kk, [0, 2, 1])), Math.sqrt(k));
      if (o.causal) l = L('numpy.where')(n('tril')(L('numpy.ones')([t, t], { dtype: ADAPTER.dtype(lib, 'bool') })), l, -1e9);
      return dot(mm(reshape(tr(mm(softmax(l), v), [1, 0, 2]), [t, d]), Wo), w);
    },
    cross_entropy: (x, y) => mean(neg(sum(mul(logSoftmax(x), nn('one_hot')(y, x.shape[1])), -1))),
    sigmoid_bce: (x, y) => mean(sub(nn('softplus')(x), mul(x, y))),
    mlp_tanh: (x, w1, b1, w2, b2, y) => mean(sq(sub(add(mm(tanh(add(mm(x, w1), b1)), w2), b2), y))),
    mlp_gelu: (x, w1, b1, w2, b2, y) => mean(sq(sub(add(mm(nn('gelu')(add(mm(x, w1), b1)), w2), b2), y))),
    elementwise_chain: (x) => sum(add(add(mul(sin(x), exp(neg(sq(x)))), n('log1p')(sq(x))), mul(tanh(x), sigmoid(x)))),
    where: (x) => sum(n('where')(n('greater')(x, 0), sq(x), mul(-3, x))),
    max_reduce: (x, w) => dot(L('numpy.max')(x, { axis: -1 }), w),
    min_reduce: (x, w) => dot(L('numpy.min')(x, { axis: 0 }), w),
    prod_reduce: (x, w) => dot(L('numpy.prod')(x, { axis: -1 }), w),
    std_reduce: (x, w) => dot(L('numpy.std')(x, { axis: -1 }), w),
    power: (x, y) => sum(pow(x, y)),
    logaddexp: (x, y, w) => dot(n('logaddexp')(x, y), w),
    huber: (p, t) => sum(L('optim.losses.huber_loss')(p, { targets: t })),
    concat_pad: (x, y, w) => dot(sq(n('pad')(L('numpy.concatenate')([x, y], { axis: 1 }), [[0, 0], [1, 2]])), w),
    broadcast_mul: (x, y) => sum(sq(mul(n('expand_dims')(x, 1), n('expand_dims')(y, 0)))),
    take_along_axis: (x, i, w) => dot(L('numpy.take_along_axis')(x, i, { axis: 1 }), w),
    erf: (x, w) => dot(lax('erf')(x), w),
    gammaln: (x, w) => dot(L('scipy.special.gammaln')(x), w),
    digamma: (x, w) => dot(L('scipy.special.digamma')(x), w),
    erfinv: (x, w) => dot(L('scipy.special.erfinv')(x), w),
    rfft_power: (x, w) => { const z = L('numpy.fft.rfft')(x); return dot(add(sq(n('real')(z)), sq(n('imag')(z))), w); },
    segment_sum: (x, i, w) => dot(sq(L('ops.segment_sum')(x, i, { numSegments: 4 })), w),
    clip: (x, w) => dot(mul(L('numpy.clip')(x, { min: -0.5, max: 0.7 }), x), w),
    roll_flip: (x, w) => dot(mul(L('numpy.roll')(x, 1, { axis: -1 }), L('numpy.flip')(x, { axis: -1 })), w),
    tril_mask: (x, w) => dot(mm(n('tril')(x), n('triu')(x)), w),
    outer_trace: (x, y) => n('trace')(mm(n('outer')(x, y), n('outer')(y, x))),
    arctan2: (x, y, w) => dot(n('arctan2')(x, y), w),
    inverse_trig: (x, w) => dot(add(add(n('arcsin')(x), sq(n('arccos')(x))), add(n('arctan')(x), n('arctanh')(x))), w),
    hyperbolic: (x, w) => dot(add(add(n('sinh')(x), n('cosh')(x)), n('arcsinh')(x)), w),
    roots: (x, w) => dot(add(add(sqrt(x), lax('rsqrt')(x)), add(n('cbrt')(x), n('reciprocal')(x))), w),
    logs: (x, w) => dot(add(add(log(x), n('log2')(x)), add(n('log10')(x), n('expm1')(div(x, 5)))), w),
    activations: (x, w) => dot([nn('silu')(x), nn('softplus')(x), nn('elu')(x), nn('selu')(x), nn('leaky_relu')(x), nn('mish')(x), L('nn.gelu')(x, { approximate: false })].reduce((a, b) => add(a, b)), w),
    dot_product_attention: (q, k, v, w) => dot(nn('dot_product_attention')(q, k, v), w),
    scan_rnn: (x, h, W, U) => {
      const [, ys] = lax('scan')((c, xt) => { const h2 = tanh(add(mm(xt, W), mm(c, U))); return [h2, sum(sq(h2))]; }, h, x);
      return sum(ys);
    },
    while_newton: (a) => {
      const [y] = lax('scan')((c) => [mul(0.5, add(c, div(a, c))), null], a, null, { length: 6 });
      return sum(y);
    },
    at_add: (x, i, v, w) => dot(sq(ADAPTER.at(lib, x, [i]).add(v)), w),
    dynamic_slice: (x, w) => dot(sq(lax('dynamic_slice')(x, [1, 1], [2, 3])), w),
    kl_softmax: (a, b) => sum(mul(softmax(b), sub(logSoftmax(b), logSoftmax(a)))),
    matrix_norms: (a) => add(add(la('norm')(a), la('norm')(a, { ord: 1 })), la('norm')(a, { ord: Infinity })),
    qr_r_diag: (a) => { const r = la('qr')(a); return sum(log(n('abs')(n('diagonal')(r.R ?? r[1])))); },
    expm: (a, w) => dot(L('scipy.linalg.expm')(a), w),
    interp_lerp: (x, y, t) => sum(pow(add(x, mul(sub(y, x), t)), 3)),
    batched_matmul: (a, b, w) => dot(mm(a, b), w),
    quadratic_form: (x, A) => n('dot')(mm(x, A), x),
    var_ddof1: (x) => L('numpy.var')(x, { ddof: 1 }),
    median: (x, w) => dot(L('numpy.median')(x, { axis: -1 }), w),
  };
  const scalar = {
    rosenbrock: rosen,
    logsumexp: (x) => nn('logsumexp')(sq(x)),
    sin_exp: (x) => mul(sum(mul(sin(x), exp(x))), sum(x)),
    norm4: (x) => sq(sum(sq(x))),
    softmax_ent: (x) => neg(sum(mul(softmax(x), logSoftmax(x)))),
    tanh_prod: (x) => n('prod')(tanh(x)),
    log_quadratic: (x) => { const k = x.shape[0]; return log(add(add(1, sum(sq(x))), mul(sum(slc(x, 0, 1)), sum(slc(x, k - 1, k))))); },
    cubic_chain: (x) => { const k = x.shape[0]; return sum(mul(pow(slc(x, 0, k - 1), 3), slc(x, 1, k))); },
  };
  const at = (x, i) => sum(slc(x, i, i + 1));
  const vector = {
    softmax: (x) => softmax(x),
    poly: (x) => L('numpy.stack')([mul(at(x, 0), at(x, 1)), mul(sq(at(x, 1)), at(x, x.shape[0] - 1)), sum(sin(x))]),
    cumsum_sq: (x) => n('cumsum')(sq(x)),
    outer_flat: (x) => reshape(n('outer')(x, tanh(x)), [-1]),
  };
  const g = (f, o) => (o ? L('grad')(f, o) : L('grad')(f));
  const vmap = (f, o) => (o ? L('vmap')(f, o) : L('vmap')(f));
  const pair = (r, a, b) => [r[a] ?? r[0], r[b] ?? r[1]];
  const prog = {
    eigh_reconstruct: (A) => { const r = la('eigh')(A); const [w, v] = pair(r, 'eigenvalues', 'eigenvectors'); return [mm(mul(v, w), T(v)), mm(T(v), v), w]; },
    svd_reconstruct: (A) => {
      const r = la('svd')(A, { fullMatrices: false }); const u = r.U ?? r[0], s = r.S ?? r[1], vt = r.Vh ?? r[2];
      return [mm(mul(u, n('expand_dims')(s, -2)), vt), mm(n('matrix_transpose')(u), u), s];
    },
    qr_reconstruct: (A) => { const r = la('qr')(A); const [q, R] = pair(r, 'Q', 'R'); return [mm(q, R), mm(n('matrix_transpose')(q), q), n('abs')(L('numpy.diagonal')(R, { axis1: -2, axis2: -1 }))]; },
    cho_factor_solve: (A, b) => L('scipy.linalg.cho_solve')(L('scipy.linalg.cho_factor')(A), b),
    lu_reconstruct: (A) => { const r = L('scipy.linalg.lu')(A); return mm(mm(r[0], r[1]), r[2]); },
    lu_solve: (A, b) => L('scipy.linalg.lu_solve')(L('scipy.linalg.lu_factor')(A), b),
    lstsq_x: (A, b) => { const r = la('lstsq')(A, b); return r.x ?? (Array.isArray(r) ? r[0] : Object.values(r)[0]); },
    vmap_matvec: (A, x) => vmap((a, v) => mm(a, v))(A, x),
    vmap_in_axes_none: (A, x) => vmap((a, v) => mm(a, v), { inAxes: [null, 0] })(A, x),
    vmap_in_axes_1: (x) => vmap((v) => sum(sq(v)), { inAxes: 1 })(x),
    vmap_nested_outer: (x, y) => vmap((a) => vmap((b) => n('vdot')(a, b))(y))(x),
    vmap_out_axes_1: (x) => vmap((v) => mul(2, v), { outAxes: 1 })(x),
    vmap_solve: (W, x) => vmap((a, v) => la('solve')(a, v))(W, x),
    vmap_grad: (x) => vmap(g((v) => sum(mul(sin(v), v))))(x),
    vmap_sort: (x) => vmap((v) => n('sort')(v))(x),
    vmap_cumsum: (x) => vmap((v) => n('cumsum')(v))(x),
    vmap_dynamic_slice: (x, i) => vmap((v, k) => lax('dynamic_slice')(v, [k], [2]))(x, i),
    scan_cumsum: (xs) => lax('scan')((c, x) => { const s = add(c, x); return [s, s]; }, L('numpy.zeros')([xs.shape[1]]), xs),
    scan_reverse: (xs) => lax('scan')((c, x) => { const s = add(c, x); return [s, s]; }, L('numpy.zeros')([xs.shape[1]]), xs, { reverse: true }),
    scan_length: (x) => lax('scan')((c) => [mul(c, 2), c], x, null, { length: 4 }),
    fori_power: (a) => lax('fori_loop')(0, 5, (i, v) => mul(v, a), n('ones_like')(a)),
    fori_fibonacci: (k) => { const one = () => L('numpy.array')(1, { dtype: ADAPTER.dtype(lib, 'int32') }); return lax('fori_loop')(0, k, (i, [a, b]) => [b, add(a, b)], [one(), one()])[0]; },
    while_collatz: (s) => {
      const I = (v) => L('numpy.array')(v, { dtype: ADAPTER.dtype(lib, 'int32') });
      return lax('while_loop')(([x]) => n('not_equal')(x, 1), ([x, c]) => [n('where')(n('equal')(n('remainder')(x, 2), 0), n('floor_divide')(x, 2), add(mul(3, x), 1)), add(c, 1)], [I(s), I(0)])[1];
    },
    cond_select: (p, a) => lax('cond')(p, (x) => sin(x), (x) => cos(x), a),
    switch_branches: (i, a) => lax('switch')(i, [(x) => mul(x, 1), (x) => mul(x, 2), (x) => sq(x)], a),
    lax_map_square_sum: (xs) => lax('map')((x) => sum(sq(x)), xs),
    associative_scan_add: (xs) => lax('associative_scan')((a, b) => add(a, b), xs),
    associative_scan_mul_reverse: (xs) => lax('associative_scan')((a, b) => mul(a, b), xs, { reverse: true }),
    jit_same: (x, a) => L('jit')((u, v) => sum(tanh(mul(u, v)), 0))(x, a),
    jit_static_argnums: (a, k) => L('jit')((x, m) => pow(x, m), { staticArgnums: [1] })(a, k),
    stop_gradient: (a) => g((x) => sum(mul(mul(x, 2), lax('stop_gradient')(x))))(a),
    custom_jvp_scaled: (a) => {
      const f = L('custom_jvp')((x) => sq(x));
      f.defjvp(([x], [t]) => [sq(x), mul(mul(3, x), t)]);
      return g((x) => sum(f(x)))(a);
    },
    custom_vjp_clip: (a) => {
      const f = L('custom_vjp')((x) => mul(x, 1));
      f.defvjp((x) => [mul(x, 1), x], (res, ct) => [L('numpy.clip')(ct, { min: -1, max: 1 })]);
      return g((x) => sum(sq(f(x))))(a);
    },
    checkpoint_grad: (a) => g((x) => sum(sin(L('checkpoint')((y) => sin(y))(x))))(a),
    grad_has_aux: (a) => g((x) => [sum(sq(x)), sum(pow(x, 3))], { hasAux: true })(a),
    value_and_grad: (a) => L('value_and_grad')((x) => sum(pow(x, 3)))(a),
    grad_argnums: (a, b) => g((x, y) => sum(mul(x, y)), { argnums: [0, 1] })(a, b),
    grad_of_grad: (a) => g(g((x) => add(sin(x), pow(x, 3))))(a),
    linearize: (a, b) => { const [y, f] = L('linearize')((x) => sin(x), a); return [y, f(b)]; },
    linear_transpose: (q, v) => { const r = L('linear_transpose')((x) => mm(q, x), v)(v); return Array.isArray(r) ? r[0] : r; },
    tree_grad_dict: (a, b) => { const r = g((p) => add(sum(sq(p.w)), mul(3, sum(p.b))))({ w: a, b }); return [r.w, r.b]; },
    ravel_pytree: (a, q) => { const [flat, un] = L('flatten_util.ravel_pytree')([a, q]); const t = un(mul(flat, 2)); return [flat, t[0], t[1]]; },
    tree_map_add: (a, b) => { const t = L('tree.map')((x, y) => add(x, y), { u: a, v: a }, { u: b, v: a }); return [t.u, t.v]; },
    closure_capture_grad: (a, b) => g((x) => sum(mul(b, exp(x))))(a),
    jit_grad_vmap: (xs) => L('jit')(vmap(g((v) => sum(pow(v, 3)))))(xs),
    hessian_diag_vmap: (a) => vmap(g(g((x) => pow(x, 3))))(a),
    fixed_point_sqrt: (y) => lax('fori_loop')(0, 20, (i, v) => mul(0.5, add(v, div(y, v))), y),
    eval_shape: (a, b) => { const S = L('ShapeDtypeStruct'), f = ADAPTER.dtype(lib, 'float32'); return Array.from(L('eval_shape')((x, y) => mm(x, y), new S(a, f), new S(b, f)).shape); },
    minimize_bfgs_rosenbrock: (x0) => L('scipy.optimize.minimize')(rosen, x0, { method: 'BFGS' }).x,
    cg_solve: (A, b) => L('scipy.sparse.linalg.cg')((v) => mm(A, v), b)[0],
    gmres_solve: (A, b) => L('scipy.sparse.linalg.gmres')((v) => mm(A, v), b)[0],
    bicgstab_solve: (A, b) => L('scipy.sparse.linalg.bicgstab')((v) => mm(A, v), b)[0],
  };
  const kinds = {
    grad: (name, args, o, c) => {
      const f = grad[name], call = (xs) => (o ? f(...xs, o) : f(...xs));
      return [call(args), ...c.wrt.map((i) => g((t) => call(args.map((a, j) => (j === i ? t : a))))(args[i]))];
    },
    hvp: (name, [x, v]) => L('jvp')(g(scalar[name]), [x], [v])[1],
    jvp: (name, [x, v]) => L('jvp')(scalar[name], [x], [v]),
    hessian: (name, [x]) => L('hessian')(scalar[name])(x),
    jacfwd: (name, [x]) => L('jacfwd')(vector[name])(x),
    jacrev: (name, [x]) => L('jacrev')(vector[name])(x),
    vjp: (name, [x, ct]) => { const [y, pull] = L('vjp')(vector[name], x); const r = pull(ct); return [y, Array.isArray(r) ? r[0] : r]; },
    prog: (name, args, o) => (o ? prog[name](...args, o) : prog[name](...args)),
    at: (op, [x, idx, v], o) => {
      const ref = ADAPTER.at(lib, x, idx);
      if (typeof ref?.[op] !== 'function') throw new Missing('at().' + op);
      return op === 'get' ? (o ? ref.get(o) : ref.get()) : o ? ref[op](v, o) : ref[op](v);
    },
    init: (name, [key, shape], o) => { const f = L('nn.initializers.' + name); return name === 'zeros' || name === 'ones' ? f(key, shape) : (o ? f(o) : f())(key, shape); },
    schedule: async (name, args, o, c) => {
      const f = L('optim.' + name), s = o ? f(...args, o) : f(...args), out = [];
      for (const t of c.steps) out.push((await ADAPTER.read(lib, await s(t))).data[0]);
      return { shape: [out.length], dtype: 'float32', data: out };
    },
    optim: (name, [req, problem, x0, c0, t0], o, c) => {
      const opt = o ? L('optim.' + name)(...req, o) : L('optim.' + name)(...req);
      const f = problem === 'quadratic' ? (x) => mul(0.5, sum(mul(c0, sq(sub(x, t0))))) : rosen;
      let x = x0, state = opt.init(x), out = [];
      for (let i = 1; i <= 20; i++) {
        const r = opt.update(g(f)(x), state, x);
        const [u, st] = Array.isArray(r) ? r : [r.updates, r.state];
        state = st; x = L('optim.apply_updates')(x, u);
        if (c.steps.includes(i)) out.push(x);
      }
      return L('numpy.stack')(out);
    },
    transform: (name, [req, gs, params], o) => {
      const opt = o ? L('optim.' + name)(...req, o) : L('optim.' + name)(...req);
      let state = opt.init(params); const out = [];
      for (let i = 0; i < gs.shape[0]; i++) {
        const r = opt.update(lax('index_in_dim')(gs, i, { axis: 0, keepdims: false }), state, params);
        const [u, st] = Array.isArray(r) ? r : [r.updates, r.state];
        state = st; out.push(u);
      }
      return L('numpy.stack')(out);
    },
  };
  return kinds;
}

// ---------------------------------------------------------------- main
async function loadLib() {
  let target = rest[0];
  if (!target) {
    const pj = path.resolve('package.json');
    if (!fs.existsSync(pj)) throw new Error('no library given and no package.json in the current folder');
    const p = JSON.parse(fs.readFileSync(pj, 'utf8'));
    let e = p.exports?.['.'] ?? p.exports;
    while (e && typeof e === 'object') e = e.import ?? e.node ?? e.default ?? Object.values(e)[0];
    target = path.resolve(e ?? p.module ?? p.main ?? 'dist/index.js');
  }
  const m = fs.existsSync(target) ? await import(pathToFileURL(path.resolve(target)).href) : await import(target);
  return m.numpy ? m : m.default ?? m;
}
async function main() {
  if (flags['--adapter']) Object.assign(ADAPTER, await import(pathToFileURL(path.resolve(flags['--adapter'])).href));
  const lib = await loadLib();
  if (ADAPTER.setup) await ADAPTER.setup(lib);
  else if (flags['--device']) { if (typeof lib.init === 'function') await lib.init(); lib.defaultDevice(flags['--device']); }
  const dir = path.resolve(flags['--data'] ?? path.join(here, 'golden'));
  const only = flags['--family']?.split(',');
  const P = programs(lib);
  const rows = [], failures = [], missing = new Map(), report = {};
  for (const file of fs.readdirSync(dir).filter((f) => f.endsWith('.json')).sort()) {
    const { family, cases } = JSON.parse(fs.readFileSync(path.join(dir, file), 'utf8'));
    if (only && !only.includes(family)) continue;
    const row = { family, passed: 0, failed: 0, missing: 0 };
    for (const c of cases) {
      if (flags['--fn'] && !c.fn.includes(flags['--fn'])) continue;
      let msg = null, status = 'passed';
      try {
        const m = /^([a-z]+):(.+)$/.exec(c.fn);
        const fn = m ? null : resolve(lib, c.fn);
        const args = c.args.map((a) => decode(lib, a)), opt = options(lib, c.kwargs);
        const work = (async () => {
          const got = await (m ? P[m[1]](m[2], args, opt, c) : ADAPTER.call(lib, fn, args, opt, c));
          return compare(lib, c.out, got, c);
        })();
        let timer;
        msg = await Promise.race([work, new Promise((_, no) => { timer = setTimeout(() => no(new Error('no result within 60 s')), 60000); })]).finally(() => clearTimeout(timer));
        if (msg) status = 'failed';
      } catch (e) {
        status = e instanceof Missing ? 'missing' : 'failed';
        msg = e instanceof Missing ? e.message : String(e?.message ?? e).split('\n')[0];
      }
      row[status]++;
      report[c.id] = status;
      if (status === 'failed') failures.push(`${c.id}: ${msg}`);
      if (status === 'missing') missing.set(msg, (missing.get(msg) ?? 0) + 1);
    }
    if (row.passed + row.failed + row.missing) rows.push(row);
  }
  const tot = rows.reduce((a, r) => ({ family: 'total', passed: a.passed + r.passed, failed: a.failed + r.failed, missing: a.missing + r.missing }), { passed: 0, failed: 0, missing: 0 });
  const pad = (s, k) => String(s).padStart(k);
  console.log('family'.padEnd(24) + pad('passed', 8) + pad('failed', 8) + pad('missing', 9) + pad('total', 8) + pad('%', 7));
  for (const r of [...rows, tot]) {
    const t = r.passed + r.failed + r.missing;
    console.log(r.family.padEnd(24) + pad(r.passed, 8) + pad(r.failed, 8) + pad(r.missing, 9) + pad(t, 8) + pad(((100 * r.passed) / Math.max(t, 1)).toFixed(1), 7));
  }
  const had = tot.passed + tot.failed;
  console.log(`\nof the ${had} cases whose functions exist, ${tot.passed} passed (${((100 * tot.passed) / Math.max(had, 1)).toFixed(1)} %)`);
  if (flags['--list-failures']) for (const f of failures) console.log('FAIL ' + f);
  if (flags['--list-missing']) for (const [k, v] of [...missing].sort((a, b) => b[1] - a[1])) console.log(`MISSING ${k} (${v} cases)`);
  if (flags['--json']) fs.writeFileSync(flags['--json'], JSON.stringify({ families: rows, total: tot, cases: report }, null, 1));
  process.exit(0);
}
main().catch((e) => { console.error(e); process.exit(2); });
