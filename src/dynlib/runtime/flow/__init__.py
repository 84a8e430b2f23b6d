"""`Sim.flow`: end points of many starts, each after a time of its own, and tangent vectors."""
