"""A kernel as a file: bytes that only who has the secret of the cache could have written.

Loading object code is executing it, and damaged object code can end the process before anything is
executed.  So everything in the file stands under a keyed check sum (HMAC-SHA-256): the key under
which the kernel is kept, the symbols, and the code.  A file that was changed, cut, renamed, or
written by somebody else is no kernel.
"""

from __future__ import annotations

import hmac
import json
import secrets
import time

from dynlib.compiler.jit.native import ObjectCode
from dynlib.compiler.jit.private_folder import PrivateFolder

__all__ = ["SUFFIX", "decode", "encode", "label_of", "secret_of"]

SUFFIX = ".kernel"
_MAGIC = b"dynlib-kernel 2 "
_SUM = 64  # characters of a check sum
_SECRET = "kernel_secret"
_SECRET_SIZE = 32
_PATIENCE = 1.0  # seconds that another process is given to write the secret


def encode(key: str, kernel: ObjectCode, label: str, secret: bytes) -> bytes:
    """The file of a kernel."""
    header = {
        "key": key, "symbol": kernel.symbol, "externals": list(kernel.externals), "label": label
    }  # fmt: skip
    content = json.dumps(header).encode() + b"\n" + kernel.code
    return _MAGIC + _sum(content, secret) + b"\n" + content


def decode(key: str, data: bytes, secret: bytes) -> ObjectCode | None:
    """The kernel in a file; None if it is not the one of this key, as it was written."""
    content = _content(data, secret)
    header, newline, code = content.partition(b"\n")
    if not newline:
        return None
    told = json.loads(header)  # which has been written here
    if told["key"] != key:
        return None
    return ObjectCode(code, told["symbol"], tuple(told["externals"]))


def label_of(data: bytes, secret: bytes) -> str | None:
    """What the kernel in a file is, for people; None if it is damaged."""
    header, newline, _ = _content(data, secret).partition(b"\n")
    return str(json.loads(header)["label"]) if newline else None


def _content(data: bytes, secret: bytes) -> bytes:
    """What stands under the check sum; empty if that is wrong."""
    start = len(_MAGIC) + _SUM + 1
    content = data[start:]
    expected = _MAGIC + _sum(content, secret) + b"\n"
    return content if hmac.compare_digest(data[:start], expected) else b""


def _sum(content: bytes, secret: bytes) -> bytes:
    return hmac.digest(secret, content, "sha256").hex().encode()


def secret_of(folder: PrivateFolder, *, make: bool = False) -> bytes:
    """The secret of a cache, which lies beside the folder of its kernels.

    Parameters
    ----------
    make
        Whether to make one if there is none.  Kernels without their secret go.

    Raises
    ------
    FileNotFoundError
        If there is none.
    OSError
    """
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            found = folder.outer.read(_SECRET, _SECRET_SIZE)
            if len(found) == _SECRET_SIZE:
                return found
            if time.monotonic() > until:  # who began to write it has ended
                folder.outer.remove(_SECRET)
            time.sleep(0.01)
        except FileNotFoundError:
            if not make:
                raise
            try:
                folder.outer.create(_SECRET, secrets.token_bytes(_SECRET_SIZE))
            except FileExistsError:
                continue  # another process was quicker
            for name, _, _ in list(folder.files()):
                if name.endswith(SUFFIX):
                    folder.remove(name)
