"""C references: compiled here, on the machine that runs them."""

import ctypes
import shutil
import subprocess
import tempfile
from pathlib import Path

FLAGS = ("-O3", "-march=native", "-std=c11", "-shared", "-fPIC")


def compile_c(source: Path, **defines: int) -> ctypes.CDLL:
    """Compile one file with ``gcc -O3 -march=native`` and load it.

    Raises
    ------
    RuntimeError
        If there is no gcc, or it refuses the file.
    """
    gcc = shutil.which("gcc")
    if gcc is None:
        raise RuntimeError("the C reference needs gcc, which is not installed")
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder, "reference.so")
        definitions = [f"-D{name}={value}" for name, value in defines.items()]
        command = [gcc, *FLAGS, *definitions, str(source), "-o", str(library), "-lm"]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(done.stderr)
        return ctypes.CDLL(str(library))
