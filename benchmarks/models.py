"""Models that several workloads use, as documents that every side can read."""


def ring(n: int) -> str:
    """`n` bistable cells in a ring, each coupled to its neighbours: equal work for each state."""
    cells = range(n)
    states = "\n".join(f"x{i} = {0.1 * (-1) ** i * (1 + i % 5):.1f}" for i in cells)
    flow = "\n".join(
        f'x{i} = "x{i}*(a - x{i}*x{i}) + d*(x{(i + 1) % n} - 2*x{i} + x{(i - 1) % n})"'
        for i in cells
    )
    return f"""
[model]
type = "ode"
name = "ring of {n}"

[states]
{states}

[params]
a = 1.0
d = 0.1

[equations.rhs]
{flow}
"""
