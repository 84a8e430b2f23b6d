"""Models come from URIs, paths, tags, texts; what is no reasonable file is refused."""

import os
import tracemalloc
from pathlib import Path

import pytest
from dsl.documents import PENDULUM, ode, problems

from dynlib.dsl import cache_root, list_models, load_config, load_model
from dynlib.dsl.paths import LARGEST
from dynlib.errors import (
    AmbiguousModelError,
    ConfigError,
    ModelLoadError,
    ModelNotFoundError,
    PathTraversalError,
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "decay.toml").write_text(ode())
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "pendulum.toml").write_text(PENDULUM)
    return tmp_path


def test_built_in_models() -> None:
    assert {"ode/lorenz", "map/henon"} <= set(list_models())
    assert list_models() == sorted(list_models())
    spec = load_model("builtin://ode/lorenz")
    assert spec.label == "builtin://ode/lorenz"
    assert load_model("builtin://ode/lorenz.toml").model_hash == spec.model_hash


@pytest.mark.parametrize(
    ("uri", "nearest"),
    [
        ("builtin://ode/lorentz", "builtin://ode/lorenz"),
        ("builtin://lorenz", "builtin://ode/lorenz"),
        ("builtin://map/lorenz", "builtin://ode/lorenz"),
        ("builtin://henon", "builtin://map/henon"),
        ("builtin://ode/Lorenz", "builtin://ode/lorenz"),
        ("builtin://hodgkin_huxley", "builtin://ode/hodgkin-huxley"),
        ("lorenz", "builtin://ode/lorenz"),
        ("ode/lorenz", "builtin://ode/lorenz"),
    ],
)
def test_a_missing_model_is_answered_by_the_nearest(uri: str, nearest: str) -> None:
    with pytest.raises(ModelNotFoundError, match=f"Did you mean '{nearest}'"):
        load_model(uri)


def test_paths(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = load_model(ode())
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("USERPROFILE", str(folder))
    monkeypatch.setenv("PLACE", str(folder))
    for source in ("decay.toml", "decay", "./decay", "sub/../decay.toml", "~/decay", "$PLACE/decay",
                   "${PLACE}/decay.toml", Path("decay.toml"), folder / "decay"):  # fmt: skip
        spec = load_model(source)
        assert spec.model_hash == expected.model_hash
        assert spec.name == "decay"
    with pytest.raises(ModelNotFoundError, match=r"Did you mean 'decay\.toml'"):
        load_model("decya.toml")


def test_a_name_may_fit_two_files(folder: Path) -> None:
    (folder / "decay").write_text(ode("-2*x"))
    with pytest.raises(AmbiguousModelError, match="Write the one you mean"):
        load_model("decay")
    assert load_model("decay.toml").model_hash == load_model(ode()).model_hash


def test_texts() -> None:
    expected = load_model(PENDULUM).model_hash
    assert load_model("inline:" + PENDULUM).model_hash == expected
    assert load_model("inline: \n" + PENDULUM).model_hash == expected
    assert load_model("  inline:\n" + PENDULUM).model_hash == expected
    one_line = "inline: model.type = 'ode'\n states.x = 1\n equations.rhs.x = '-x'"
    assert load_model(one_line).states == ("x",)
    assert "expected a table" in str(problems("inline: model = 3"))


def test_a_fragment_applies_a_mod_of_the_same_file(folder: Path) -> None:
    damped = load_model(PENDULUM, mods=["damped"])
    assert load_model("sub/pendulum.toml#mod=damped").equations == damped.equations
    assert load_model("sub/pendulum#mod=damped", mods=["silent"]).events == ()
    with pytest.raises(LookupError, match="Did you mean 'damped'"):
        load_model("sub/pendulum#mod=dampd")


def test_tags(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = folder / "other"
    other.mkdir()
    (other / "decay.toml").write_text(ode("-2*x"))
    config = {"paths": {"lab": [str(folder / "sub"), str(folder)], "one": str(other)}}
    assert load_model("lab://decay", config=config).equations == load_model(ode()).equations
    assert load_model("lab://pendulum.toml", config=config).name == "pendulum"
    assert load_model("one://decay", config=config).label == "one://decay"
    with pytest.raises(ModelNotFoundError, match=r"Did you mean 'pendulum\.toml'"):
        load_model("lab://pendulm", config=config)
    with pytest.raises(ConfigError, match=r"unknown tag 'lb'\. Did you mean 'lab'"):
        load_model("lb://decay", config=config)
    # folders of the environment are searched before those of the file
    monkeypatch.setenv("DYNLIB_MODEL_PATH", f"lab={other}:{folder};two={folder}")
    assert load_model("lab://decay", config=config).equations == load_model(ode("-2*x")).equations
    assert load_model("two://decay").name == "decay"


@pytest.mark.parametrize(
    "rest",
    ["../secret", "sub/../../secret", "../secret.toml", "/etc/passwd", "~/secret", "link", "l2/s",
     "\\..\\secret", "//etc/passwd"],
)  # fmt: skip
def test_a_tag_cannot_be_left(folder: Path, rest: str) -> None:
    root = folder / "root"
    root.mkdir()
    (folder / "secret.toml").write_text(ode())
    (root / "link.toml").symlink_to(folder / "secret.toml")
    (root / "l2").symlink_to(folder)
    (folder / "s.toml").write_text(ode())
    config = {"paths": {"lab": str(root)}}
    with pytest.raises((PathTraversalError, ModelNotFoundError)) as caught:
        load_model(f"lab://{rest}", config=config)
    if "\\.." not in rest:  # a backslash is an ordinary character here
        assert isinstance(caught.value, PathTraversalError)
    with pytest.raises(PathTraversalError):
        load_model("builtin://../errors.py")


def test_a_link_inside_of_a_tag_is_followed(folder: Path) -> None:
    (folder / "again.toml").symlink_to(folder / "decay.toml")
    (folder.parent / f"{folder.name}-link").symlink_to(folder)
    config = {"paths": {"lab": f"{folder}-link"}}
    assert load_model("lab://again", config=config).name == "again"


def write(folder: Path, content: bytes) -> str:
    (folder / "odd.toml").write_bytes(content)
    return "odd.toml"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"x = \xff", "line 1 is not UTF-8"),
        (b"[model]\nx = 1\0", "line 2 holds a NUL byte"),
        (b"\x89PNG\r\n\x1a\n\0\0", "NUL byte"),
        (b"PK\x03\x04\x14", "not valid TOML"),
        (b"", "the table [model] is missing"),
        (b"\n\n# nothing\n", "the table [states] is missing"),
        (b"def f():\n  pass", "not valid TOML"),
        (b"<html>", "not valid TOML"),
        (b'{"model": 1}', "not valid TOML"),
        (b"#!/bin/sh\nls", "names the program '/bin/sh'"),
        ("x = 1".encode("utf-16"), "not UTF-8"),
    ],
)
def test_files_that_are_no_models(folder: Path, content: bytes, said: str) -> None:
    error = problems(write(folder, content))
    assert said in str(error)
    assert str(error).startswith("odd.toml: ")


def test_a_huge_file_is_refused_unread(folder: Path) -> None:
    with (folder / "huge.toml").open("wb") as stream:
        stream.truncate(1 << 30)
    tracemalloc.start()
    try:
        error = problems("huge.toml")
        assert tracemalloc.get_traced_memory()[1] < 16e6
    finally:
        tracemalloc.stop()
    assert "1,073,741,824 bytes" in str(error)
    (folder / "huge.toml").write_bytes(b"#" * (LARGEST + 1))
    assert "bytes; a model has at most" in str(problems("huge.toml"))


def test_a_folder_is_no_model(folder: Path) -> None:
    assert "is a folder" in str(problems("sub"))
    assert "is a folder" in str(problems("."))
    assert "is a folder" in str(problems(folder))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes on this system")
def test_a_pipe_is_refused_without_waiting(folder: Path) -> None:
    os.mkfifo(folder / "pipe.toml")
    assert "no regular file" in str(problems("pipe.toml"))


@pytest.mark.skipif(os.name == "nt", reason="no /dev")
def test_a_device_is_refused() -> None:
    assert "no regular file" in str(problems("/dev/zero"))


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads all")
def test_an_unreadable_file(folder: Path) -> None:
    (folder / "decay.toml").chmod(0)
    assert "Permission denied" in str(problems("decay.toml"))


@pytest.mark.parametrize(
    "source", ["", " ", ".", "..", "\0", "a\0b", "x" * 5000, "://", "a://", "#mod=", "a#mod=", "~",
               "builtin://", "builtin://ode", "builtin://ode/", "builtin://.", "nosuch://x", "$"],
)  # fmt: skip
def test_odd_sources_give_letters(source: str) -> None:
    with pytest.raises((ModelNotFoundError, ModelLoadError, ConfigError, PathTraversalError)):
        load_model(source)


# --- configuration --------------------------------------------------------------------------------


def test_the_configuration_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = folder / "config.toml"
    file.write_text('[paths]\nlab = "sub"\n[cache]\nroot = "kernels"\n')
    monkeypatch.setenv("DYNLIB_CONFIG", str(file))
    assert load_model("lab://pendulum").name == "pendulum"
    assert cache_root() == folder / "kernels"
    assert load_config().paths["lab"] == (folder / "sub",)
    monkeypatch.delenv("DYNLIB_CONFIG")
    assert load_model("lab://pendulum", config=file).name == "pendulum"


def test_the_cache_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DYNLIB_CACHE_DIR", str(folder / "named"))
    assert cache_root(load_config({})) == folder / "named"
    assert cache_root(load_config({"cache": {"root": str(folder / "x")}})) == folder / "x"
    monkeypatch.delenv("DYNLIB_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "xdg"))
    assert cache_root(load_config({})).name == "dynlib"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[path]\n", "Did you mean 'paths'?"),
        ("[cache]\nrot = 1", "unknown key 'rot'"),
        ("[cache]\nroot = 1", "root is a folder in quotes"),
        ("[paths]\nlab = 1", "a list of folders"),
        ("[paths]\nlab = [1]", "a list of folders"),
        ("[paths]\nbuiltin = 'x'", "belongs to dynlib"),
        ("[paths]\n'a b' = 'x'", "is no tag"),
        ("paths = 3", "is a table"),
        ("paths = ", "not valid TOML"),
    ],
)
def test_wrong_configurations(
    folder: Path, monkeypatch: pytest.MonkeyPatch, text: str, said: str
) -> None:
    file = folder / "config.toml"
    file.write_text(text)
    monkeypatch.setenv("DYNLIB_CONFIG", str(file))
    with pytest.raises(ConfigError) as caught:
        load_model("lab://x")
    assert said in str(caught.value)
    assert str(file) in str(caught.value)
    assert load_model("builtin://ode/lorenz").name == "lorenz"  # needs no configuration


def test_a_named_configuration_must_exist(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(folder / "nothing.toml")
    monkeypatch.setenv("DYNLIB_MODEL_PATH", "lab")
    with pytest.raises(ConfigError, match="tag=/folder:/folder"):
        load_config({})
