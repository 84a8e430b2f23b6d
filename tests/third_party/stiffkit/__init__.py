"""Two methods for stiff equations, as another package would bring them to dynlib."""

from stiffkit.backward_euler import BackwardEuler
from stiffkit.ros2 import Ros2

STEPPERS = [Ros2(), BackwardEuler()]
