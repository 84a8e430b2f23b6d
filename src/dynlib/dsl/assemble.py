"""Put a specification together from the parts of a document."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from dynlib.dsl.document import Item
from dynlib.dsl.events import resolve_events, resolve_stop
from dynlib.dsl.expr import Lag, postorder
from dynlib.dsl.frozen import FrozenMap
from dynlib.dsl.given_jacobian import check_jacobian, resolve_jacobian
from dynlib.dsl.issues import Issues
from dynlib.dsl.mods import apply_mods
from dynlib.dsl.names import check_names
from dynlib.dsl.parse import plain
from dynlib.dsl.raw import RawMod, RawModel
from dynlib.dsl.resolve import (
    Resolver,
    resolve_aux,
    resolve_equations,
    resolve_functions,
    resolve_inverse,
)
from dynlib.dsl.settings import read_settings
from dynlib.dsl.spec import AuxSpec, FunctionText, ModelSpec
from dynlib.dsl.values import read_values


def assemble(model: RawModel, applied: list[RawMod], issues: Issues) -> ModelSpec | None:
    """Check, bind and assemble a model; None if a part that others need is broken."""
    apply_mods(model, applied, issues)
    check_names(model, issues)
    values = read_values(model, issues)
    resolver = Resolver(model, values.scope, issues)
    resolve_functions(resolver)
    aux = resolve_aux(resolver)
    equations = resolve_equations(resolver)
    inverse = resolve_inverse(resolver)
    jacobian = resolve_jacobian(resolver)
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
        equations_text=FrozenMap({name: rhs[name].value.tidy for name in model.states}),
        description=model.head.get("description", ""),
        reference=model.head.get("reference", ""),
        label=model.root.document.label,
        starts=FrozenMap(values.starts),
        constants=FrozenMap(values.constants),
        inverse=inverse,
        inverse_text=FrozenMap(
            {name: back[name].value.tidy for name in model.states} if back is not None else {}
        ),
        aux=tuple(
            AuxSpec(name, resolver.shown(node), model.aux[name].tidy) for name, node in aux.items()
        ),
        functions=FrozenMap(
            {
                name: FunctionText(each.args, each.body.tidy)
                for name, each in model.functions.items()
            }
        ),
        events=events,
        stop=stop,
        sim=sim,
        presets=FrozenMap(values.presets),
        mods=FrozenMap({name: _without_name(mod) for name, mod in model.mods.items()}),
        meta=FrozenMap(model.meta),
    )
    spec = replace(spec, lags=_count_lags(spec))
    if jacobian is not None:
        check_jacobian(jacobian, spec, issues)
    return spec if not issues else None


def _count_lags(spec: ModelSpec) -> tuple[int, ...]:
    """Return how many steps back the expressions look, for each state."""
    roots = [*spec.equations, *(aux.expr for aux in spec.aux)]
    for event in spec.events:
        roots += [event.cond, *(action.expr for action in event.actions)]
        roots += [column.expr for column in event.log]
    if spec.stop is not None:
        roots.append(spec.stop.cond)
    most = [0] * len(spec.states)
    for node in postorder(roots):
        if isinstance(node, Lag):
            most[node.index] = max(most[node.index], node.k)
    return tuple(most)


def _without_name(mod: RawMod) -> dict[str, Any]:
    return {key: plain(entry) for key, entry in mod.item.value.items() if key != "name"}


def _default_name(root: Item) -> str:
    label = root.document.label
    return "model" if label.startswith("<") else Path(label.rsplit("://", 1)[-1]).stem
