"""Several processes on one store: each ends with the batch, whoever is killed on the way."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from fastpath.stored import batch_into

from dynlib import check_results
from dynlib.runtime.batch import layout

pytest.importorskip("zarr")
HERE = Path(__file__).parent


def files(path: Path) -> dict[str, bytes]:
    """All but the marks, which hold what the parts took, and what was half written."""
    return {
        each.relative_to(path).as_posix(): each.read_bytes()
        for each in sorted(path.rglob("*"))
        if each.is_file() and each.parent.name != "parts" and not each.name.startswith(".")
    }


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes that begin at once")
@pytest.mark.parametrize(
    ("stores", "kills"),
    [(2, 0), (3, 3), *(pytest.param(60, n, marks=pytest.mark.slow) for n in (0, 1, 3))],
)
def test_processes_share_a_store(stores: int, kills: int, tmp_path: Path) -> None:
    """With as many killed in the midst of their work, at any moment."""
    folders = [str(HERE.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    said = subprocess.run(
        [sys.executable, str(HERE / "crowd.py"), str(tmp_path), str(stores), str(kills)],
        capture_output=True,
        text=True,
        check=True,
        timeout=250,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(folders)},
    ).stdout.splitlines()
    whole, *found = said
    assert found == [" | ".join([whole] * (4 - kills))] * stores
    batch_into(tmp_path / "alone.zarr")
    alone = files(tmp_path / "alone.zarr")
    for number in range(stores):
        path = tmp_path / f"{number}.zarr"
        assert check_results(path) == []
        left = files(path)
        if kills:  # one that was killed after all was done may leave a claim to the next call
            claims = {name for name in left if name.startswith(f"{layout.CLAIMS}/")}
            assert {name: left[name] for name in left if name not in claims} == alone
            batch_into(path)
            left = files(path)
        assert left == alone
