"""A kernel with a hook stands for all that the hook refers to, as that is when it is compiled."""

import ctypes
import enum
import functools
import importlib
import math
import random
import sys
from collections import namedtuple
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import numba
import numpy as np
import pytest
from numba.experimental import jitclass
from numba.extending import overload
from observers.watching import HOOK
from runtime.models import LOGISTIC

from dynlib import ObserverError, Sim, setup
from dynlib.compiler.jit import extensions as taught
from dynlib.compiler.jit.disk_cache import DiskCache
from dynlib.compiler.jit.extensions import extensions
from dynlib.compiler.jit.frozen import frozen
from dynlib.compiler.jit.standard import is_standard, standard_name
from dynlib.observers import ObserverModule
from dynlib.observers.kit.content import content_of, is_portable


def hook(body: str, **names: Any) -> Callable[..., None]:
    """A hook of this body that finds `names` among its globals."""
    exec(f"def hook({HOOK}):\n    {body}", names)
    made: Callable[..., None] = names["hook"]
    return made


def using(value: Any) -> Callable[..., None]:
    return hook("analysis_out[0, lane] = value", value=value)


def observer(made: Callable[..., None]) -> ObserverModule:
    return ObserverModule("same", outputs=["a"], post_step=made)


def found(sim: Sim, made: Callable[..., None]) -> float:
    return float(sim.run(N=2, observers=[observer(made)]).observers["same"].a)


# --- what has no content of its own is only itself ---------------------------------------------


def vectorized(c: float) -> Any:
    return numba.vectorize(["float64(float64)"])(lambda x: c * x)


def guvectorized(c: float) -> Any:
    def scale(x, out):
        out[0] = c * x[0]

    return numba.guvectorize(["(float64[:], float64[:])"], "(n)->(n)")(scale)


def class_of_numba(c: float) -> Any:
    class Box:
        def __init__(self) -> None:
            self.x = c

    return jitclass([("x", numba.float64)])(Box)


def stub() -> Any:
    """What `@overload` gives a meaning to."""

    def nothing(x): ...

    return nothing


ONLY_ITSELF: dict[str, Callable[[], Any]] = {
    "vectorize": lambda: vectorized(1.0),
    "guvectorize": lambda: guvectorized(1.0),
    "jitclass": lambda: class_of_numba(1.0),
    "function of C": lambda: ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)(lambda x: x),
    "ufunc of a user": lambda: np.frompyfunc(lambda x: x, 1, 1),
    "partial": lambda: functools.partial(pow, 2),
    "object": object,
    "compiled function among others": lambda: [numba.njit(lambda x: x)],
    "array of objects": lambda: np.array([object()]),
    "function of an object": lambda: random.Random(1).random,
}


@pytest.mark.parametrize("what", ONLY_ITSELF)
def test_what_cannot_be_compared_is_only_itself(what: str) -> None:
    one, other = ONLY_ITSELF[what](), ONLY_ITSELF[what]()
    assert content_of(using(one)) == content_of(using(one))
    assert content_of(using(one)) != content_of(using(other))
    assert not is_portable(using(one))


def test_a_function_of_c_declared_anew() -> None:
    function = ctypes.CDLL(None).abs
    before = content_of(using(function))
    function.restype = ctypes.c_double
    assert content_of(using(function)) != before


# --- what has is compared ------------------------------------------------------------------------


def pair(*fields: str, **defaults: float) -> Any:
    return namedtuple("kind", fields, defaults=tuple(defaults.values()) or None)


def calls(*values: float) -> Callable[..., None]:
    """Hooks that call two functions, the first of them twice or the second."""

    def helper(value: float) -> Any:
        return numba.njit(lambda x: x * value)

    f, g = helper(values[0]), helper(values[1])
    which = g if len(values) > 2 else f
    return hook("analysis_out[0, lane] = a(1.0) + b(1.0) + c(1.0)", a=f, b=g, c=which)


def signed(*signatures: str) -> Any:
    return numba.njit(list(signatures))(lambda x: x)


def pure(value: Any) -> Any:
    return numba.njit(lambda x: x + value)


def members() -> Any:
    return enum.IntEnum("k", {"a": 1, "b": 2})


class Wrong(Exception):
    pass


ALIKE_OR_NOT: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
    "fields": (lambda: pair("a", "b"), lambda: pair("b", "a")),
    "defaults": (lambda: pair("a", b=1.0), lambda: pair("a", b=2.0)),
    "members": (lambda: enum.IntEnum("k", {"a": 1}), lambda: enum.IntEnum("k", {"a": 2})),
    "kind of members": (lambda: enum.IntEnum("k", {"a": 1}), lambda: enum.Enum("k", {"a": 1})),
    "member": (lambda: members().a, lambda: members().b),
    "array": (lambda: np.array([1.0, 2.0]), lambda: np.array([1.0, 2.5])),
    "order of an array": (lambda: np.eye(2), lambda: np.asfortranarray(np.eye(2))),
    "type of a number": (lambda: np.float32(1), lambda: np.float64(1)),
    "sign of zero in a tuple": (lambda: (0.0, 1), lambda: (-0.0, 1)),
    "compiled function": (lambda: pure(1.0), lambda: pure(2.0)),
    "types of arguments": (lambda: signed("f8(f8)"), lambda: signed("i8(i8)")),
    "order of types": (lambda: signed("f8(f8)", "i8(i8)"), lambda: signed("i8(i8)", "f8(f8)")),
    "texts": (lambda: ("ab", "c"), lambda: ("a", "bc")),
    "set": (lambda: frozenset("abc"), lambda: frozenset("abd")),
    "exception": (lambda: type("Bad", (Wrong,), {}), lambda: type("Bad", (ValueError,), {})),
    "dictionary": (lambda: {"a": 1}, lambda: {"a": 2}),
}  # fmt: skip


@pytest.mark.parametrize("what", ALIKE_OR_NOT)
def test_what_can_be_compared_is(what: str) -> None:
    one, other = ALIKE_OR_NOT[what]
    assert content_of(using(one())) == content_of(using(one()))
    assert content_of(using(one())) != content_of(using(other()))
    assert is_portable(using(one()))


def test_which_of_two_functions_is_called_again() -> None:
    assert content_of(calls(1.0, 2.0)) == content_of(calls(1.0, 2.0))
    assert content_of(calls(1.0, 2.0)) != content_of(calls(1.0, 2.0, 2.0))


def test_file_and_line_are_no_content() -> None:
    body = "analysis_out[0, lane] = 3.0"
    far = "\n" * 50 + f"def hook({HOOK}):\n    {body}"
    space: dict[str, Any] = {}
    exec(compile(far, "elsewhere.py", "exec"), space)
    assert content_of(space["hook"]) == content_of(hook(body))


def test_values_within_values_without_end() -> None:
    deep: Any = ()
    for _ in range(100_000):
        deep = (deep,)
    made = using(deep)
    assert content_of(made) == content_of(made)
    assert not is_portable(made)
    loop: list[Any] = []
    loop.append(loop)
    assert content_of(using(loop)) == content_of(using(loop))


def test_a_variable_without_a_value() -> None:
    def outer() -> Any:
        def inner() -> Any:
            return missing

        if False:
            missing = 1
        return inner

    assert content_of(outer()) == content_of(outer())
    assert isinstance(frozen(outer()), FunctionType)


# --- whose it is ---------------------------------------------------------------------------------


def test_what_belongs_to_python_numpy_and_numba_has_names() -> None:
    for value in (math.sin, np.sin, np.sum, np.linalg.norm, np.random.rand, random.random, float,
                  ValueError, np.float64, numba.prange, numba.carray):  # fmt: skip
        assert standard_name(value) is not None
        assert is_portable(using(value))
    assert is_standard(np.linalg)
    assert not is_standard(sys.modules[__name__])


def test_a_name_is_no_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a module called as one of Python's, and of functions with names of NumPy's."""
    mine = ModuleType("colorsys")
    assert not is_standard(mine)
    mine.__file__ = str(Path(__file__).with_name("colorsys.py"))
    monkeypatch.setitem(sys.modules, "colorsys", mine)
    assert not is_standard(mine)

    def sums(value: float) -> Any:
        return functools.wraps(np.sum)(lambda x: value)

    assert standard_name(sums(1.0)) is None
    assert content_of(using(sums(1.0))) != content_of(using(sums(2.0)))
    monkeypatch.setattr(math, "mine", 1.0, raising=False)
    made = hook("analysis_out[0, lane] = math.mine", math=math)
    before = content_of(made)
    monkeypatch.setattr(math, "mine", 2.0)
    assert content_of(made) != before


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[float], Any]]:
    """A package of a user's own that is edited and imported anew, at one version."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def edited(value: float) -> Any:
        folder = tmp_path / "mine_of_me"
        folder.mkdir(exist_ok=True)
        (folder / "__init__.py").write_text("__version__ = '1.0'\nfrom mine_of_me import inner\n")
        (folder / "inner.py").write_text(
            f"import numba\n@numba.njit\ndef helper(x):\n    return {value} + 0.0 * x\n"
        )
        for name in [name for name in sys.modules if name.startswith("mine_of_me")]:
            del sys.modules[name]
        sys.dont_write_bytecode, kept = True, sys.dont_write_bytecode
        importlib.invalidate_caches()
        try:
            return importlib.import_module("mine_of_me")
        finally:
            sys.dont_write_bytecode = kept

    yield edited
    for name in [name for name in sys.modules if name.startswith("mine_of_me")]:
        del sys.modules[name]


def test_a_package_edited_at_the_same_version(package: Callable[[float], Any]) -> None:
    sim, body = setup(LOGISTIC), "analysis_out[0, lane] = mine.inner.helper(1.0)"
    for value in (2.0, 3.0):
        assert found(sim, hook(body, mine=package(value))) == value


# --- runs ----------------------------------------------------------------------------------------


def test_helpers_are_compiled_as_they_are_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Numba keeps what a function was at its first call; a hook, and the disk, see what it is."""
    monkeypatch.setenv("DYNLIB_CACHE_DIR", str(tmp_path))
    space: dict[str, Any] = {"numba": numba, "c": 1.0}
    exec("@numba.njit\ndef inner(x):\n    return c * x", space)
    exec("@numba.njit\ndef outer(x):\n    return inner(x) + 0.0", space)
    exec(f"def hook({HOOK}):\n    analysis_out[0, lane] = outer(1.0)", space)
    assert space["outer"](1.0) == 1.0  # compiled, with c = 1
    sim = setup(LOGISTIC)
    for value in (2.0, 3.0):
        space["c"] = value
        assert found(sim, space["hook"]) == value
    assert space["outer"](1.0) == 1.0  # and it stays what it was
    exec("@numba.njit\ndef inner(x):\n    return 7.0 * x", space)
    assert found(sim, space["hook"]) == 7.0
    assert len(DiskCache(tmp_path).entries()) == 3


def test_functions_for_given_types_and_recursive_ones() -> None:
    space: dict[str, Any] = {"numba": numba}
    exec("@numba.njit('i8(i8)')\ndef whole(x):\n    return x", space)
    exec("@numba.njit\ndef down(n):\n    return 1 if n < 1 else n * down(n - 1)", space)
    sim = setup(LOGISTIC)
    made = hook("analysis_out[0, lane] = whole(2.5) + down(step + 2)", **space)
    assert found(sim, made) == 2.0 + 24.0
    with pytest.raises(ObserverError, match="calls itself with arguments of other types"):
        found(sim, hook("analysis_out[0, lane] = down(4)", **space))  # once ended the process


def test_copies_share_nothing_that_is_compiled(package: Callable[[float], Any]) -> None:
    helper, mine = pure(1.0), package(2.0)
    made: Any = hook(
        "several[0](value); mine.inner", several=(helper, 1.0), value=(1, 2), mine=mine
    )
    made.__globals__["secret"] = 1.0  # which its code does not name
    space = frozen(made).__globals__
    assert space["several"][0] is not helper
    assert space["several"][0].py_func.__code__ is helper.py_func.__code__
    assert space["value"] is made.__globals__["value"]
    assert "secret" not in space
    assert vars(space["mine"].inner).keys() & vars(mine.inner).keys() == {
        "__name__", "__doc__", "__package__", "__loader__", "__spec__"
    }  # fmt: skip


def test_two_meanings_of_one_hook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What Numba is taught shows nowhere in a hook; it stays in memory, and is noticed."""
    monkeypatch.setenv("DYNLIB_CACHE_DIR", str(tmp_path))
    extensions()
    monkeypatch.setattr(taught, "_found", [])  # other tests know nothing of it
    nothing, sim = stub(), setup(LOGISTIC)
    made = hook("analysis_out[0, lane] = nothing(1.0)", nothing=nothing)
    others = hook("analysis_out[0, lane] = v(1.0)", v=vectorized(5.0))
    assert found(sim, others) == 5.0
    assert found(sim, hook("analysis_out[0, lane] = v(1.0)", v=vectorized(6.0))) == 6.0
    before = extensions()
    assert before == extensions()

    @overload(nothing)
    def first(x):
        return lambda x: 3.0 * x

    assert extensions() != before
    assert found(sim, made) == 3.0
    assert DiskCache(tmp_path).entries() == []


@pytest.mark.parametrize("path", ["run", "fastpath", "batch"])
def test_each_hook_in_plain_python_fills_its_own_object(path: str) -> None:
    sim, lists = setup(LOGISTIC, jit=False), []
    for _ in range(2):
        seen: list[float] = []
        lists.append(seen)
        made = hook("seen.append(step)", seen=seen)
        getattr(sim, path)(N=3, observers=[observer(made)])
    assert lists == [[1, 2, 3]] * 2


def test_starts_that_print_alike() -> None:
    """Printed arrays leave out digits, and items in the middle."""
    made = hook("analysis_out[0, lane] = analysis_ws[1000, lane]")
    sim = setup(LOGISTIC, jit=False)
    for value in (0.1, 0.1 + 1e-12):
        start = np.zeros(2001)
        start[1000] = value
        each = ObserverModule(
            "same", outputs=["a"], post_step=made, workspace_size=2001, initial_workspace=start
        )
        assert sim.run(N=2, observers=[each]).observers["same"].a == value
