"""The 0-1 test for chaos: whether a series drives a walker in the plane to wander or to circle."""

from __future__ import annotations

from typing import Any

import numpy as np

from dynlib.dsl.spec import ModelSpec
from dynlib.errors import ObserverError
from dynlib.observers.averages import zero_one_hooks as hooks
from dynlib.observers.averages.zero_one_result import ENOUGH, ZeroOneResult
from dynlib.observers.kit.expressions import read_value
from dynlib.observers.kit.keywords import checks_keywords
from dynlib.observers.kit.module import ObserverModule
from dynlib.observers.kit.part import HookText, Output, Part, TraceSpec
from dynlib.observers.kit.trace_plans import Tail
from dynlib.observers.tangent.tangent_observer import whole
from dynlib.steppers.base import Stepper

__all__ = ["zero_one_test"]


class ZeroOneTest(ObserverModule):
    """Made by `zero_one_test`."""

    result_type = ZeroOneResult
    gives = ("K", "K_error", "K_of_c", "path")

    def __init__(
        self, of: str, every: int | None, c: tuple[float, ...], samples: int, name: str | None
    ) -> None:
        self.of, self.every, self.c, self.samples = of, every, c, samples
        super().__init__("zero_one_test", trace=TraceSpec(("value",), Tail(samples)), name=name)

    def signature(self) -> str:
        """All that the hooks are made of."""
        return f"{type(self).__name__} {self.of!r} {self.every} {self.samples}"

    def validate_stepper(self, stepper: Stepper, spec: ModelSpec) -> None:
        """Refuse series that are not sampled evenly, or too densely."""
        if stepper.adaptive:
            raise ObserverError(
                f"observer {self.label!r} needs samples at equal distances of time, and stepper "
                f"{stepper.name!r} takes steps of its own. Use a fixed one, say rk4."
            )
        if self.every is None and not spec.is_map:
            raise ObserverError(
                f"observer {self.label!r}: give every=, the number of steps between samples. "
                "A flow that is sampled densely looks regular; a quarter of its usual period is "
                "a good distance."
            )

    def bind(self, spec: ModelSpec, stepper: Stepper) -> Part:
        """A series of samples."""
        return Part(
            outputs=(Output("samples", nothing=0.0),),
            workspace=1,
            places={"COUNT": 0},
            trace=self.trace,
            texts=(
                HookText("start", hooks.start_OBS),
                HookText("every", hooks.every_OBS, self.every or 1),
                HookText("end", hooks.end_OBS),
            ),
            expressions={"value_OBS": (read_value(self.of, spec, self.label),)},
            facts={"c": list(self.c), "of": self.of},
        )


@checks_keywords
def zero_one_test(
    of: str,
    *,
    every: int | None = None,
    c: float | Any | None = None,
    n_c: int = 100,
    samples: int = 2000,
    name: str | None = None,
) -> ZeroOneTest:
    """The 0-1 test for chaos: K near 1 for a chaotic series, near 0 for a regular one.

    A series phi drives ``p += phi cos(j c)``, ``q += phi sin(j c)``.  K is the correlation of
    the mean square displacement with time, the median over many frequencies c, since a few of
    them resonate.  Nothing but the series is needed: no equations, no derivative.

    The result has ``K``, ``K_error`` (the standard error of the median, from the scatter over the
    frequencies; of the series' own chance it knows nothing), ``K_of_c``, ``c``, and ``path(c)``:
    p and q.

    Parameters
    ----------
    of : str
        A state, an aux, or an expression of the model language.
    every : int, optional
        Steps from one sample to the next; by default every iteration of a map.  For a flow it
        must be given: about a quarter of its usual period.
    c : float or sequence of float, optional
        Frequencies to take, between 0 and pi; by default `n_c` fixed ones from pi/5 to 4 pi/5.
    n_c : int
        How many.
    samples : int
        How long the series may be; of a longer one the last so many are taken.
    name : str, optional
        Name of the result, where there are two.

    Raises
    ------
    ObserverError
        For a value that cannot be; and, from the run, for a name that is not there, or a stepper
        that takes steps of its own.

    References
    ----------
    Gottwald, Melbourne, Proc. R. Soc. A 460 (2004) 603; SIAM J. Appl. Dyn. Syst. 8 (2009) 129.

    Examples
    --------
    >>> from dynlib import setup
    >>> from dynlib.observers import zero_one_test
    >>> sim = setup("builtin://map/logistic", jit=False)
    >>> for r in (3.55, 4.0):
    ...     res = sim.run(N=1000, params={"r": r}, observers=[zero_one_test("x")])
    ...     print(bool(res.observers["zero_one_test"].K > 0.9))
    False
    True
    """
    if not isinstance(of, str) or not of:
        raise ObserverError(f"of must be a state, an aux or an expression; found {of!r}.")
    if every is not None:
        whole("every", every)
    whole("n_c", n_c)
    whole("samples", samples, ENOUGH)
    return ZeroOneTest(of, every, _frequencies(c, n_c), samples, name)


def _frequencies(c: Any, n_c: int) -> tuple[float, ...]:
    if c is None:
        # Multiples of the golden section: spread evenly, and in no order.
        golden = (np.sqrt(5.0) - 1.0) / 2.0
        place = ((np.arange(n_c) + 0.5) * golden) % 1.0
        return tuple((np.pi * (0.2 + 0.6 * place)).tolist())
    values = np.atleast_1d(np.asarray(c, dtype=np.float64))
    if values.ndim != 1 or not values.size or not ((values > 0) & (values < np.pi)).all():
        raise ObserverError(f"c must be frequencies between 0 and pi; found {c!r}.")
    return tuple(values.tolist())
