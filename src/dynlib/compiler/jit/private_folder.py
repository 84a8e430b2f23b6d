"""A folder of the user's own, in which what is read is what this user has written.

Everything is opened first and looked at then, by its descriptor, so that nothing can be exchanged
in between.  What others could have written, or could change, is refused: `NotPrivate`.  Windows
knows neither these owners nor these modes; there the folders of a user's profile are private by
themselves, and only what is no regular file is refused.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dynlib.abi.regular import NotRegular, open_regular

__all__ = ["NotPrivate", "PrivateFolder", "opened"]

_UNIX = os.name == "posix"
_OTHERS = stat.S_IWGRP | stat.S_IWOTH
_ROOT = 0
_FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0)
_NEW = (
    os.O_WRONLY
    | os.O_CREAT
    | os.O_EXCL  # which follows no link
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)


class NotPrivate(OSError):
    """Others could have written what is there, or it is no file at all."""


class PrivateFolder:
    """An open folder; `opened` makes one.

    Parameters
    ----------
    path
        Where it is, for messages and for systems without descriptors of folders.
    descriptor
        By which everything is reached, where the system has such.
    outer
        The folder that it lies in.
    """

    def __init__(
        self, path: Path, descriptor: int | None, outer: PrivateFolder | None = None
    ) -> None:
        self.path = path
        self.outer = outer or self
        self._descriptor = descriptor

    def read(self, name: str, largest: int) -> bytes:
        """The content of a file.

        Raises
        ------
        FileNotFoundError
        NotPrivate
            If it is no regular file, or others could have written it, or it is too large.
        OSError
        """
        try:
            descriptor = open_regular(self._at(name), above=self._descriptor, links=False)
        except NotRegular as error:
            raise NotPrivate(f"{self.path / name} is no regular file but {error.kind}") from None
        try:
            state = os.fstat(descriptor)
            self._check(name, state)
            if state.st_size > largest:
                raise NotPrivate(f"{self.path / name} is larger than {largest} bytes")
            with open(descriptor, "rb", closefd=False) as file:
                return file.read(largest)
        finally:
            os.close(descriptor)

    def _check(self, name: str, state: os.stat_result) -> None:
        where = self.path / name
        if state.st_nlink > 1:
            raise NotPrivate(f"{where} is the same file as another one (a hard link)")
        if _UNIX:
            _check_owner(where, state)
            if state.st_mode & _OTHERS:
                raise NotPrivate(f"{where} can be written by others; chmod 600 would end that")

    def write(self, name: str, content: bytes) -> None:
        """Write a file elsewhere and move it to its place, so that it is never seen half written.

        Raises
        ------
        OSError
        """
        part = f"{name}.{os.getpid()}.{secrets.token_hex(8)}.part"
        try:
            self.create(part, content)
            here = self._descriptor
            os.replace(self._at(part), self._at(name), src_dir_fd=here, dst_dir_fd=here)
        except BaseException:
            self.remove(part)
            raise

    def create(self, name: str, content: bytes) -> None:
        """Write a file that must not exist yet.

        Raises
        ------
        FileExistsError
        OSError
        """
        descriptor = os.open(self._at(name), _NEW, 0o600, dir_fd=self._descriptor)
        try:
            if _UNIX:
                os.fchmod(descriptor, 0o600)  # whatever the umask
            view = memoryview(content)
            while view:
                view = view[os.write(descriptor, view) :]
        except BaseException:
            self.remove(name)
            raise
        finally:
            os.close(descriptor)

    def remove(self, name: str) -> bool:
        """Remove a file; returns whether it was there."""
        try:
            os.unlink(self._at(name), dir_fd=self._descriptor)
        except FileNotFoundError:
            return False
        return True

    def touch(self, name: str) -> None:
        """Note that a file was used now, if the folder can be written to."""
        with contextlib.suppress(OSError, NotImplementedError):
            os.utime(self._at(name), dir_fd=self._descriptor, follow_symlinks=not _UNIX)

    def files(self) -> Iterator[tuple[str, int, float]]:
        """Name, size and time of last use of everything in it."""
        with os.scandir(self.path if self._descriptor is None else self._descriptor) as items:
            for item in items:
                with contextlib.suppress(OSError):
                    state = item.stat(follow_symlinks=False)
                    yield item.name, state.st_size, state.st_mtime

    def _at(self, name: str) -> str:
        return name if self._descriptor is not None else str(self.path / name)


@contextmanager
def opened(path: Path, *, make: bool = False) -> Iterator[PrivateFolder]:
    """A folder that lies in another one, both looked at.

    Both must belong to this user, and nobody else may be able to write to them; the outer one may
    also belong to root, or be one like ``/tmp``, where everybody removes only what is theirs.
    Folders farther up need no look: who can write there can move these two away, but cannot put in
    their place what belongs to this user.

    Parameters
    ----------
    make
        Whether to make the folders if they are missing, for this user alone.

    Raises
    ------
    FileNotFoundError
        If it is not there.
    NotPrivate
    OSError
    """
    if make:
        _make(path.parent)
    if not _UNIX:
        if make:
            path.mkdir(exist_ok=True)
        elif not path.is_dir():
            raise FileNotFoundError(path)
        yield PrivateFolder(path, None, PrivateFolder(path.parent, None))
        return
    _check_link(path.parent)
    with _descriptor(str(path.parent), _FOLDER, None) as above:
        _check_folder(path.parent, os.fstat(above), shared=True)
        if make:
            with contextlib.suppress(FileExistsError):
                os.mkdir(path.name, 0o700, dir_fd=above)
                _open_up(path.name, above)
        if not stat.S_ISDIR(os.stat(path.name, dir_fd=above, follow_symlinks=False).st_mode):
            raise NotPrivate(f"{path} is no folder, but a link or a file")
        with _descriptor(path.name, _FOLDER | os.O_NOFOLLOW, above) as here:
            _check_folder(path, os.fstat(here), shared=False)
            yield PrivateFolder(path, here, PrivateFolder(path.parent, above))


def _make(folder: Path) -> None:
    """Make a folder and those above it, for this user alone."""
    if folder.is_dir():
        return
    if folder.parent != folder:
        _make(folder.parent)
    with contextlib.suppress(FileExistsError):
        folder.mkdir(0o700)
        _open_up(str(folder), None)


def _open_up(name: str, above: int | None) -> None:
    """Give this user what an odd umask took away; the folder has just been made."""
    state = os.stat(name, dir_fd=above, follow_symlinks=False)
    if stat.S_ISDIR(state.st_mode) and stat.S_IMODE(state.st_mode) & 0o700 != 0o700:
        os.chmod(name, 0o700, dir_fd=above)


@contextmanager
def _descriptor(name: str, flags: int, above: int | None) -> Iterator[int]:
    number = os.open(name, flags, dir_fd=above)
    try:
        yield number
    finally:
        os.close(number)


def _check_link(folder: Path) -> None:
    """A link to a folder is all right if this user, or root, has put it there."""
    state = folder.lstat()
    if stat.S_ISLNK(state.st_mode) and state.st_uid not in (os.geteuid(), _ROOT):
        raise NotPrivate(f"{folder} is a link that belongs to user {state.st_uid}")


def _check_folder(folder: Path, state: os.stat_result, *, shared: bool) -> None:
    if not (shared and state.st_uid == _ROOT):
        _check_owner(folder, state)
    if state.st_mode & _OTHERS and not (shared and state.st_mode & stat.S_ISVTX):
        raise NotPrivate(f"others can write to {folder}; chmod 700 would end that")


def _check_owner(where: Path, state: os.stat_result) -> None:
    user = os.geteuid()
    if state.st_uid != user:
        raise NotPrivate(f"{where} belongs to user {state.st_uid}, and this is user {user}")
