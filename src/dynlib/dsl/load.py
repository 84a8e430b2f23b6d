"""From any source to a `ModelSpec`."""

import copyreg
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from dynlib.dsl.check import check
from dynlib.dsl.config import Config, load_config
from dynlib.dsl.document import Item, read_dict, read_text
from dynlib.dsl.frozen import FrozenMap
from dynlib.dsl.given_jacobian import check_jacobian
from dynlib.dsl.happenings import resolve_events, resolve_stop
from dynlib.dsl.mods import apply_mods
from dynlib.dsl.names import check_names
from dynlib.dsl.parse import parse, plain, table
from dynlib.dsl.paths import builtin_names, read_source, split_fragment
from dynlib.dsl.pick import pick_mods
from dynlib.dsl.raw import RawMod, RawModel
from dynlib.dsl.resolve import (
    Resolver,
    resolve_aux,
    resolve_equations,
    resolve_functions,
    resolve_inverse,
)
from dynlib.dsl.schema import DOCUMENT
from dynlib.dsl.settings import read_settings
from dynlib.dsl.spec import AuxSpec, FunctionText, ModelSpec
from dynlib.dsl.values import read_values
from dynlib.errors import Issue, ModelLoadError, OptionError

Source = str | os.PathLike[str] | Mapping[str, Any] | ModelSpec


def load_model(
    source: Source,
    *,
    mods: str | Mapping[str, Any] | Iterable[str | Mapping[str, Any]] = (),
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
    chosen = [mods] if isinstance(mods, str | Mapping) else list(mods)
    if isinstance(source, ModelSpec) and not chosen:
        return source
    root, fragment = _read(source, config)
    if fragment is not None:
        chosen.insert(0, fragment)
    issues: list[Issue] = []
    checked = check(root, DOCUMENT, issues)
    if checked is None or not table(checked, "states") or not table(checked, "model").get("type"):
        if checked is not None and checked.get("states") and not table(checked, "states"):
            issues.append(checked.value["states"].key_issue("the model has no states",
                                                            "Add a line such as x = 1.0."))
        raise _error(issues, root)
    model = parse(checked, issues)
    applied = pick_mods(model, chosen, lambda uri: _read(uri, config)[0])
    spec = _build(model, applied, issues)
    if issues or spec is None:
        raise _error(issues, root)
    return spec


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
    root = read_text(text, label)
    issues: list[Issue] = []
    checked = check(root, DOCUMENT, issues)
    spec = _build(parse(checked, issues), [], issues) if checked is not None else None
    if issues or spec is None:
        raise _error(issues, root)
    return spec


copyreg.pickle(ModelSpec, lambda spec: (revive, (spec.to_toml(), spec.label)))  # type: ignore[arg-type]


def _read(source: Source, config: Any) -> tuple[Item, str | None]:
    """Return the root table of a source, and the mod that its fragment names."""
    if isinstance(source, ModelSpec):
        return read_text(source.to_toml(), source.label), None
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
    return read_source(place, lambda: load_config(config)), fragment


def _error(issues: list[Issue], root: Item) -> ModelLoadError:
    """Return the issues in the order of the document, each once."""
    files = list(dict.fromkeys([root.document.label, *(issue.file for issue in issues)]))

    def order(issue: Issue) -> tuple[int, int, int]:
        span = issue.span
        return (files.index(issue.file), span.line if span else 0, span.column if span else 0)

    return ModelLoadError(sorted(dict.fromkeys(issues), key=order), root.document.label)


def _build(model: RawModel, applied: list[RawMod], issues: list[Issue]) -> ModelSpec | None:
    """Check, bind and assemble a model; None if a part that others need is broken."""
    apply_mods(model, applied, issues)
    check_names(model, issues)
    values = read_values(model, issues)
    resolver = Resolver(model, values.scope, issues)
    resolve_functions(resolver)
    aux = resolve_aux(resolver)
    equations = resolve_equations(resolver)
    inverse = resolve_inverse(resolver)
    events, stop = resolve_events(resolver), resolve_stop(resolver)
    sim = read_settings(model, issues)
    if issues:
        return None
    rhs, back = model.equations.rhs, model.equations.inverse
    spec = ModelSpec(
        name=model.head.get("name") or _default_name(model.root),
        kind=model.kind,
        dtype=values.dtype,
        states=tuple(model.states),
        state_values=values.states,
        params=tuple(model.params),
        param_values=values.params,
        equations=equations,
        equations_text=FrozenMap({name: rhs[name].value.text for name in model.states}),
        description=model.head.get("description", ""),
        reference=model.head.get("reference", ""),
        label=model.root.document.label,
        constants=FrozenMap(values.constants),
        inverse=inverse,
        inverse_text=FrozenMap({name: back[name].value.text for name in model.states}
                               if back is not None else {}),
        aux=tuple(AuxSpec(name, node, model.aux[name].text) for name, node in aux.items()),
        functions=FrozenMap({name: FunctionText(each.args, each.body.text)
                             for name, each in model.functions.items()}),
        events=events,
        stop=stop,
        sim=sim,
        presets=FrozenMap(values.presets),
        mods=FrozenMap({name: _without_name(mod) for name, mod in model.mods.items()}),
        meta=FrozenMap(model.meta),
    )
    check_jacobian(resolver, spec)
    return spec if not issues else None


def _without_name(mod: RawMod) -> dict[str, Any]:
    return {key: plain(entry) for key, entry in mod.item.value.items() if key != "name"}


def _default_name(root: Item) -> str:
    label = root.document.label
    return "model" if label.startswith("<") else Path(label.rsplit("://", 1)[-1]).stem
