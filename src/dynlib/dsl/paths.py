"""Where models come from: URIs, tags, paths and texts, and what is refused."""

import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path

from dynlib.dsl.config import OWN_TAGS, Config, expand
from dynlib.dsl.document import Document, Item
from dynlib.dsl.files import Unreadable, read_regular
from dynlib.dsl.text import read_text
from dynlib.dsl.work import Work
from dynlib.errors import (
    AmbiguousModelError,
    ConfigError,
    ModelNotFoundError,
    PathTraversalError,
)
from dynlib.suggest import closest, did_you_mean

_LONGEST = 200  # of a name in an error message
LARGEST = 4 << 20  # bytes; a system of ten thousand equations fits
BUILTIN_FOLDER = Path(__file__).resolve().parent.parent / "models"
_URI = re.compile(r"([A-Za-z][A-Za-z0-9_.-]*)://(.*)", re.DOTALL)
_FRAGMENT = re.compile(r"(.+)#mod=([^\n]*)")


def split_fragment(source: str) -> tuple[str, str | None]:
    """Return a URI or path, and the name of the mod that ``#mod=NAME`` at its end asks for."""
    if is_text(source):
        return source, None
    found = _FRAGMENT.fullmatch(source)
    return (found[1], found[2].strip()) if found else (source, None)


def is_text(source: str) -> bool:
    """Tell whether a string is TOML text itself rather than the place of a file."""
    return "\n" in source or source.lstrip().startswith("inline:")


def read_source(source: str, config: Callable[[], Config], work: Work | None = None) -> Item:
    """Return the root table of the document that a string names (or is).

    Raises
    ------
    ModelNotFoundError, AmbiguousModelError, PathTraversalError, ConfigError, ModelLoadError
    """
    if not source.strip(" \t"):
        raise ModelNotFoundError("the name of the model is empty.")
    if is_text(source):
        inline = source.lstrip().startswith("inline:")
        return read_text(
            source.split("inline:", 1)[1].strip(" ") if inline else source, "<text>", work
        )
    file, label = find(source, config)
    return read_file(file, label, work)


def find(source: str, config: Callable[[], Config]) -> tuple[Path, str]:
    """Return the file that a URI or path names, and how to call it in messages.

    The configuration is only read where a tag asks for it.
    """
    uri = _URI.fullmatch(source)
    if uri is None:
        return _find_path(source), source
    tag, rest = uri.groups()
    if tag == "builtin":
        return _find_tagged(source, rest, [BUILTIN_FOLDER]), f"builtin://{rest}"
    folders = config().paths
    if tag not in folders:
        known = [*OWN_TAGS, *folders]
        raise ConfigError(
            f"{source}: unknown tag {tag!r}.{did_you_mean(tag, known)} Known: {', '.join(known)}. "
            "Tags are declared under [paths] in the configuration file or in DYNLIB_MODEL_PATH."
        )
    file = _find_tagged(source, rest, folders[tag])
    return file, source


def builtin_names() -> list[str]:
    """Return the names of the built-in models, such as ``ode/lorenz``, in order."""
    files = BUILTIN_FOLDER.glob("*/*.toml")
    return sorted(f"{file.parent.name}/{file.stem}" for file in files)


def _find_path(source: str) -> Path:
    found = _choose(expand(source), source)
    if found is not None:
        return found
    raise _not_found(source, [expand(source).parent], Path(source).name)


def _find_tagged(source: str, rest: str, roots: Iterable[Path]) -> Path:
    if os.path.isabs(rest) or rest.startswith(("/", "\\", "~")):
        raise PathTraversalError(
            f"{source}: what follows '://' is a path relative to the folders "
            "of the tag, so it does not begin with '/' or '~'."
        )
    if not rest.strip(" /"):
        raise ModelNotFoundError(f"{source}: the name of the model after '://' is missing.")
    roots = list(roots)
    for root in roots:
        found = _choose(root / rest, source, inside=root)
        if found is not None:
            return found
    raise _not_found(source, roots, rest)


def _choose(path: Path, source: str, inside: Path | None = None) -> Path | None:
    """Return the file at a path, with or without the suffix .toml; None if there is none."""
    candidates = [path]
    if path.suffix != ".toml" and path.name not in ("", ".", ".."):
        candidates.append(path.with_name(path.name + ".toml"))
    if inside is not None:
        _check_inside(candidates, inside, source)
    try:
        found = [each for each in candidates if each.exists()]
        files = [each for each in found if not each.is_dir()]
    except (OSError, ValueError):  # a NUL, or a name longer than the system allows
        return None
    if len(files) > 1:
        raise AmbiguousModelError(
            f"{source}: both {files[0]} and {files[1]} exist. Write the one you mean in full."
        )
    return files[0] if files else next(iter(found), None)


def _check_inside(candidates: list[Path], root: Path, source: str) -> None:
    for each in candidates:
        try:
            inside = each.resolve().is_relative_to(root.resolve())
        except (OSError, ValueError, RuntimeError):  # NUL, too long, a loop of links
            inside = True
        if not inside:
            raise PathTraversalError(
                f"{source}: leads out of {root}, the folder of its tag. "
                "Write the plain path of the file if you mean it."
            )


def _not_found(source: str, folders: Iterable[Path], name: str) -> ModelNotFoundError:
    uri = _URI.fullmatch(source)
    builtins = builtin_names()
    stem = re.sub(r"\.toml$", "", name)
    by_stem = [each for each in builtins if each.split("/")[1] == stem.rsplit("/", 1)[-1]]
    hint = ""
    if uri and uri[1] == "builtin":
        guess = by_stem[0] if by_stem else _closest_builtin(stem, builtins)
        hint = f" Did you mean 'builtin://{guess}'?" if guess else ""
        hint += " `dynlib models` lists all of them."
    else:
        near = _closest_file(folders, name)
        if near:
            hint = f" Did you mean {near!r}?"
        elif by_stem and not uri:
            hint = f" Did you mean 'builtin://{by_stem[0]}'?"
    places = [f"the folder {each}" if each != Path() else "this folder" for each in folders]
    looked = "" if uri and uri[1] == "builtin" else f" in {' or '.join(places)}"
    shown = source if len(source) <= _LONGEST else source[:_LONGEST] + "..."
    return ModelNotFoundError(f"no model {shown!r}{looked}.{hint}")


def _closest_builtin(stem: str, builtins: list[str]) -> str | None:
    whole = closest(stem, builtins)
    if whole:
        return whole
    last = closest(stem.rsplit("/", 1)[-1], [each.split("/")[1] for each in builtins])
    return next((each for each in builtins if each.split("/")[1] == last), None)


def _closest_file(folders: Iterable[Path], name: str) -> str | None:
    parent, stem = os.path.split(name)
    for folder in folders:
        try:
            files = [each.stem for each in (folder / parent).glob("*.toml")][:10_000]
        except (OSError, ValueError):
            continue
        near = closest(re.sub(r"\.toml$", "", stem), files)
        if near:
            return os.path.join(parent, near + ".toml")
    return None


def read_file(file: Path, label: str, work: Work | None = None) -> Item:
    """Return the root table of a file; what is no reasonable model file is refused unread.

    Raises
    ------
    ModelLoadError
        A folder, a device, a file too large, not readable, not UTF-8, not TOML.
    """
    document = Document(label)
    try:
        content = read_regular(file, LARGEST, "a model")
    except Unreadable as error:
        raise document.load_error(error.problem, error.hint) from None
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        hint = "Save the file in the encoding UTF-8."
        raise document.load_error("is UTF-16 text, not UTF-8", hint)
    if b"\0" in content:
        line = content.count(b"\n", 0, content.index(b"\0")) + 1
        raise document.load_error(
            f"line {line} holds a NUL byte",
            "A model is a TOML text; this looks like a binary file.",
        )
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise document.load_error(
            f"line {line} is not UTF-8 text", "Save the file in the encoding UTF-8."
        ) from None
    return read_text(text, label, work)
