"""A grid is the product of its axes, in the order of NumPy, for parameters and states alike."""

import numpy as np
import pytest
from fastpath.batches import same_batch, sim_of
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from dynlib import OptionError, UnknownNameError, grid

axis = hnp.arrays(np.float64, st.integers(0, 5), elements=st.floats(-2, 2))


@given(st.dictionaries(st.sampled_from("abcd"), axis, min_size=1, max_size=4))
def test_product(axes: dict[str, np.ndarray]) -> None:
    product = grid(axes)
    columns = np.meshgrid(*axes.values(), indexing="ij")
    assert product.shape == columns[0].shape
    assert product.size == columns[0].size
    for name, column in zip(axes, columns, strict=True):
        np.testing.assert_array_equal(product[name], column.ravel())
    assert list(product) == list(axes)


def test_numbers_are_no_axes() -> None:
    product = grid({"a": [1, 2]}, b=3.0)
    assert product.shape == (2,)
    assert product["b"] == 3.0
    assert dict(product.axes) == {"a": pytest.approx([1, 2])}
    assert "a: 2 (1 to 2) × b = 3: 2 runs" in repr(product)


def test_names_decide_where_values_go() -> None:
    """A grid may be given as ic or as params; it holds states and parameters."""
    sim = sim_of("driven")
    product = grid(a=np.linspace(0, 1, 3), x=[0.1, 0.2])
    by_params = sim.batch(params=product, T=0.5)
    assert same_batch(by_params, sim.batch(product, T=0.5))
    assert by_params.dims == {"a": 3, "x": 2}
    assert by_params.shape == (3, 2)
    for i, a in enumerate(np.linspace(0, 1, 3)):
        for j, x in enumerate((0.1, 0.2)):
            alone = sim.run(T=0.5, params={"a": a}, ic={"x": x})
            assert by_params[i, j].final["v"] == alone.final["v"]
    assert by_params[-1, -1].final["x"] == by_params[5].final["x"]


def test_grid_beside_other_values() -> None:
    """What is no axis may be given as usual: a number, or one for each run of the grid."""
    sim = sim_of("driven")
    product = grid(a=[0.1, 0.2], w=[1.0, 2.0, 3.0])
    each = np.linspace(-1, 1, 6)
    batch = sim.batch({"x": each, "v": 0.5}, product, T=0.2)
    assert batch.dims == {"a": 2, "w": 3}
    assert (
        batch[1, 2].final["x"]
        == sim.run(T=0.2, ic={"x": 1.0, "v": 0.5}, params={"a": 0.2, "w": 3.0}).final["x"]
    )


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: grid(), "grid needs the values of at least one name"),
        (lambda: grid(a=3), "grid needs the values of at least one name"),
        (lambda: grid(a=[[1, 2]]), r"grid: a must be a vector of numbers, found an array of shape"),
        (lambda: grid(a=["x"]), r"grid: a must be numbers, found \['x'\]"),
        (lambda: grid(a=[[1], [1, 2]]), "grid: a must be numbers"),
        (lambda: sim_of("driven").batch(grid(a=[1]), grid(w=[1])), r"two grids.*grid\(a=..., w=.."),
        (
            lambda: sim_of("driven").batch({"x": 1.0}, grid(x=[1])),
            "'x' is an axis of the grid, and is given a second time",
        ),
        (
            lambda: sim_of("driven").batch({"x": [1.0, 2, 3]}, grid(a=[1, 2])),
            "differ in number: the grid 2, x 3",
        ),
    ],
)
def test_letters(make: object, said: str) -> None:
    with pytest.raises(OptionError, match=said):
        make()  # type: ignore[operator]


def test_unknown_axis() -> None:
    with pytest.raises(UnknownNameError, match=r"unknown axis of the grid 'aa'\. Did you mean 'a'"):
        sim_of("driven").batch(grid(aa=[1]))
    with pytest.raises(UnknownNameError, match="unknown axis of the grid 'y'"):
        grid(x=[1])["y"]
