"""Stiff problems whose solutions are known."""

from __future__ import annotations

from typing import Any

# Prothero, Robinson, Math. Comp. 28 (1974) 145: y = cos(t), whatever the stiffness k.
PROTHERO: dict[str, Any] = {
    "model": {"type": "ode", "name": "prothero"},
    "states": {"y": 1.0},
    "params": {"k": 1e6},
    "equations": {"rhs": {"y": "-k*(y - cos(t)) - sin(t)"}},
}

# The same, with events at pi/2 and 2*pi/3; the state leaves the solution, and returns at once.
CROSSING = PROTHERO | {
    "model": {"type": "ode", "name": "crossing"},
    "params": {"k": 1e4, "hits": 0.0},
    "events": {
        "down": {"cond": "y < 0", "direction": "rising", "action": "hits += 1", "log": ["y"]},
        "low": {
            "cond": "y < -0.5",
            "direction": "rising",
            "action": "y = -0.6; k /= 2",
            "log": ["y"],
        },
    },
}

# Robertson (1966): Hairer, Wanner II, section IV.10.
ROBERTSON: dict[str, Any] = {
    "model": {"type": "ode", "name": "robertson"},
    "states": {"x": 1.0, "y": 0.0, "z": 0.0},
    "params": {"k": 0.04},
    "equations": {
        "rhs": {
            "x": "-k*x + 1e4*y*z",
            "y": "k*x - 1e4*y*z - 3e7*y^2",
            "z": "3e7*y^2",
        }
    },
}
AT_40 = (0.7158270687, 9.185534764e-6, 0.2841637457)

# Van der Pol's equation, driven, so that derivatives by the time count.
DRIVEN: dict[str, Any] = {
    "model": {"type": "ode", "name": "driven-vdp"},
    "states": {"x": 2.0, "v": 0.0},
    "params": {"mu": 20.0, "a": 1.2},
    "equations": {"rhs": {"x": "v", "v": "mu*(1 - x^2)*v - x + a*sin(2*t)"}},
}
