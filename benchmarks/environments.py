"""The virtual environments that the sides run in, made on first use under benchmarks/.envs."""

import os
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent

# The older library has our package's name, so it can only live in an environment of its own.
REQUIREMENTS = {
    "ours": ["--editable", str(ROOT), "heyoka", "scipy"],
    "peer": ["dynlib==0.42.0", "numba"],
    "exponents": ["lyapax", "jitcode", "sympy", "setuptools"],
}


def python(environment: str) -> Path:
    """Return the interpreter of an environment, which is made if it does not exist.

    ``DYNLIB_BENCH_OURS``, ``DYNLIB_BENCH_PEER`` and the like name interpreters to use instead.
    """
    chosen = os.environ.get(f"DYNLIB_BENCH_{environment.upper()}")
    if chosen:
        return Path(chosen)
    folder = HERE / ".envs" / environment
    interpreter = folder / "bin" / "python"
    wanted = "\n".join(REQUIREMENTS[environment])
    stamp = folder / "installed.txt"
    if not stamp.exists() or stamp.read_text() != wanted:
        print(f"making the environment {environment!r} in {folder} …", file=sys.stderr)
        venv.create(folder, with_pip=True, clear=True)
        pip = [str(interpreter), "-m", "pip", "install", "--quiet"]
        subprocess.run([*pip, *REQUIREMENTS[environment]], check=True)
        stamp.write_text(wanted)
    return interpreter
