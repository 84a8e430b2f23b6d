"""Loops over the functions become packed instructions and call no library."""

from __future__ import annotations

import llvmlite.binding as llvm
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from vecmath.kernels import LANES, NAMES, evaluate, kernel, table

FEATURES = llvm.get_host_cpu_features()
needs_vectors = pytest.mark.skipif(
    not (FEATURES.get("avx2") and FEATURES.get("fma")), reason="needs AVX2 and FMA"
)

IN_THE_DEFAULT_SUITE = {"exp", "log", "sin", "tanh"}


def check(shape, name):
    made = kernel(shape, name)
    assert made.code.externals == ()
    # hypot, the shortest, has 17 in its loop over arrays, exp 27
    assert made.packed() >= 15


@needs_vectors
@pytest.mark.parametrize("name", NAMES)
def test_loops_over_arrays_are_packed(name):
    check("arrays", name)


@needs_vectors
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=() if name in IN_THE_DEFAULT_SUITE else pytest.mark.slow)
        for name in NAMES
    ],
)
def test_loops_over_lanes_are_packed(name):
    check("lanes", name)


@pytest.mark.parametrize("name", [*sorted(IN_THE_DEFAULT_SUITE), "atan2"])
@given(start=st.floats(0.01, 5.0), other=st.floats(0.01, 5.0))
def test_a_lane_gives_the_bits_of_a_single_run(name, start, other):
    second = np.full(LANES, 1.5)
    lanes = np.array([np.full(LANES, start), np.linspace(start, other, LANES), second])
    lane_words = table(lanes, np.array([3]))
    steps = np.array([3])
    lane_words[-2] = steps.ctypes.data
    single = np.array([start, lanes[1, 5], 1.5])
    single_words = table(single, steps)
    kernel("lanes", name).entry(lane_words.ctypes.data)
    kernel("single", name).entry(single_words.ctypes.data)
    assert lanes[0, 5] == single[0]


@pytest.mark.parametrize("name", ["sin", "cos", "tan"])
def test_one_huge_argument_leaves_its_neighbours_alone(name):
    x = np.linspace(-3.0, 3.0, 64)
    calm = evaluate(name, x)
    x[37] = 1e200
    stormy = evaluate(name, x)
    assert np.flatnonzero(calm != stormy).tolist() == [37]
