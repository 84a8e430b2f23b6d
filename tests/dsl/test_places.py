"""Every key, value and expression character is found again in the file."""

import tomllib

import pytest
from dsl.documents import PENDULUM, changed, ode, problems
from hypothesis import given
from hypothesis import strategies as st

from dynlib.dsl.positions import decode, scan

BARE = st.text("abcXYZ019_-", min_size=1, max_size=4)
CHARACTERS = st.characters(codec="utf-8", exclude_categories=("Cs", "Cc"))
KEYS = BARE | st.text(CHARACTERS, min_size=1, max_size=4)


def quoted(text: str) -> str:
    escaped = "".join(
        f"\\{each}" if each in '"\\' else f"\\u{ord(each):04x}" if ord(each) < 32 else each
        for each in text
    )
    return f'"{escaped}"'


@st.composite
def keys(draw: st.DrawFn) -> tuple[str, str]:
    """Draw a key and one way to write it."""
    key = draw(KEYS)
    if (
        key.isascii()
        and all(each.isalnum() or each in "_-" for each in key)
        and draw(st.booleans())
    ):
        return key, key
    if "'" not in key and draw(st.booleans()):
        return key, f"'{key}'"
    return key, quoted(key)


@st.composite
def strings(draw: st.DrawFn) -> str:
    """Draw a TOML string token."""
    text = draw(st.text(CHARACTERS | st.sampled_from('\n\\"'), max_size=12))
    style = draw(st.sampled_from(["basic", "literal", "block", "literal block"]))
    if style == "literal" and not set(text) & set("'\n"):
        return f"'{text}'"
    if style == "literal block" and "'''" not in text and not text.endswith("'"):
        return f"'''{draw(st.sampled_from(['', chr(10)]))}{text}'''"
    if style == "block":
        body = quoted(text)[1:-1].replace("\\u000a", "\n")
        fold = draw(st.sampled_from(["", "\\\n   ", "\n"]))
        return f'"""{fold}{body}"""'
    return quoted(text)


SCALARS = st.sampled_from(["1", "-2.5e3", "true", "inf", "1979-05-27 07:32:00", "0xff"]) | strings()
BLANKS = st.sampled_from(["", " ", "\n", " # a ] } , = comment\n", "\t"])


def arrays(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    @st.composite
    def array(draw: st.DrawFn) -> str:
        parts = [draw(BLANKS) + draw(inner) + draw(BLANKS) for _ in range(draw(st.integers(0, 3)))]
        tail = draw(st.sampled_from(["", ","])) if parts else ""
        return "[" + ",".join(parts) + tail + draw(BLANKS) + "]"

    return array()


def inline_tables(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pairs = st.lists(st.tuples(keys(), inner), max_size=3, unique_by=lambda pair: pair[0][0])
    return pairs.map(
        lambda given: "{" + ", ".join(f"{key[1]} = {value}" for key, value in given) + "}"
    )


VALUES = st.recursive(SCALARS, lambda inner: arrays(inner) | inline_tables(inner), max_leaves=5)


@st.composite
def documents(draw: st.DrawFn) -> str:
    lines = []
    for _ in range(draw(st.integers(0, 6))):
        path = ".".join(draw(keys())[1] for _ in range(draw(st.integers(1, 3))))
        shape = draw(st.sampled_from(["{} = {}", "{} = {}", "[ {} ]", "[[{}]]"]))
        lines.append(shape.format(path, draw(VALUES)) + draw(st.sampled_from(["", " # comment"])))
    return "\n".join(lines)


def leaves(
    value: object, path: tuple[str | int, ...] = ()
) -> list[tuple[tuple[str | int, ...], object]]:
    if isinstance(value, dict):
        inner = [leaves(each, (*path, key)) for key, each in value.items()]
    elif isinstance(value, list):
        inner = [leaves(each, (*path, k)) for k, each in enumerate(value)]
    else:
        return [(path, value)]
    return [leaf for found in inner for leaf in found]


@given(documents())
def test_the_text_at_a_mark_is_the_value(text: str) -> None:
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    marks = scan(text)
    for path, value in leaves(data):
        mark = marks[path]
        assert mark.value is not None
        again = tomllib.loads("v = " + text[slice(*mark.value)])["v"]
        assert repr(again) == repr(value)
        if isinstance(path[-1], str):
            key = text[slice(*mark.key)]
            assert list(tomllib.loads(f"{key} = 0")) == [path[-1]]


@given(strings())
def test_characters_of_a_string_are_found_in_its_token(token: str) -> None:
    value, places = decode(token)
    assert value == tomllib.loads("v = " + token)["v"]
    assert len(places) == len(value) + 1
    assert places == sorted(places)
    assert all(token[at] in (character, "\\") for character, at in zip(value, places, strict=False))


@pytest.mark.parametrize(
    "written",
    [
        '"a*x + WRONG - x"',
        "'a*x + WRONG - x'",
        '"a*x\\u0020+ \\u0057RONG - x"',
        '"""\n  a*x +\n     WRONG - x"""',
        "'''\n(a*x +\n     WRONG)\n'''",
        '"""a*x + \\\n     WRONG"""',
        '"\\ta*x + WRONG"',
        '"""\n# a comment with WRONGs\n a*x + # another\n WRONG"""',
    ],
)
@pytest.mark.parametrize(
    "shape",
    ["[equations.rhs]\nx = {}", "equations.rhs.x = {}", "equations = {{ rhs = {{ 'x' = {} }} }}"],
)
def test_a_caret_stands_under_the_character(written: str, shape: str) -> None:
    head = '[model]\ntype = "ode"\n[states]\nx = 1.0\n[params]\na = 1\n'
    equations = shape.format(written)
    text = head + equations if equations.startswith("[") else equations + "\n" + head
    (issue,) = problems(text).issues
    assert issue.span is not None
    line = text.splitlines()[issue.span.line - 1]
    wrong = "\\u0057RONG" if "\\u0057" in written else "WRONG"
    assert issue.span.text == line
    assert line[issue.span.column - 1 :].startswith(wrong)
    assert issue.span.length == len(wrong)
    shown, caret = issue.render().splitlines()[1:3]
    assert shown[caret.index("^") :].startswith(wrong)
    assert caret.count("^") == len(wrong)


BLOCK = ["dx = -x", "d(y) = (x +", "        y)  # comment", "", "z = a*z"]


@given(st.sampled_from([0, 1, 2, 4]), st.booleans())
def test_a_caret_stands_under_the_character_in_a_block(row: int, literal: bool) -> None:
    lines = list(BLOCK)
    lines[row] = {0: "dx = -x + WRONG", 1: "d(y) = (WRONG +", 2: "   WRONG)", 4: "z=WRONG"}[row]
    mark = "'''" if literal else '"""'
    text = (
        '[model]\ntype = "ode"\n[states]\nx = 1\ny = 1\nz = 1\n[params]\na = 1\n'
        f"[equations]\nexpr = {mark}\n" + "\n".join(lines) + f"\n{mark}\n"
    )
    (issue,) = problems(text).issues
    assert issue.span is not None
    assert text.splitlines()[issue.span.line - 1][issue.span.column - 1 :].startswith("WRONG")


def test_windows_line_ends_and_a_byte_order_mark_change_no_place() -> None:
    text = changed(PENDULUM, ('"speed"\n', '"spee"\n'))
    usual = problems(text)
    odd = problems("\ufeff" + text.replace("\n", "\r\n"))
    assert str(odd) == str(usual)


def test_problems_come_in_the_order_of_the_document() -> None:
    text = changed(
        PENDULUM,
        ("9.81", "true"),
        ('"speed"\n', '"spee"\n'),
        ('["phi"]', '["x y"]'),
        ('"rk45"', "3"),
    )
    lines = [issue.span.line for issue in problems(text).issues if issue.span]
    assert lines == sorted(lines)
    assert len(lines) >= 3


def test_a_dict_is_named_by_dotted_paths() -> None:
    source = tomllib.loads(ode("-x + q"))
    (issue,) = problems(source).issues
    assert issue.path == "equations.rhs.x"
    assert issue.render() == (
        "  <dict>  equations.rhs.x\n    -x + q\n         ^ unknown name 'q'\n      Known: x, a."
    )


def test_a_very_long_line_is_shown_in_part() -> None:
    (issue,) = problems(ode(" + ".join(["x"] * 500) + " + q" + " + x" * 500)).issues
    shown, caret = issue.render().splitlines()[1:3]
    assert len(shown) < 130
    assert shown[caret.index("^")] == "q"
