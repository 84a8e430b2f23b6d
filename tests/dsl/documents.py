"""Documents that several tests start from."""

from dynlib.dsl import ModelSpec, load_model
from dynlib.errors import DynlibError, ModelLoadError

PENDULUM = """\
#! dynlib
[model]
type = "ode"
name = "pendulum"

[states]
angle = 0.5
speed = "pi/2"

[params]
gravity = 9.81
length = 2

[constants]
half = 0.5
twice = "4*half"

[equations.rhs]
angle = "speed"
speed = "-pull(angle)/length"

[aux]
energy = "half*(length*speed)**2 - gravity*length*cos(angle)"
above = "energy > 0"

[functions.pull]
args = ["phi"]
expr = "gravity*sin(phi)"

[events.bottom]
cond = "angle < 0"
direction = "rising"
phase = "end"
action = "speed *= 0.9; gravity = gravity"
log = ["t", "energy"]
tags = ["swing"]

[sim]
t_end = 20.0
dt = 1e-3
stepper = "rk45"
atol = [1e-9, 1e-8]

[sim.stop]
cond = "abs(speed) > 100"
phase = "both"

[presets.moon.params]
gravity = 1.62
[presets.moon.states]
angle = "pi/4"

[mods.damped]
group = "friction"
exclusive = true
[mods.damped.add.params]
c = 0.1
[mods.damped.replace.equations.rhs]
speed = "-pull(angle)/length - c*speed"

[mods.dry]
group = "friction"
[mods.dry.replace.equations]
expr = "dspeed = -pull(angle)/length - 0.1*sign(speed)"

[mods.silent.remove.events]
names = ["bottom"]

[meta]
author = "nobody"
year = 1673
"""

COLLATZ = """\
[model]
type = "map"
dtype = "int64"
[states]
n = 27
[equations.rhs]
n = "n // 2 if n % 2 == 0 else 3*n + 1"
[sim]
n_end = 111
"""

HENON = """\
[model]
type = "map"
[states]
x = 0.1
y = 0.1
[params]
a = 1.4
b = 0.3
[equations]
expr = '''
x = 1 - a*x^2 + y   # the fold
y = b*x
'''
[equations.inverse]
expr = '''
x = y/b
y = x - 1 + a*(y/b)**2
'''
[equations.jacobian]
expr = [["-2*a*x", 1], ["b", "0"]]
"""


def problems(source: object, **options: object) -> ModelLoadError:
    """Return the error that a source must lead to."""
    try:
        spec = load_model(source, **options)
    except ModelLoadError as error:
        return error
    raise AssertionError(f"this model loads: {spec}")


def only_problem(source: object, **options: object) -> str:
    """Return the text of the one problem that a source must have."""
    error = problems(source, **options)
    assert len(error.issues) == 1, str(error)
    return error.issues[0].render()


def changed(text: str, *changes: tuple[str, str]) -> str:
    """Return a text with pieces replaced; each of them must be there once."""
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def ode(rhs: str = "-x", more: str = "") -> str:
    """Return a flow with one state ``x``, one param ``a`` and a right-hand side."""
    return (
        '[model]\ntype = "ode"\n[states]\nx = 1.0\n[params]\na = 2.0\n'
        f'[equations.rhs]\nx = "{rhs}"\n{more}'
    )


def survives(source: object, **options: object) -> ModelSpec | DynlibError:
    """Load a model; any outcome is good but an error that is not ours."""
    try:
        return load_model(source, **options)
    except DynlibError as error:
        if not str(error).strip():
            raise AssertionError(f"{type(error).__name__} says nothing") from error
        return error
