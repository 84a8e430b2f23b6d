"""Long straight-line code in parts: the bits are those of one function."""

from __future__ import annotations

import random
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

from dynlib import setup
from dynlib.compiler.codegen import runner_variants
from dynlib.compiler.codegen.runner_variants import RunnerVariant, module_of
from dynlib.compiler.llvm import long_bodies
from dynlib.compiler.llvm.translate import translate
from dynlib.plans import FinalState
from tests.llvm.translated import arrays, by_python, compiled, translation


@contextmanager
def cut(long: int, part: int) -> Iterator[None]:
    """Functions of more than `long` operations fall into parts; no kernel is taken from memory."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (("_LONG", long), ("_PART", part), ("_STATEMENTS", 1)):
            patch.setattr(long_bodies, name, value)
        for cache in ("continuous", "discrete"):
            patch.setattr(runner_variants, f"_variant_cache_{cache}", OrderedDict())
        yield


class Writer:
    """Random statements over reals, whole numbers and truths, in straight lines and loops."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.reals = ["x", "y", "a0", "a1", "a2"]
        self.wholes, self.truths = ["k"], ["x > y"]
        self.count = 0

    def name(self, kind: list[str]) -> str:
        """A new name, or one that is set again."""
        if self.chance.random() < 0.15 and len(kind) > 1:
            return self.chance.choice(kind[1:])
        self.count += 1
        return f"v{self.count}"

    def real(self) -> str:
        one, two = (self.chance.choice(self.reals) for _ in range(2))
        whole, truth = self.chance.choice(self.wholes), self.chance.choice(self.truths)
        return self.chance.choice(
            [
                f"{one} + 0.5*{two}",
                f"{one} - {two} / (1.0 + {two}*{two})",
                f"fma({one}, 0.25, {two})",
                f"sin({one} + {two})",
                f"select({truth}, {one}, -{two})",
                f"{one} + {whole}",
                f"real({whole}) - {one}",
                "0.25",
            ]
        )

    def statement(self) -> list[str]:
        roll = self.chance.random()
        if roll < 0.6:
            value, name = self.real(), self.name(self.reals)
            self.reals.append(name)
            return [f"{name} = {value}"]
        if roll < 0.7:
            value = f"{self.chance.choice(self.wholes)} * 3 - 1"
            name = f"n{len(self.wholes)}"
            self.wholes.append(name)
            return [f"{name} = {value} if k < 5 else k"]
        if roll < 0.8:
            name = f"b{len(self.truths)}"
            value = f"{self.chance.choice(self.reals)} < {self.chance.choice(self.reals)}"
            self.truths.append(name)
            return [f"{name} = {value}"]
        if roll < 0.9:
            total = self.chance.choice(self.reals[5:] or ["a0"])
            return [
                f"for i{self.count} in range(4):",
                f"    if {total} > 1e3:",
                "        break",
                f"    {total} = 0.5*{total} + cos(real(i{self.count}) + {self.real()})",
            ]
        if roll < 0.95:
            total = self.chance.choice(self.reals[5:] or ["a0"])
            return [f"if {self.chance.choice(self.truths)}:", f"    {total} = {self.real()}"]
        total = self.chance.choice(self.reals[5:] or ["a0"])
        return [f"{total} += {self.real()}", f"reals[7] = reals[7] + 0.01*{total}"]

    def text(self, statements: int) -> str:
        lines = ["x = reals[0]", "y = reals[1]", "k = wholes[0]", "a0, a1, a2 = u"]
        lines += [line for _ in range(statements) for line in self.statement()]
        some = [self.chance.choice(self.reals) for _ in range(5)]
        total = " + ".join(self.wholes)
        lines.append(f"return {', '.join(some)}, sin({some[0]}) + {self.real()}, {total}")
        body = "".join(f"    {line}\n" for line in lines)
        return (
            f"def much(u, reals, wholes):\n{body}\n"
            "def work(reals, wholes):\n"
            "    b, c, d, e, f, g, n = much((1.5, 2.5, 0.5), reals, wholes)\n"
            "    reals[1] = b\n    reals[2] = c\n    reals[3] = d\n"
            "    reals[4] = e\n    reals[5] = f\n    reals[6] = g\n"
            "    wholes[1] = n\n"
        )


@pytest.mark.parametrize("seed", range(6))
def test_random_statements_in_parts_give_what_python_gives(seed: int) -> None:
    text = Writer(seed).text(70)
    with cut(20, 5 + 3 * seed):
        assert "much_part1" in translation(text, "work")
        call = compiled(text, "work")
    for x, y, k in ((0.3, 0.7, 2), (1.9, -0.4, 7)):
        mine, its = arrays([x, y], [k]), arrays([x, y], [k])
        call(*mine)
        by_python(text, "work", *its)
        np.testing.assert_array_equal(mine[1], its[1])
        np.testing.assert_allclose(mine[0], its[0], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("seed", range(2))
def test_parts_have_the_bits_of_the_whole(seed: int) -> None:
    text = Writer(100 + seed).text(60)
    whole = compiled(text, "work")
    with cut(10, 5):
        parts = compiled(text, "work")
    one, other = arrays([0.3, 0.7], [2]), arrays([0.3, 0.7], [2])
    whole(*one)
    parts(*other)
    for a, b in zip(one, other, strict=True):
        np.testing.assert_array_equal(a, b)


MODEL: dict[str, Any] = {
    "model": {"type": "ode", "name": "in-parts"},
    "states": {f"x{i}": 0.3 + 0.2 * i for i in range(6)},
    "params": {"a": 1.25, "b": 0.5},
    "aux": {
        "near": "sum(exp(-j*x0*x0) for j in range(3))",
        "both": "near*sin(x1) + max(x2, x3)",
        "mixed": "(1 if x4 > x5 else 2) * both",
    },
    "equations": {
        "rhs": {
            f"x{i}": f"sin(x{(i + 1) % 6} - x{i}) + a*cos(x{(i + 2) % 6}*x{i}) - b*x{i}*x{i}*x{i}"
            + (" + 0.1*near - 0.05*mixed" if i == 2 else " + 0.1*sin(t)")
            for i in range(6)
        }
    },
    "events": {"turn": {"cond": "x0 < -0.5", "action": "x0 = 0.5", "log": ["both", "x1"]}},
    "sim": {"dt": 0.05, "t_end": 5.0},
}


def outcomes(stepper: str) -> list[Any]:
    sim = setup(MODEL, stepper=stepper, disk_cache=False)
    res = sim.run(record_vars=["x0", "x5", "aux.near", "aux.both", "aux.mixed"])
    batch = sim.batch(ic={"x0": np.linspace(0.1, 2.0, 5)}, plan=FinalState(), workers=1)
    points = np.linspace(0.1, 1.2, 60).reshape(10, 6)
    return [
        *(np.asarray(res[name]) for name in ("x0", "x5", "near", "both", "mixed")),
        *(np.asarray(batch.final[f"x{i}"]) for i in range(6)),
        sim.equations.jacobian(points),
        sim.equations.second(points, points, points),
        sim.equations.rhs(points[0]),
        *sim.equations.aux(points).values(),
    ]


def test_a_model_in_parts_has_the_same_bits() -> None:
    expected = outcomes("tsit5")
    with cut(20, 15):
        found = outcomes("tsit5")
    for one, other in zip(expected, found, strict=True):
        np.testing.assert_array_equal(one, other)


def test_no_function_is_long() -> None:
    """LLVM takes more than in proportion to the length of a function."""
    n = 40
    pairs = {f"x{i}": " + ".join(f"sin(x{j} - x{i})" for j in range(n)) for i in range(n)}
    model = {
        "model": {"type": "ode"},
        "states": dict.fromkeys(pairs, 0.1),
        "aux": {"a0": "x0"} | {f"a{i}": f"sin(a{i - 1})" for i in range(1, 1_500)},
        "equations": {"rhs": pairs},
    }
    sim = setup(model, stepper="rk4", disk_cache=False)
    module = module_of(sim.model.program, RunnerVariant.BASE)
    text = translate(module.text, module.functions, module.entry, "float64", single=True)
    assert "rhs_part3" in text
    assert "aux_part3" in text
    longest = max(function.count("\n") for function in text.split("\ndefine "))
    assert longest < 4_000
