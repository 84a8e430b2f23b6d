"""The model's functions and flows, against the loops of batches, in processor time of one core.

    python benchmarks/functions.py

prints three tables: microseconds of a call with one point; nanoseconds of the right-hand side at
each of many points, beside those of an evaluation in a batch and of a copy of the points in memory,
which no function of so many numbers can be faster than; milliseconds of flows, with one time for
all runs and with times of their own.
"""

import time

import numpy as np

POINTS = (2_000, 20_000, 100_000)
CASES = (("lorenz", "rk4"), ("henon", "map"), ("hodgkin-huxley", "rk4"))
RUNS = 10_000
FLOWS = (
    ("lorenz", "tsit5", 2.0),
    ("lorenz", "rk4", 2.0),
    ("lorenz", "ab3", 2.0),
    ("henon", "map", 1000),
)


def best(call, *given, repeat=9, number=1, **named):
    """Least seconds of a call."""
    call(*given, **named)
    found = []
    for _ in range(repeat):
        begun = time.process_time()
        for _ in range(number):
            call(*given, **named)
        found.append(time.process_time() - begun)
    return min(found) / number


def session(name, stepper):
    from dynlib import setup

    return setup(f"builtin://{'map' if stepper == 'map' else 'ode'}/{name}", stepper=stepper)


def function(sim):
    return sim.equations.step if sim.spec.is_map else sim.equations.rhs


def points(sim, count, spread=1e-3):
    y = np.array([float(value) for value in sim.state.values()])
    noise = np.random.default_rng(0).normal(size=(count, y.size))
    return y + spread * np.maximum(np.abs(y), 0.01) * noise


def in_lanes(sim):
    """Seconds of an evaluation in a batch on a fixed grid, all that a step does included."""
    from dynlib.plans import FinalState

    runs, steps = RUNS // 5, 2000
    span = {"N": steps} if sim.spec.is_map else {"T": steps * 1e-3, "dt": 1e-3}
    seconds = best(sim.batch, ic=points(sim, runs), plan=FinalState(), workers=1, repeat=5, **span)
    return seconds / (runs * steps * sim.model.stepper.evaluations)


def of_one_point():
    print("| model | rhs | jacobian | third | rhs, other params |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for name, stepper in CASES:
        sim = session(name, stepper)
        eq, rhs, y = sim.equations, function(sim), points(sim, 1)[0]
        first = next(iter(sim.params))
        often = {"number": 2000}
        seconds = (
            best(rhs, y, **often),
            best(eq.jacobian, y, **often),
            best(eq.third, y, y, y, y, **often),
            best(rhs, y, params={first: float(sim.params[first])}, **often),
        )
        print(f"| {name} | {' | '.join(f'{each * 1e6:.2f}' for each in seconds)} |")


def of_many_points():
    print("| model | points | ns | in lanes | ratio | of a copy | ratio |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for name, stepper in CASES:
        sim = session(name, stepper)
        rhs, lanes = function(sim), in_lanes(sim)
        for count in POINTS:
            y = points(sim, count)
            often = {"repeat": 15, "number": max(1, 100_000 // count)}
            found = best(rhs, y, **often) / count
            copied = best(np.copyto, np.empty_like(y), y, **often) / count
            print(
                f"| {name} | {count:,} | {found * 1e9:.2f} | {lanes * 1e9:.2f} | "
                f"{found / lanes:.2f} | {copied * 1e9:.2f} | {found / copied:.2f} |"
            )


def of_flows():
    print(f"| {RUNS:,} runs | one T | own T | ratio | with vectors: one T | own T | ratio |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    rng = np.random.default_rng(1)
    for name, stepper, T in FLOWS:
        sim = session(name, stepper)
        y, eye = points(sim, RUNS), np.eye(len(sim.state))
        lengths = rng.uniform(0.5 * T, 1.5 * T, RUNS)
        mean = lengths.mean()
        if sim.spec.is_map:
            lengths, mean = lengths.astype(int), int(mean)
        how = {"workers": 1, "on_failure": "return", "repeat": 5}
        how |= {"dt": 0.01} if stepper in ("rk4", "ab3") else {}
        cells = []
        for vectors in (None, eye):
            one = best(sim.flow, y, mean, vectors, **how)
            own = best(sim.flow, y, lengths, vectors, **how)
            cells += [f"{one * 1e3:.1f}", f"{own * 1e3:.1f}", f"{own / one:.2f}"]
        print(f"| {name}, {stepper} | {' | '.join(cells)} |")


def main():
    print("Microseconds of a call with one point:\n")
    of_one_point()
    print("\nNanoseconds of each of many points:\n")
    of_many_points()
    print("\nMilliseconds of flows:\n")
    of_flows()


if __name__ == "__main__":
    main()
