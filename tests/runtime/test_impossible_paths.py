"""Names that no file can have, and links to themselves, get an error message of ours."""

from pathlib import Path

import pytest

from dynlib import DynlibError, check_results, load_results, setup


@pytest.mark.parametrize("suffix", [".npz", ".nc", ".csv"])
@pytest.mark.parametrize("kind", ["loop", "long", "zero"])
def test_impossible_paths_are_refused(kind: str, suffix: str, tmp_path: Path) -> None:
    stem = {"loop": "loop", "long": "x" * 5000, "zero": "a\0b"}[kind]
    path = tmp_path / f"{stem}{suffix}"
    if kind == "loop":
        path.symlink_to(path)
    sim = setup("builtin://map/logistic", jit=False)
    res = sim.run(N=3)
    assert isinstance(check_results(path), list)
    for call in (load_results, res.save, sim.save_snapshot, sim.load_snapshot):
        with pytest.raises(DynlibError):
            call(path)
