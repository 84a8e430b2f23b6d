"""`dynlib check`: what is sound, and all that is not."""

from pathlib import Path

import pytest

LOGISTIC = "builtin://map/logistic"


def test_sound_and_damaged_files(run, tmp_path: Path):
    run("run", LOGISTIC, "-N", "5", "--no-jit", "-q", "--out", "good.npz")
    run("run", LOGISTIC, "-N", "5", "--no-jit", "-q", "--out", "bad.npz")
    assert "good.npz: ok, <Results of 'logistic'" in run("check", "good.npz").stdout
    content = bytearray(Path("bad.npz").read_bytes())
    content[200] ^= 1
    Path("bad.npz").write_bytes(content)
    said = run("check", "bad.npz", "good.npz", "gone.nc", "good.npz", status=1)
    assert said.stdout.count("ok, ") == 2
    assert "bad.npz: not a result that dynlib saved, or damaged (its check sum" in said.stderr
    assert "gone.nc: there is no such file." in said.stderr


def test_a_store_is_mended_by_the_command_that_made_it(run, tmp_path: Path):
    pytest.importorskip("zarr")
    command = ("batch", LOGISTIC, "--grid", "r=2.5:3.9:5", "-N", "5", "--no-jit", "-q")
    run(*command, "--out", "sweep.zarr")
    assert "5 runs, all ok" in run("check", "sweep.zarr").stdout
    for name in ("final_x", "steps"):
        Path("sweep.zarr", name, "c", "0").unlink()
    said = run("check", "sweep.zarr", status=1).stderr
    assert len(said.splitlines()) == 2
    assert "sweep.zarr: steps/c/0: there is no such file. The batch call that made" in said
    run(*command, "--out", "sweep.zarr")
    assert "5 runs, all ok" in run("check", "sweep.zarr").stdout
