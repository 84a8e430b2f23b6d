"""How templates become text: phases in place, records apart, flags and words filled in."""

# ruff: noqa: F821

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest

from dynlib.abi.records import Record, RunnerArg
from dynlib.compiler.codegen.families import Family
from dynlib.compiler.codegen.printed import text_of
from dynlib.compiler.codegen.templates import (
    filled,
    leave_loop,
    needed,
    next_turn,
    phase,
    template_of,
    templates_in,
)

FOLDER = Path(__file__).parent

RUN = Record("run", "arrays", {"y": RunnerArg("y", "y", (1,)), "p": RunnerArg("pp", "y", (1,))})
NOW = Record("now", "where it is", made={"t": "t", "old": "t_old"})
RECORDS = {record.name: record for record in (RUN, NOW)}


@phase
def halve(now: Any) -> None:
    """Half of the time."""
    if now.t < SMALL:
        leave_loop()
    if ODD:
        next_turn()
    now.old, now.t = now.t, 0.5 * now.t


def loop(lane: Any, run: Any) -> None:
    now.t = helper(lane, run)
    while True:
        halve(now)
    store(run, Status.OK)


def helper(lane: Any, run: Any) -> None:
    return run.p[lane]


def give_nothing(now: Any) -> None:
    halve(time)


def family(*functions: Any, **entries: list[str]) -> Family:
    return Family(functions, RECORDS, entries)


def test_phases_and_records_leave_plain_names() -> None:
    template = family(loop, helper, loop=["lane", "y", "pp"]).template("loop")
    assert text_of([template.node]) == (
        "def loop(lane, y, pp):\n"
        "    t = helper(lane, pp)\n"
        "    while True:\n"
        "        if t < SMALL:\n"
        "            break\n"
        "        if ODD:\n"
        "            continue\n"
        "        t_old, t = (t, 0.5 * t)\n"
        "    store(y, pp, Status.OK)\n"
    )
    text = template.text({"SMALL": 1e-9, "ODD": False})
    assert "if t < 1e-09" in text
    assert "continue" not in text
    assert "store(y, pp, 0)" in text


@phase
def unreadable(now: Any) -> None:
    raise AssertionError


def choosing(lane: Any, run: Any) -> None:
    if not NEEDED:
        unreadable(time)  # is not what it takes
    if ODD:
        store(run, N)


def test_what_a_flag_excludes_is_not_looked_at() -> None:
    member = family(choosing).template("choosing")
    kind = member.folded({"NEEDED": True}, "chosen")
    first = kind.text({"ODD": True, "OTHER": True, "N": 3})
    assert first == "def chosen(lane, y, pp):\n    store(y, pp, 3)\n"
    assert kind.text({"ODD": True, "OTHER": False, "N": 3}) is first  # nobody asks for OTHER
    assert kind.text({"ODD": True, "N": 4}) == first.replace("3", "4")
    assert kind.text({"ODD": False}) == "def chosen(lane, y, pp):\n    pass\n"
    assert "if ODD:" in kind.text({"N": 3})
    with pytest.raises(AssertionError, match=r"unreadable takes"):
        member.text({"NEEDED": False})


def test_a_template_is_given_the_fields_that_it_uses() -> None:
    text = text_of([family(loop, helper).template("helper").node])
    assert text == "def helper(lane, pp):\n    return pp[lane]\n"


def test_a_phase_is_given_what_its_parameters_say() -> None:
    with pytest.raises(AssertionError, match=r"halve takes \['now'\], give_nothing gives"):
        _ = family(give_nothing).template("give_nothing").node


def test_a_flag_stands_in_an_if() -> None:
    with pytest.raises(AssertionError, match="flag ODD used outside of an `if`"):
        filled("def f(x):\n    return x + ODD", {"ODD": True})


def test_the_same_values_are_the_same_text_and_others_another() -> None:
    template = template_of(helper)
    assert template.text({"N": 1}) is template.text({"N": 2})  # it has no N in it
    word = templates_in("def f(x):\n    return N * x\n")[0]
    texts = {word.text({"N": value}) for value in (1, 1.0, 2)}
    assert len(texts) == 3


def test_numbers_of_observers_go_into_names() -> None:
    template = templates_in("def f_OBS(x):\n    return g_OBS(x, VALUE)\n")[0]
    text = template.text({"VALUE": "(h_OBS(1), -2)"}, "7")
    assert text == "def f_7(x):\n    return g_7(x, (h_7(1), -2))\n"


def test_what_nobody_calls_is_not_needed() -> None:
    text = "def a():\n    if LONG:\n        b()\ndef b():\n    c()\ndef c():\n    pass\n"
    templates = templates_in(text)
    for long, names in ((True, "abc"), (False, "a")):
        found = needed(templates, "a", {"LONG": long})
        assert "".join(template.name for template in found) == names


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.txt")), ids=lambda file: file.stem)
def test_printed_as_python_does(file: Path) -> None:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    assert text_of(tree.body) == ast.unparse(tree) + "\n"


STATEMENTS = """
def f(a, b=1.5, c=-2):
    x, y = (a, (b,))
    x = y = (a + b) * c - (a - (b - c)) / -a ** -b ** c
    x[a, 1:b, ::2] = not (a and b or (not c)) and a < b <= c != (a == b)
    x[a:, b] += a if b else (c if a else b)
    for i, j in range(3):
        while a & b | c ^ ~a << 2 >> 1 and b and c:
            pass
    if a:
        return
    elif b % c // a:
        return (a,)
    else:
        f.g(x)[1](1e309, 1e-05, True, None)
    return ()
"""


def test_all_of_the_language_is_printed_as_python_does() -> None:
    tree = ast.parse(STATEMENTS)
    assert text_of(tree.body) == ast.unparse(tree) + "\n"


def test_the_rest_of_python_is_left_to_python() -> None:
    text = "def f(*a: int, **k):\n    with g(x=1) as y:\n        print(f'{y}')\n"
    assert filled(text) == text
