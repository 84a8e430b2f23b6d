"""SALI, GALI, FLI and the 0-1 test: their definitions, and regular against chaotic orbits."""

import numpy as np
import pytest
from observers.tangents import derivatives

from dynlib import setup
from dynlib.errors import ObserverError
from dynlib.observers import ObserverModule, fli, gali, sali, zero_one_test
from dynlib.observers.averages.zero_one_result import growth_correlation
from dynlib.observers.tangent.tangent_start import initial_vectors
from dynlib.plans import FinalState

HEILES = "builtin://ode/henon-heiles"
STANDARD = "builtin://map/standard"
CHAOTIC = {"K": 6.0}
# At energy 1/8 (Skokos, Bountis, Antonopoulos 2007, section 3): regular, and in the chaotic sea.
REGULAR_HEILES = {"x": 0.0, "y": 0.55, "px": 0.2417, "py": 0.0}
CHAOTIC_HEILES = {"x": 0.0, "y": -0.25, "px": 0.42081, "py": 0.0}


@pytest.mark.parametrize("k", [2, 3, 4])
def test_gali_is_the_volume_of_unit_vectors(k: int) -> None:
    """Against singular values of the derivative of the flow, times the first vectors."""
    run = {"T": 10.0, "dt": 0.1}
    observer = gali(k, record_interval=5)
    res = setup(HEILES, stepper="rk4", jit=False).run(observers=[observer], **run)
    _, matrices = derivatives(HEILES, "rk4", **run)
    first = np.array(initial_vectors(4, k)).T
    trace = res.observers["gali"].trace[:, 0]
    for row, matrix in zip(trace, matrices[4::5], strict=True):
        vectors = matrix @ first
        vectors /= np.linalg.norm(vectors, axis=0)
        volume = np.prod(np.linalg.svd(vectors, compute_uv=False))
        assert row == pytest.approx(np.log10(volume), abs=1e-8)
    assert res.observers["gali"].value == pytest.approx(10 ** trace[-1], rel=1e-12)


def test_sali_is_the_lesser_of_sum_and_difference() -> None:
    res = setup(HEILES, stepper="rk4", jit=False).run(T=10.0, dt=0.1, observers=[sali()])
    _, matrices = derivatives(HEILES, "rk4", T=10.0, dt=0.1)
    a, b = (matrices[-1] @ np.array(initial_vectors(4, 2)).T).T
    a, b = a / np.linalg.norm(a), b / np.linalg.norm(b)
    expected = min(np.linalg.norm(a + b), np.linalg.norm(a - b))
    assert res.observers["sali"].value == pytest.approx(expected, rel=1e-9)


def test_fli_is_the_most_a_vector_has_grown() -> None:
    res = setup(HEILES, stepper="rk4", jit=False).run(
        T=10.0, dt=0.1, observers=[fli(renorm_every=1, record_interval=1)]
    )
    _, matrices = derivatives(HEILES, "rk4", T=10.0, dt=0.1)
    lengths = np.linalg.norm(matrices @ np.array(initial_vectors(4, 1)[0]), axis=1)
    expected = np.maximum(np.maximum.accumulate(np.log(lengths)), 0.0)
    np.testing.assert_allclose(res.observers["fli"].trace[:, 0], expected, atol=1e-10)


def test_sali_falls_as_the_exponents_say() -> None:
    """As exp(-(l1 - l2) n) = exp(-2.27 n); its smallest value is that of rounding."""
    sim = setup(STANDARD, jit=False)
    observer = sali(record_interval=1)
    found = sim.run(N=400, params=CHAOTIC, observers=[observer]).observers["sali"]
    assert 18.4 / 2.27 / 2 < found.time_below < 18.4 / 2.27 * 3
    assert found.value < 1e-14
    below = found.trace_time[found.trace[:, 0] < -8][0]
    assert below == found.time_below
    island = sim.run(N=400, params={"K": 0.9}, ic={"theta": 3.0, "p": 0.0}, observers=[observer])
    regular = island.observers["sali"]
    assert np.isnan(regular.time_below)
    assert regular.value > 1e-6  # on a curve it falls as 1/n^2 only


def test_regular_and_chaotic_orbits_of_henon_and_heiles() -> None:
    sim = setup(HEILES, stepper="rk4")
    observers = [sali(), gali(2), fli()]
    found = {}
    for name, ic in (("regular", REGULAR_HEILES), ("chaotic", CHAOTIC_HEILES)):
        res = sim.run(T=2000.0, dt=0.05, ic=ic, record=False, observers=observers)
        found[name] = res.observers
    assert found["regular"]["sali"].value > 1e-3  # on a torus of two dimensions both stay
    assert found["regular"]["gali"].value > 1e-3
    assert np.isnan(found["regular"]["gali"].time_below)
    assert found["chaotic"]["sali"].value < 1e-12
    assert found["chaotic"]["gali"].time_below < 2000.0
    assert found["chaotic"]["fli"].value > 30 > 15 > found["regular"]["fli"].value


def test_a_run_ends_where_vectors_have_aligned() -> None:
    sim = setup(STANDARD, jit=False)
    res = sim.run(N=10_000, params=CHAOTIC, observers=[sali(stop=True, threshold=1e-6)])
    found = res.observers["sali"]
    assert res.status.name == "EARLY_EXIT"
    assert res.t[-1] == found.time_below < 100
    assert found.value < 1e-6
    regular = sim.run(N=300, ic={"theta": 3.0}, observers=[sali(stop=True)])
    assert regular.status.name == "DONE"


def test_vectors_start_at_right_angles_after_a_transient() -> None:
    sim = setup(STANDARD, jit=False)
    observer = gali(2, record_interval=1)
    found = sim.run(N=105, transient=100, params=CHAOTIC, observers=[observer]).observers["gali"]
    assert found.trace[0, 0] > -4  # forty digits would be lost by now without


# -- the 0-1 test ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("r", "chaotic"), [(3.5, False), (3.55, False), (3.83, False), (3.9, True), (3.97, True)]
)
def test_zero_one_on_the_logistic_map(r: float, chaotic: bool) -> None:
    sim = setup("builtin://map/logistic", jit=False)
    res = sim.run(N=2000, transient=500, params={"r": r}, observers=[zero_one_test("x")])
    k = res.observers["zero_one_test"].K
    assert k > 0.9 if chaotic else abs(k) < 0.1


def test_zero_one_on_a_flow() -> None:
    """Every thirtieth step: a quarter of an oscillation."""
    sim = setup("builtin://ode/henon-heiles", stepper="rk4")
    observer = zero_one_test("y", every=30)
    run = {"T": 3000.0, "dt": 0.05, "record": False}
    chaotic = sim.run(ic=CHAOTIC_HEILES, observers=[observer], **run).observers["zero_one_test"]
    regular = sim.run(ic=REGULAR_HEILES, observers=[observer], **run).observers["zero_one_test"]
    assert chaotic.K > 0.7  # a weakly chaotic sea: the correlation needs long to reach 1
    assert abs(regular.K) < 0.2
    assert len(chaotic.series) == 2000
    assert np.ptp(regular.path(1.0)[0]) < np.ptp(chaotic.path(1.0)[0])


def test_zero_one_of_known_series() -> None:
    rng = np.random.default_rng(0)
    c = np.linspace(0.7, 2.4, 50)
    assert np.median(growth_correlation(rng.normal(size=2000), c)) > 0.95
    assert abs(np.median(growth_correlation(np.cos(0.3 * np.arange(2000)), c))) < 0.05
    assert np.isnan(growth_correlation(np.ones(100), c)).all()


def test_zero_one_takes_aux_and_frequencies() -> None:
    sim = setup(STANDARD, jit=False)
    observer = zero_one_test("aux.kicked", c=[1.0, 2.0], samples=300)
    found = sim.run(N=900, params=CHAOTIC, observers=[observer]).observers["zero_one_test"]
    assert found.K_of_c.shape == (2,)
    assert np.median(found.K_of_c) == found.K
    assert found.series.shape == (300,)
    assert found.samples == 900


# -- paths, bad input -----------------------------------------------------------------------------


def all_of_them() -> list[ObserverModule]:
    return [
        sali(record_interval=2), gali(2, record_interval=4), fli(record_interval=5),
        zero_one_test("p", samples=300),
    ]  # fmt: skip


def test_paths_agree() -> None:
    sim = setup(STANDARD)
    theta = 0.1 + 0.3 * np.arange(20)
    run = {"N": 500, "params": {"K": 1.5}}
    batch = sim.batch(ic={"theta": theta}, plan=FinalState(), observers=all_of_them(), **run)
    for i in (0, 11, 19):
        ic = {"theta": float(theta[i])}
        alone = sim.run(ic=ic, observers=all_of_them(), **run).observers
        fast = sim.fastpath(ic=ic, observers=all_of_them(), **run).observers
        for name, found in alone.items():
            for other in (fast[name], batch[i].observers[name]):
                assert np.array_equal(found.trace, other.trace)
                for output in found:
                    assert np.array_equal(found[output], other[output], equal_nan=True)
    k = batch.observers["zero_one_test"].K
    assert k.shape == (20,)
    assert k[0] == batch[0].observers["zero_one_test"].K


def test_company_and_pauses_change_nothing() -> None:
    sim = setup(STANDARD, jit=False)
    sim.assign(K=1.5, theta=0.4)
    together = sim.run(N=300, observers=all_of_them()).observers
    for observer in all_of_them():
        alone = sim.run(N=300, observers=[observer]).observers[observer.label]
        assert np.array_equal(alone.trace, together[observer.label].trace)
        sim.run(N=101, observers=[observer])
        resumed = sim.run(N=199, resume=True, observers=[observer])
        assert np.array_equal(alone.trace, resumed.observers[observer.label].trace)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: gali(1), "k, the number of vectors, must be a whole number from 2"),
        (lambda: sali(threshold=0), "threshold must be a number above 0"),
        (lambda: fli(renorm_every=0), "renorm_every must be a whole number from 1"),
        (lambda: zero_one_test("x", c=4.0), "between 0 and pi"),
        (lambda: zero_one_test("x", samples=10), "samples must be a whole number from 200"),
    ],
)
def test_bad_arguments(make: object, message: str) -> None:
    with pytest.raises(ObserverError, match=message):
        make()  # type: ignore[operator]


@pytest.mark.parametrize(
    ("model", "stepper", "observer", "message"),
    [
        ("builtin://map/logistic", None, sali(), "k = 2 tangent vectors"),
        (HEILES, "rk4", zero_one_test("y"), "give every="),
        (HEILES, "rk45", zero_one_test("y", every=3), "equal distances"),
        (HEILES, "rk4", zero_one_test("energie", every=3), "Did you mean 'energy'"),
        (HEILES, "rk4", sali(renorm_every=4, record_interval=6), "multiple of"),
        ("builtin://map/collatz", None, fli(), "integers"),
    ],
)
def test_what_a_model_lacks(
    model: str, stepper: str, observer: ObserverModule, message: str
) -> None:
    with pytest.raises(ObserverError, match=message):
        setup(model, stepper=stepper, jit=False).run(observers=[observer])
