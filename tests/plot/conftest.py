"""Small results that the tests of pictures share."""

import numpy as np
import pytest
from plot.made_results import made_result

from dynlib.runtime.results import Results

SPIKING = """
[model]
type = "ode"
name = "spiking"
[states]
v = 0.0
w = 1.0
[params]
a = 2.0
[aux]
energy = "v**2"
[equations.rhs]
v = "w"
w = "-a*v"
[events.spike]
cond = "v > 1"
[events.silence]
cond = "v < -100"
"""


@pytest.fixture(scope="session")
def flow() -> Results:
    """Three states against time; x and y are of a size, z is too."""
    t = np.linspace(0.0, 4.0, 401)
    columns = {"x": np.sin(t), "y": np.cos(t), "z": 2 + np.sin(2 * t)}
    return made_result("builtin://ode/lorenz", t, columns)


@pytest.fixture(scope="session")
def spiking() -> Results:
    t = np.linspace(0.0, 4.0, 41)
    columns = {"v": t % 1.0, "w": t, "energy": (t % 1.0) ** 2}
    return made_result(SPIKING, t, columns, events={"spike": [1.0, 2.05, 3.0]})


@pytest.fixture(scope="session")
def orbit() -> Results:
    x = [0.1]
    for _ in range(60):
        x.append(3.9 * x[-1] * (1 - x[-1]))
    return made_result("builtin://map/logistic", np.arange(61), {"x": x}, params={"r": 3.9})


@pytest.fixture(scope="session")
def plane_map() -> Results:
    rows = [(0.0, 0.0)]
    for _ in range(500):
        x, y = rows[-1]
        rows.append((1 - 1.4 * x * x + y, 0.3 * x))
    x, y = np.array(rows).T
    return made_result("builtin://map/henon", np.arange(501), {"x": x, "y": y})
