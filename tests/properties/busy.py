"""Models with everything that a step may trip over, for laws that must hold on any of them."""

from __future__ import annotations

from events.models import event, flow, iteration

# Located events in any number a step, one triggered by another, events at starts and ends of
# steps, one that looks back, lags, parameters that change, aux of all kinds, a stop condition.
_EVENTS = (
    event("tick", "t >= next", action="next += 0.37; n += 1", log="t; n", direction="rising")
    + event(
        "floor", "x < -0.4", action="v = -0.9*v; hits += 1", log="v; hits; x", direction="rising"
    )
    + event("knock", "hits > 0", action="hits = 0; x += 0.05", log="hits", direction="rising")
    + event("high", "x > 0.6", log="x; v")
    + event("began", "v > 0", phase="start", action="n += 0.5", log="n")
    + event("both", "x*v > 0.3", phase="both", log="x*v", locate=False)
    + event("over", "cross_up(x, 0.1)", log="x", locate=False)
    + event("up", "cross_up(v, 0.2)", log="v", action="n += 100")
)
_STATES = {"x": (1.0, "v"), "v": (0.0, "-4*x - 0.1*v*abs(v) {more}"), "n": (0, "0")}
_PARAMS = "hits = 0\nnext = 0.31"
_AUX = '[aux]\nE = "v**2/2 + 2*x**2"\nrose = "int(increasing(x))"\n'
_STOP = '[sim.stop]\ncond = "x > 0.97 and t > 1.5"\nphase = "{phase}"\n'


def _busy(more: str, extra: str = "") -> str:
    states = {name: (value, rate.format(more=more)) for name, (value, rate) in _STATES.items()}
    return flow(states, _EVENTS + extra + _AUX + _STOP.format(phase="end"), _PARAMS)


FLOW = _busy("+ 0.3*cos(3*t)")
LAGGED = _busy(
    "+ 0.1*lag_x(3)", event("lagged", "x - lag_x(2) > 0.1", log="lag_x(2); lag_v()", locate=False)
)
SINGLE = FLOW.replace('type = "ode"', 'type = "ode"\ndtype = "float32"')
MAP = iteration(
    {"k": (7, "k//2 if k % 2 == 0 else 3*k + 1"), "m": (1, "m*5 + lag_k(2)"), "top": (0, "top")},
    event("odd", "k % 2 == 1", phase="start", action="count += 1", log="k; count")
    + event("record", "k > top", action="top = k", log="top; k")
    + event("one", "k == 1", action="k = 27 + n; count = 0", log="n", direction="rising")
    + event("wrapped", "m < 0", direction="either", log="m % 1000")
    + event("both", "increasing(k)", phase="both", log="lag_k()")
    + '[aux]\nhalf = "k // 2"\n',
    params="count = 0",
    dtype="int32",
)

# name -> text, stepper, what a run of it is asked for (T in steps of the grid, or iterations)
BUSY = {
    "rk4": (FLOW, "rk4"),
    "ab3": (FLOW, "ab3"),
    "lagged": (LAGGED, "ab2"),
    "single": (SINGLE, "heun"),
    "rk45": (FLOW, "rk45"),
    "bs23": (FLOW, "bs23"),
    "dop853": (FLOW, "dop853"),
    "map": (MAP, "map"),
}
