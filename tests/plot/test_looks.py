"""The `visuals` argument: merged, spelt out, checked."""

import pytest

from dynlib.errors import OptionError, UnknownOptionError
from dynlib.plot._looks import Looks

KNOWN = ("line", "legend", "start")


def test_the_caller_wins_over_the_picture():
    looks = Looks({"line": {"color": "red"}}, KNOWN)
    assert looks("line", color="blue", linewidth=1) == {"color": "red", "linewidth": 1}


@pytest.mark.parametrize(
    ("short", "long"), [("lw", "linewidth"), ("c", "color"), ("ls", "linestyle")]
)
def test_short_spellings_replace_the_long_default(short, long):
    # Matplotlib raises if it is given both spellings.
    assert Looks({"line": {short: 5}}, KNOWN)("line", **{long: 1}) == {long: 5}


def test_false_leaves_out_and_true_keeps_the_defaults():
    looks = Looks({"line": False, "legend": True}, KNOWN)
    assert looks("line", color="blue") is None
    assert looks("legend", loc="best") == {"loc": "best"}


def test_what_is_drawn_on_request_only():
    assert not Looks(None, KNOWN).wants("start")
    assert Looks({"start": True}, KNOWN).wants("start")
    assert Looks({"start": {}}, KNOWN).wants("start")
    assert not Looks({"start": False}, KNOWN).wants("start")


def test_an_unknown_artist_is_named_with_a_guess():
    with pytest.raises(UnknownOptionError, match=r"no artist 'lien'. Did you mean 'line'\?"):
        Looks({"lien": {}}, KNOWN)


def test_a_value_of_the_wrong_kind_is_refused():
    with pytest.raises(OptionError, match=r"visuals\['line'\] is 'red'; it must be a dict"):
        Looks({"line": "red"}, KNOWN)


def test_the_callers_dict_is_not_changed():
    given = {"line": {"lw": 2}}
    Looks(given, KNOWN)("line", color="blue")["color"] = "green"
    assert given == {"line": {"lw": 2}}
