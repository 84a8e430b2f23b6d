"""Features: extremes, means and variances of states, aux and expressions, in one pass."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dynlib.dsl.expr import Iteration, Node, State, Time, free_nodes
from dynlib.dsl.spec import ModelSpec
from dynlib.errors import ObserverError
from dynlib.observers.averages.features_hooks import FeatureText
from dynlib.observers.averages.features_result import FeaturesResult
from dynlib.observers.kit.batches import SHORTEST
from dynlib.observers.kit.expressions import read_values, slopes_of
from dynlib.observers.kit.module import ObserverModule
from dynlib.observers.kit.part import HookText, Output, Part
from dynlib.steppers.base import Stepper
from dynlib.suggest import did_you_mean

__all__ = ["FeaturesObserver", "features"]

_KINDS = ("min", "max", "mean", "variance", "mean_error", "variance_error")
_AVERAGES = frozenset(_KINDS[2:])
_USUAL_ORDER = 5  # of steppers for which integrals of order 4 are good enough


class FeaturesObserver(ObserverModule):
    """Extremes, means, variances; made by `features`."""

    result_type = FeaturesResult

    def __init__(
        self,
        kinds: tuple[str, ...],
        of: tuple[str, ...] | None,
        expressions: dict[str, Any],
        name: str | None,
    ) -> None:
        self.kinds, self.of, self.expressions = kinds, of, expressions
        self.gives = kinds
        super().__init__("features", name=name)

    def signature(self) -> str:
        """All that the hooks are made of."""
        return f"features {self.kinds} {self.of} {sorted(self.expressions.items())}"

    def _quantities(self, spec: ModelSpec) -> dict[str, Node]:
        of = spec.states if self.of is None else self.of
        for name, text in self.expressions.items():
            if name in (*spec.states, *of) and text != name:
                raise ObserverError(
                    f"observer {self.label!r}: {name!r} is a quantity of {spec.name!r} already; "
                    f"call {text!r} by another name, such as {name}_={text!r}."
                )
        asked = {name: name for name in of} | self.expressions
        if not asked:
            raise ObserverError(
                f"observer {self.label!r}: there is nothing to observe; give of=[]."
            )
        return read_values(asked, spec, self.label)

    def validate_stepper(self, stepper: Stepper, spec: ModelSpec) -> None:
        """Refuse expressions that the model does not understand."""
        self._quantities(spec)

    def bind(self, spec: ModelSpec, stepper: Stepper) -> Part:
        """Rows for each quantity, and hooks that keep them."""
        quantities = self._quantities(spec)
        nodes = tuple(quantities.values())
        flow = not spec.is_map
        text = FeatureText(
            len(nodes),
            self.kinds,
            flow,
            even=not (stepper.adaptive or spec.events),
            fine=flow and stepper.order > _USUAL_ORDER and stepper.dense_output,
            finite=frozenset(j for j, node in enumerate(nodes) if isinstance(node, State)),
        )
        averaged = not _AVERAGES.isdisjoint(self.kinds)
        extreme = not {"min", "max"}.isdisjoint(self.kinds)
        pieces = flow and averaged
        fine = pieces and text.fine
        # The end of a piece is what is committed, unless events act on it. Its time is that of a
        # flow's next step only to a rounding.
        at_ends = not spec.events and not (flow and _knows_time(nodes))
        committed = extreme or not flow  # not over pieces, but over what is committed
        cut = flow and bool(spec.events)
        texts = [HookText("start", text.start())]
        if (pieces and not fine) or (committed and (at_ends or cut)):
            # Both ends of a piece where events may have acted: before and after they did.
            ends = ("a", "b") if cut else ("b",) if at_ends else ()
            texts.append(HookText("along", text.along(extremes=ends)))
        if fine:
            texts += [HookText("inside", text.inside()), HookText("sees", text.sees())]
        if committed and not at_ends:
            texts.append(HookText("post", text.post()))
        if averaged:
            texts.append(HookText("end", text.end()))
        batches = text.batches
        if batches is not None:
            texts += batches.texts(SHORTEST)
        expressions = {"values_OBS": nodes}
        if pieces and not fine:
            expressions["slopes_OBS"] = slopes_of(nodes, spec)
        return Part(
            outputs=tuple(Output(kind, len(nodes)) for kind in self.kinds),
            workspace=text.workspace,
            lasting=0 if batches is None else batches.lasting,
            texts=tuple(texts),
            helpers=() if batches is None else batches.helpers,
            expressions=expressions,
            words={} if batches is None else batches.words,
            places=text.rows | ({} if batches is None else batches.places),
            flags={} if batches is None else batches.flags,
            facts={"quantities": list(quantities)},
        )


def _knows_time(nodes: Sequence[Node]) -> bool:
    return any(isinstance(leaf, Time | Iteration) for leaf in free_nodes(nodes))


def features(
    *kinds: str, of: Sequence[str] | str | None = None, name: str | None = None, **expressions: Any
) -> FeaturesObserver:
    """Least and greatest values, means and variances of states, aux and expressions, and errors.

    The result has a mapping for each kind: ``o.max["x"]``, ``o["mean"]["E"]``; in a batch its
    values are arrays of shape (n_runs,).  Extremes are those of the states at the steps, the
    start included, and before and after each action of an event.  Means of a flow are over time:
    integrals along the run, of the order of the trapezoidal rule with end correction, 4; with
    `dop853` Gauss's rule on the interpolant of each step, of its order, 7, which takes four
    evaluations more for each step, and in batches the step once more.  Those of a map are over the
    iterates after the start, NaN if there are none.

    ``o.mean_error["x"]`` and ``o.variance_error["x"]`` are the standard errors of mean and variance
    as estimates of those of an infinitely long run, in the same units.  They come from the scatter
    of 64 to 128 parts of the run, however much its values depend on each other, if only over less
    than a part or two (batch means; Law, Simulation Modeling and Analysis, chapter 9).  Of a flow
    on its way to an attractor they are the larger for it: give a transient.  NaN in runs of fewer
    than seven parts of 32 steps.

    Parameters
    ----------
    *kinds : {"min", "max", "mean", "variance", "mean_error", "variance_error"}
        All six by default.  Errors cost about a microsecond for each quantity of each run of a
        batch, and some of the time of each step (a third of one of Hénon's map, a twentieth of one
        of the Lorenz system with rk4).
    of : sequence of str, optional
        States and aux (``"E"`` or ``"aux.E"``), or expressions; by default all states.
    name : str, optional
        Name of the result, where there are two.
    **expressions : str
        Further quantities by names of their own, which no state has, in the language of models.

    Raises
    ------
    ObserverError
        For an unknown kind; and, from the run, for expressions that the model does not understand.

    Examples
    --------
    >>> from dynlib import setup
    >>> from dynlib.observers import features
    >>> sim = setup("builtin://ode/harmonic", jit=False)
    >>> watch = features("max", "mean", E="0.5*(x^2 + v^2)")
    >>> found = sim.run(T=1, dt=0.01, observers=[watch]).observers["features"]
    >>> found.max["x"], round(found.mean["E"], 6)
    (1.0, 0.5)
    """
    for kind in kinds:
        if kind not in _KINDS:
            raise ObserverError(
                f"features() knows {', '.join(_KINDS)}; found {kind!r}."
                f"{did_you_mean(kind, _KINDS)} Quantities are given as of=[...] or by name, "
                'as in features("max", E="0.5*x^2").'
            )
    if isinstance(of, str):
        of = (of,)
    if of is not None and not (
        isinstance(of, list | tuple) and all(isinstance(each, str) for each in of)
    ):
        raise ObserverError(f"of must be names of states and aux, found {of!r}.")
    chosen = tuple(kind for kind in _KINDS if not kinds or kind in kinds)
    given = None if of is None else tuple(dict.fromkeys(of))
    return FeaturesObserver(chosen, given, expressions, name)
