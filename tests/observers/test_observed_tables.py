"""What observers found, and what follows from it, stands in every table."""

from pathlib import Path

import numpy as np
import pytest

from dynlib import grid, load_results, setup
from dynlib.observers import (
    covariant_vectors,
    features,
    finite_time_lyapunov,
    lyapunov_spectrum,
    zero_one_test,
)
from dynlib.plans import FinalState, Tail

pytest.importorskip("xarray")
pytest.importorskip("pandas")
NUMBERS = {
    "lyapunov_spectrum": ("kaplan_yorke", "kaplan_yorke_error"),
    "zero_one_test": ("K", "K_error"),
    "covariant_vectors": ("exponents", "standard_errors"),
    "finite_time_lyapunov": ("standard_error",),
}
PLANE = grid(a=[1.2, 1.4], b=[0.2, 0.3, 0.31])


def henon(**options):
    watch = [
        lyapunov_spectrum(),
        zero_one_test("x", n_c=9, samples=200),
        covariant_vectors(2, trace=Tail(200)),
        finite_time_lyapunov(2),
        features("max", "mean", of=["y"], radius="x^2 + y^2"),
    ]
    sim = setup("builtin://map/henon", jit=False)
    return sim.batch(params=PLANE, N=300, plan=FinalState(), observers=watch, lanes=4, **options)


@pytest.fixture(scope="module")
def batch():
    return henon()


def test_a_dataset_has_what_follows_from_outputs(batch):
    table = batch.to_xarray()
    for observer, names in NUMBERS.items():
        for name in names:
            values = table[f"{observer}_{name}"]
            assert values.dims[:2] == ("a", "b")
            for i, place in enumerate(np.ndindex(2, 3)):
                own = getattr(batch[i].observers[observer], name)
                np.testing.assert_array_equal(values.to_numpy()[place], np.squeeze(own))


def test_named_quantities_are_coordinates(batch):
    table = batch.to_xarray()
    assert table["features_index"].to_numpy().tolist() == ["y", "radius"]
    largest = table["features_max"].sel(features_index="radius", a=1.4, b=0.3)
    assert float(largest) == batch[1, 1].observers["features"].max["radius"]
    assert table["finite_time_lyapunov_column"].to_numpy().tolist()
    single = batch[0].to_xarray()
    assert single["features_max"].sel(features_index="y") == batch[0].observers["features"].max["y"]
    assert "lyapunov_spectrum_kaplan_yorke" in single


def test_a_data_frame_has_each_number_under_the_name_it_has_in_pictures(batch):
    frame = batch.to_pandas()
    found = batch.observers
    for i in range(2):
        column = frame[f"lyapunov_spectrum_exponents[{i}]"]
        np.testing.assert_array_equal(column, found["lyapunov_spectrum"].exponents[:, i])
        column = frame[f"covariant_vectors_exponents[{i}]"]
        np.testing.assert_array_equal(column, found["covariant_vectors"].exponents[:, i])
    np.testing.assert_array_equal(frame["features_max[radius]"], found["features"].max["radius"])
    np.testing.assert_array_equal(frame["zero_one_test_K"], found["zero_one_test"].K)
    assert not [name for name in frame if "_trace" in name]


def test_pictures_know_the_same_names(batch):
    pytest.importorskip("matplotlib")
    for name in ("zero_one_test_K", "lyapunov_spectrum_kaplan_yorke", "features_max[radius]"):
        assert name in batch.to_pandas()
        batch.plot(name)


def test_a_store_has_the_same_dataset(batch, tmp_path: Path):
    pytest.importorskip("zarr")
    xarray = pytest.importorskip("xarray")
    stored = henon(out=tmp_path / "plane.zarr")
    xarray.testing.assert_identical(stored.to_xarray().load(), batch.to_xarray())


@pytest.mark.parametrize("suffix", ["npz", "nc"])
def test_files_come_back(batch, suffix, tmp_path: Path):
    if suffix == "nc":
        pytest.importorskip("h5netcdf")
    batch.save(tmp_path / f"plane.{suffix}")
    loaded = load_results(tmp_path / f"plane.{suffix}")
    for observer, names in NUMBERS.items():
        for name in names:
            expected = getattr(batch.observers[observer], name)
            np.testing.assert_array_equal(getattr(loaded.observers[observer], name), expected)


def test_too_few_rows_are_nan_in_tables():
    sim = setup("builtin://map/henon", jit=False)
    batch = sim.batch(ic={"x": [0.1, 0.2]}, N=4, observers=[covariant_vectors(2)])
    assert np.isnan(batch.to_xarray()["covariant_vectors_exponents"]).all()
    assert np.isnan(batch[0].to_xarray()["covariant_vectors_exponents"]).all()
