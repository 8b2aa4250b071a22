"""Writes tests/optim/optax.json: the parameters after each of some steps of optax (pip install jax optax), in 64-bit floats.

Run from the root of the repository, then format with prettier. tests/optim/optax.test.ts makes the same runs.
"""
import json, jax, jax.numpy as jnp, optax, math
from optax import contrib
jax.config.update("jax_enable_x64", True)
params = {"b": jnp.array([0.5, -1.0, 2.0]), "w": jnp.array([[1.0, -2.0], [0.3, 0.7], [-0.4, 1.5]])}
target = {"b": jnp.array([1.0, 0.0, -1.0]), "w": jnp.array([[0.0, 1.0], [2.0, -1.0], [0.5, 0.5]])}
scale = {"b": jnp.array([1.0, 2.0, 0.5]), "w": jnp.array([[3.0, 1.0], [0.2, 1.0], [1.0, 2.0]])}
def loss(p):
    return sum(jnp.sum(c * (x - t) ** 2) / 2 + jnp.sum((x - t) ** 4) / 8 for x, t, c in zip(jax.tree.leaves(p), jax.tree.leaves(target), jax.tree.leaves(scale)))
def flat(p): return [float(x) for l in jax.tree.leaves(p) for x in l.ravel()]
out = {}
def run(name, tx, steps=6, extra=True, bad=(), opaque=False):
    p, s, rows = params, tx.init(params), []
    tx = optax.with_extra_args_support(tx)
    for i in range(steps):
        v, g = jax.value_and_grad(loss)(p)
        if i in bad: g = jax.tree.map(lambda x: x.at[0].set(jnp.nan), g)
        kw = dict(grad_fn=lambda q, i: jax.grad(loss)(q)) if opaque else dict(value=v, grad=g, value_fn=loss) if extra else {}
        u, s = tx.update(g, s, p, **kw)
        p = optax.apply_updates(p, u)
        rows.append(flat(p))
    out[name] = rows
run("adafactor", optax.adafactor(0.1), extra=False)
run("adafactor factored", optax.adafactor(0.1, min_dim_size_to_factor=2, momentum=0.5, dtype_momentum=jnp.float64, weight_decay_rate=0.01), extra=False)
run("adafactor relative", optax.adafactor(min_dim_size_to_factor=2, multiply_by_parameter_scale=True, clipping_threshold=None, decay_offset=-2), extra=False)
run("scaleByFactoredRms", optax.chain(optax.scale_by_factored_rms(min_dim_size_to_factor=2, decay_rate=0.6), optax.scale(-0.1)), extra=False)
run("lbfgs", optax.lbfgs(), 10)
run("lbfgs memory", optax.lbfgs(memory_size=2, scale_init_precond=False), 10)
run("lbfgs plain", optax.lbfgs(0.5, memory_size=3, linesearch=None), 8, extra=False)
run("zoom", optax.chain(optax.sgd(1.0), optax.scale_by_zoom_linesearch(20)), 6)
run("zoom options", optax.chain(optax.sgd(0.01), optax.scale_by_zoom_linesearch(20, max_learning_rate=50.0, curv_rtol=0.1, increase_factor=3.0, approx_dec_rtol=None, initial_guess_strategy="one")), 6)
run("backtracking", optax.chain(optax.sgd(1.0), optax.scale_by_backtracking_linesearch(15)), 6)
run("backtracking options", optax.chain(optax.sgd(1.0), optax.scale_by_backtracking_linesearch(15, slope_rtol=0.3, decrease_factor=0.5, increase_factor=2.0, max_learning_rate=4.0, rtol=0.01, store_grad=True)), 6)
run("MultiSteps", optax.MultiSteps(optax.adam(0.1, 0.5, 0.75), 3, accumulator_dtype=jnp.float64).gradient_transformation(), 9, extra=False)
run("MultiSteps sum", optax.MultiSteps(optax.adam(0.1, 0.5, 0.75), lambda n: n + 1, use_grad_mean=False, accumulator_dtype=jnp.float64).gradient_transformation(), 9, extra=False)
run("MultiSteps skip", optax.MultiSteps(optax.sgd(0.1), 2, should_skip_update_fn=optax.skip_not_finite, accumulator_dtype=jnp.float64).gradient_transformation(), 8, extra=False, bad=(1, 4))
run("applyIfFinite", optax.apply_if_finite(optax.adam(0.1, 0.5, 0.75), 2), 6, extra=False, bad=(1, 3))
run("conditionallyTransform", optax.conditionally_transform(optax.adam(-0.1, 0.5, 0.75), lambda n: n % 2 == 0), 2, extra=False)
run("conditionallyMask", optax.conditionally_mask(optax.adam(0.1, 0.5, 0.75), lambda n: n % 2 == 0), 5, extra=False)
run("flatten", optax.flatten(optax.lars(0.5)), 5, extra=False)
run("selectiveTransform", optax.selective_transform(optax.adam(0.1, 0.5, 0.75), freeze_mask={"b": True, "w": False}), 4, extra=False)
run("injectHyperparams", optax.inject_hyperparams(optax.adamw)(learning_rate=optax.linear_schedule(0.3, 0.1, 4), b1=0.5, b2=0.75, weight_decay=0.01), 6, extra=False)
run("muon", contrib.muon(0.1, adam_b1=0.5, adam_b2=0.75, beta=0.75), 5, extra=False)
run("muon options", contrib.muon(0.1, adam_b1=0.5, adam_b2=0.75, ns_steps=4, beta=0.5, weight_decay=0.01, nesterov=False, adaptive=True, consistent_rms=0.2, adam_learning_rate=0.05), 5, extra=False)
run("muon dion aol", contrib.muon(0.1, adam_b1=0.5, adam_b2=0.75, beta=0.75, ns_coeffs="dion", preconditioning="aol"), 5, extra=False)
run("muon schatten", contrib.muon(0.1, adam_b1=0.5, adam_b2=0.75, beta=0.75, preconditioning="schatten"), 5, extra=False)
run("sam", contrib.sam(optax.adam(0.1, 0.5, 0.75), optax.chain(contrib.normalize(), optax.sgd(0.05))), 6, extra=False)
run("sam three", contrib.sam(optax.sgd(0.05), optax.sgd(0.01, 0.9), sync_period=3, reset_state=False), 6, extra=False)
run("sam opaque", contrib.sam(optax.adam(0.1, 0.5, 0.75), optax.chain(contrib.normalize(), optax.sgd(0.05)), opaque_mode=True, sync_period=3), 4, opaque=True)
# lookahead: fast and slow
for name, reset in (("lookahead", False), ("lookahead reset", True)):
    tx = optax.lookahead(optax.adam(0.1, 0.5, 0.75), 3, 0.4, reset)
    p = optax.LookaheadParams.init_synced(params); s = tx.init(p); rows = []
    for i in range(7):
        u, s = tx.update(jax.grad(loss)(p.fast), s, p); p = optax.apply_updates(p, u); rows.append(flat(p.fast) + flat(p.slow))
    out[name] = rows
# reduceOnPlateau: the scale after each value
values = [5, 4, 4, 4, 4, 3.9, 3.9, 3.9, 3.9, 3.9, 3.9, 3.9, 3, 3, 3, 3]
for name, kw in (("plateau", dict(factor=0.5, patience=2)), ("plateau options", dict(factor=0.2, patience=1, rtol=0.0, atol=0.05, cooldown=2, accumulation_size=2, min_scale=0.05))):
    tx = contrib.reduce_on_plateau(**kw); s = tx.init(params); rows = []
    for v in values:
        _, s = tx.update(params, s, params, value=v); rows.append([float(s.scale), float(s.best_value) if math.isfinite(s.best_value) else 1e9, float(s.plateau_count), float(s.cooldown_count), float(s.count), float(s.avg_value)])
    out[name] = rows
json.dump({"source": "optax %s, jax %s, 64-bit" % (optax.__version__, jax.__version__), "cases": {k: [[float("%.10g" % x) for x in r] for r in v] for k, v in out.items()}}, open("tests/optim/optax.json", "w"))
for k, v in out.items(): print(k, len(v), v[-1][:4])
