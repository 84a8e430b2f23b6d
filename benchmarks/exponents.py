"""Accuracy of Lyapunov spectra at equal work: dynlib, lyapax and jitcode, each with its own means.

    python benchmarks/exponents.py

prints, for each code and length of the run, the processor time and the errors of the exponents of
the Lorenz system: of the largest one against 0.90566, and of the sum, which is -41/3 exactly.
Errors are root mean squares over several starts.
"""

import json
import math
import subprocess
import sys
import time
from functools import cache
from pathlib import Path

import environments

LARGEST, SUM = 0.90566, -41.0 / 3.0
DT, RENORM = 1e-2, 10
LENGTHS = (6_000, 60_000, 600_000)
STARTS = ((1.0, 1.0, 1.0), (-5.0, -7.0, 20.0), (8.0, 3.0, 30.0), (2.0, 4.0, 15.0))
SIDES = {"dynlib": "ours", "lyapax": "exponents", "jitcode": "exponents"}
LONGEST = {"jitcode": 6_000, "lyapax": 60_000}  # more would take minutes


@cache
def lorenz():
    from dynlib import setup

    return setup("builtin://ode/lorenz", stepper="rk4")


def with_dynlib(steps, start):
    from dynlib.observers import lyapunov_spectrum

    ic = dict(zip("xyz", start, strict=True))
    run = {"T": steps * DT, "dt": DT, "record": False, "transient": 0.0, "ic": ic}
    observed = lorenz().run(observers=[lyapunov_spectrum(renorm_every=RENORM)], **run).observers
    return observed["lyapunov_spectrum"].exponents


def with_lyapax(steps, start):
    import jax

    jax.config.update("jax_enable_x64", True)
    import jax.numpy as jnp
    from lyapax import lyapunov_spectrum, ode_problem

    def rhs(state):
        x, y, z = state
        return jnp.array([10.0 * (y - x), x * (28.0 - z) - y, x * y - 8.0 / 3.0 * z])

    problem = ode_problem(rhs, state0=jnp.array(start), dt=DT)
    result = lyapunov_spectrum(problem, n_steps=steps, renorm_every=RENORM, t_transient=0.0)
    return [float(x) for x in result.exponents]


@cache
def compiled_by_jitcode():
    from jitcode import jitcode_lyap, y

    equations = [
        10.0 * (y(1) - y(0)),
        y(0) * (28.0 - y(2)) - y(1),
        y(0) * y(1) - 8.0 / 3.0 * y(2),
    ]
    ode = jitcode_lyap(equations, n_lyap=3, verbose=False)
    ode.set_integrator("dopri5", rtol=1e-7, atol=1e-7)
    return ode


def with_jitcode(steps, start):
    ode = compiled_by_jitcode()
    ode.set_initial_value(list(start), 0.0)
    samples = [ode.integrate(i * RENORM * DT)[1] for i in range(1, steps // RENORM + 1)]
    return [sum(column) / len(samples) for column in zip(*samples, strict=True)]


def measure(name):
    """Rows of one code: steps, seconds of the last run, errors."""
    run = {"dynlib": with_dynlib, "lyapax": with_lyapax, "jitcode": with_jitcode}[name]
    rows = []
    for steps in LENGTHS:
        if steps > LONGEST.get(name, steps):
            continue
        run(steps, STARTS[0])  # compile
        errors, seconds = [], []
        for start in STARTS:
            begun = time.process_time()
            exponents = sorted(run(steps, start), reverse=True)
            seconds.append(time.process_time() - begun)
            errors.append((exponents[0] - LARGEST, sum(exponents) - SUM))
        mean = [
            math.sqrt(sum(e * e for e in column) / len(errors))
            for column in zip(*errors, strict=True)
        ]
        rows.append([steps, min(seconds), *mean])
    return rows


def main():
    if len(sys.argv) > 1:
        print(json.dumps(measure(sys.argv[1])))
        return
    print("| code | steps | ms | error of λ₁ | error of the sum |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for name, environment in SIDES.items():
        interpreter = str(environments.python(environment))
        command = [interpreter, str(Path(__file__).resolve()), name]
        done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parent)
        if done.returncode:
            print(f"| {name} | failed | {done.stderr.strip().splitlines()[-1]} | | |")
            continue
        for steps, seconds, largest, total in json.loads(done.stdout.splitlines()[-1]):
            print(f"| {name} | {steps:,} | {seconds * 1e3:.4g} | {largest:.2g} | {total:.2g} |")


if __name__ == "__main__":
    main()
