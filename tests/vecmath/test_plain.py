"""The functions as plain Python give the bits of the compiled ones."""

from __future__ import annotations

import hashlib
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vecmath.kernels import NAMES, TWO_ARGUMENTS, evaluate

from dynlib.compiler import vecmath
from dynlib.compiler.vecmath import VECMATH, content_hash
from dynlib.compiler.vecmath import primitives as plain


def same(a, b):
    return (math.isnan(a) and math.isnan(b)) or (a == b and np.signbit(a) == np.signbit(b))


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=15)
@given(x=st.floats() | st.floats(-20, 20), y=st.floats() | st.floats(-20, 20))
def test_plain_and_compiled_agree_bit_for_bit(name, x, y):
    arguments = (x, y) if name in TWO_ARGUMENTS else (x,)
    with np.errstate(all="ignore"):
        value = VECMATH[name](*map(np.float64, arguments))
    assert same(value, evaluate(name, *(np.array([a]) for a in arguments))[0])


def test_the_content_hash_is_a_hash_of_the_files():
    assert len(content_hash()) == hashlib.sha256().digest_size * 2
    assert content_hash() == content_hash()
    assert vecmath.__doc__


def test_plain_fma_handles_the_ends_of_the_range():
    assert plain.fma(1e308, 10.0, -math.inf) == -math.inf
    assert plain.fma(1e308, 10.0, 0.0) == math.inf
    assert plain.fma(-1e308, 10.0, 0.0) == -math.inf
    assert math.copysign(1, plain.fma(-0.0, 1.0, -0.0)) == -1
    assert plain.fma(0.1, 10.0, -1.0) == 2.0**-54


def test_plain_roots_and_roundings():
    assert math.isnan(plain.sqrt(-1.0))
    assert math.copysign(1, plain.rint(-0.3)) == -1
    assert plain.rint(2.5) == 2.0
    assert plain.rint(math.inf) == math.inf
    assert plain.bits_to_float(plain.float_to_bits(-0.1)) == -0.1
