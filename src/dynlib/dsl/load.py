"""From any source to a `ModelSpec`."""

import copyreg
import os
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from dynlib.abi.phases import Phase, phase
from dynlib.dsl.assemble import assemble
from dynlib.dsl.check import check
from dynlib.dsl.config import Config, load_config
from dynlib.dsl.document import Item, read_dict
from dynlib.dsl.issues import Issues, TooManyIssues
from dynlib.dsl.parse import parse, table
from dynlib.dsl.paths import builtin_names, read_source, split_fragment
from dynlib.dsl.pick import pick_mods
from dynlib.dsl.schema import DOCUMENT
from dynlib.dsl.spec import ModelSpec
from dynlib.dsl.text import read_text
from dynlib.dsl.work import TooMuchWork, Work, load_work
from dynlib.errors import Issue, ModelLoadError, OptionError

Source = str | os.PathLike[str] | Mapping[str, Any] | ModelSpec


def load_model(
    source: Source,
    *,
    mods: str | Mapping[str, Any] | Iterable[str | Mapping[str, Any]] | None = (),
    config: Config | str | os.PathLike[str] | Mapping[str, Any] | None = None,
) -> ModelSpec:
    """Load a model and check all of it.

    Parameters
    ----------
    source : str, path, dict or ModelSpec
        ``builtin://ode/lorenz``, ``tag://path``, a path, each with ``#mod=NAME`` if wanted;
        ``inline:`` and TOML text; TOML text with a line break; a dict of the same shape.
    mods : str, dict, or sequence of these
        Changes, in order: names of mods in the same document, ``file.toml#mod=name``, dicts.
    config : Config, path or dict, optional
        Tags and folders; the user's configuration file by default.

    Returns
    -------
    ModelSpec

    Raises
    ------
    ModelLoadError
        The document has problems; the error lists all of them with their places.
    ModelNotFoundError, AmbiguousModelError, PathTraversalError, ConfigError
        The source does not lead to one document.
    UnknownNameError
        A mod that the document does not have.

    Examples
    --------
    >>> load_model("builtin://ode/lorenz").states
    ('x', 'y', 'z')
    """
    chosen = _listed(mods)
    if isinstance(source, ModelSpec) and not chosen:
        return source
    work = load_work()
    root, fragment = _read(source, config, work)
    if fragment is not None:
        chosen.insert(0, fragment)
    issues = Issues(work)
    try:
        spec = _load(root, chosen, config, issues)
    except TooManyIssues:
        raise _error(issues, root, more=True) from None
    except TooMuchWork:
        raise _error(issues, root, more=True) if issues else root.document.too_much(work) from None
    if issues or spec is None:
        raise _error(issues, root)
    return spec


def _listed(mods: Any) -> list[Any]:
    if isinstance(mods, str | os.PathLike | Mapping):
        return [mods]
    if mods is None or isinstance(mods, Iterable):
        return list(mods or ())
    raise OptionError(f"mods must be a list of names, files and dicts, found {mods!r}.")


@phase(Phase.LOAD)
def _load(root: Item, chosen: list[Any], config: Any, issues: Issues) -> ModelSpec | None:
    checked = check(root, DOCUMENT, issues)
    if checked is None or not table(checked, "states"):
        issues.extend(_no_states(checked))
        return None
    model = parse(checked, issues)
    applied = pick_mods(model, chosen, lambda uri: _read(uri, config, issues.work)[0], issues)
    return assemble(model, applied, issues)


def list_models() -> list[str]:
    """Return the names of the built-in models, for ``builtin://NAME``.

    Examples
    --------
    >>> "ode/lorenz" in list_models()
    True
    """
    return builtin_names()


def revive(text: str, label: str) -> ModelSpec:
    """Return the specification that `ModelSpec.to_toml` wrote: how models are unpickled."""
    work = Work(sys.maxsize)  # it was loaded once
    root = read_text(text, label, work)
    issues = Issues(work)
    spec = _load(root, [], None, issues)
    if issues or spec is None:
        raise _error(issues, root)
    return spec


copyreg.pickle(ModelSpec, lambda spec: (revive, (spec.to_toml(), spec.label)))


@phase(Phase.LOAD)
def _read(source: Any, config: Any, work: Work) -> tuple[Item, str | None]:
    """Return the root table of a source, and the mod that its fragment names."""
    if isinstance(source, ModelSpec):
        return read_text(source.to_toml(), source.label, work), None
    if isinstance(source, Mapping):
        return read_dict(source), None
    if isinstance(source, os.PathLike):
        source = os.fspath(source)
    if not isinstance(source, str):
        kind = type(source).__name__
        raise OptionError(
            f"a model is a URI, a path, TOML text, a dict or a ModelSpec, not a {kind}"
        )
    place, fragment = split_fragment(source)
    return read_source(place, lambda: load_config(config), work), fragment


def _no_states(checked: Item | None) -> list[Issue]:
    """Return the error message about an empty ``[states]`` (a missing one has been noted)."""
    states = checked.get("states") if checked is not None else None
    hint = "Add a line such as x = 1.0."
    return [states.key_issue("the model has no states", hint)] if states is not None else []


def _error(issues: list[Issue], root: Item, *, more: bool = False) -> ModelLoadError:
    """Return the issues in the order of the document, each once."""
    files = list(dict.fromkeys([root.document.label, *(issue.file for issue in issues)]))

    def order(issue: Issue) -> tuple[int, int, int]:
        span = issue.span
        return (files.index(issue.file), span.line if span else 0, span.column if span else 0)

    ordered = sorted(dict.fromkeys(issues), key=order)
    return ModelLoadError(ordered, root.document.label, more=more)
