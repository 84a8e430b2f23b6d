"""``DYNLIB_DUMP=folder``: what every kernel is made of, in files for people."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
from observers.watching import counter

from dynlib import ConfigError, setup
from dynlib.compiler.codegen import point_runner, runner_variants
from dynlib.compiler.jit import compile_process, translated

KINDS = [".ll", ".opt.ll", ".py", ".s"]
MODEL = "builtin://map/logistic"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for kernels, and no kernel in memory or on disk."""
    for name in ("_variant_cache_continuous", "_variant_cache_discrete"):
        monkeypatch.setattr(runner_variants, name, OrderedDict())
    monkeypatch.setattr(point_runner, "_kept", OrderedDict())
    monkeypatch.setenv("DYNLIB_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("DYNLIB_DUMP", str(tmp_path / "made" / "dump"))
    return tmp_path / "made" / "dump"


def kernels(folder: Path) -> dict[str, list[str]]:
    """The suffixes of the files of each kernel."""
    found: dict[str, list[str]] = {}
    for path in sorted(folder.iterdir()):
        name, dot, suffix = path.name.partition(".")
        found.setdefault(name, []).append(dot + suffix)
    return found


def test_every_kind_of_kernel_is_written(folder: Path) -> None:
    sim = setup(MODEL)
    sim.run(N=3)
    sim.batch(params={"r": np.array([2.0, 3.0])}, N=3)
    sim.equations.jacobian([0.5])
    sim.flow([0.5], 2)
    found = kernels(folder)
    assert set(map(tuple, found.values())) == {tuple(KINDS)}
    words = {name.rpartition("-")[0] for name in found}
    assert {"logistic-map-base-map", "logistic-map-fastpath-map", "logistic-jacobian"} <= words
    for name in found:
        text = (folder / f"{name}.py").read_text()
        compile(text, name, "exec")
        assert "def entry(address):" in text
        assert "define i32 @dynlib_kernel(" in (folder / f"{name}.ll").read_text()
        assert "@dynlib_kernel(" in (folder / f"{name}.opt.ll").read_text()
        assert "dynlib_kernel:" in (folder / f"{name}.s").read_text()


def test_kernels_on_disk_are_compiled_anew_and_kept(folder: Path, tmp_path: Path) -> None:
    """Whoever sets the variable wants to see the kernels, whatever was compiled before."""
    program = f"from dynlib import setup; setup({MODEL!r}).run(N=3)"
    for _ in range(2):
        subprocess.run([sys.executable, "-c", program], check=True)
        assert list(kernels(folder).values()) == [KINDS]
        shutil.rmtree(folder)
        assert len(list((tmp_path / "cache" / "runner_cache").glob("*.kernel"))) == 1


def test_what_is_written_changes_no_code(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = []
    for named in (str(folder), ""):
        monkeypatch.setenv("DYNLIB_DUMP", named)
        monkeypatch.setattr(runner_variants, "_variant_cache_discrete", OrderedDict())
        monkeypatch.setenv("DYNLIB_CACHE_DIR", str(tmp_path / f"cache{len(kept)}"))
        setup(MODEL).run(N=3)
        (file,) = (tmp_path / f"cache{len(kept)}" / "runner_cache").glob("*.kernel")
        kept.append((file.name, file.read_bytes().split(b"\n", 1)[1]))
    assert kept[0] == kept[1]


def test_a_compile_in_another_process_is_written_too(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[int] = []
    start = compile_process._start
    monkeypatch.setattr(compile_process, "_start", lambda: started.append(1) or start())
    monkeypatch.setattr(translated, "_LONG", 1)
    setup(MODEL).run(N=3)
    assert started == [1]
    (name,) = kernels(folder)
    assert kernels(folder)[name] == KINDS
    assert "dynlib_kernel:" in (folder / f"{name}.s").read_text()


def test_the_code_of_a_hook_has_a_file_of_its_own(folder: Path) -> None:
    setup(MODEL).run(N=3, observers=[counter()])
    (name,) = kernels(folder)
    assert kernels(folder)[name] == [".hook1.ll", *KINDS]


def test_of_plain_python_there_is_the_text(folder: Path) -> None:
    setup(MODEL, jit=False).run(N=3)
    (name,) = kernels(folder)
    assert kernels(folder)[name] == [".py"]


def test_the_name_of_a_model_cannot_lead_out_of_the_folder(folder: Path) -> None:
    text = setup(MODEL).spec.to_toml().replace('"logistic"', '"../../x y/é"')
    setup(text).run(N=3)
    (name,) = kernels(folder)
    assert re.fullmatch("[.-]*x-y-é-map-base-map-[0-9a-f]{12}", name)


@pytest.mark.parametrize("jit", [True, False])
def test_a_folder_that_cannot_be_written_is_refused(
    jit: bool, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.parent.mkdir()
    folder.write_text("a file")
    refused = (
        r"DYNLIB_DUMP: cannot write to '.*dump': File exists. Name a folder .*unset DYNLIB_DUMP"
    )
    with pytest.raises(ConfigError, match=refused):
        setup(MODEL, jit=jit).run(N=3)
    monkeypatch.delenv("DYNLIB_DUMP")
    assert setup(MODEL, jit=jit).run(N=3).ok


def test_an_interrupted_compile_leaves_its_text(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*args: object, **how: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("dynlib.compiler.jit.translated.emit_in_thread", interrupted)
    with pytest.raises(KeyboardInterrupt):
        setup(MODEL).run(N=3)
    assert list(kernels(folder).values()) == [[".ll", ".py"]]
