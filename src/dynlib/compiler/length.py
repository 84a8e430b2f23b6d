"""How long generated code may be: it is counted before LLVM gets it.

What LLVM does takes longer than in proportion to the code: 100 FitzHugh-Nagumo cells under `rk4`
are 12,000 instructions and 2 s, 500 cells 58,000 and 22 s, and 50 cells of Hodgkin and Huxley under
`dop853` 235,000 and some minutes.  So a model that nobody can mean to compile is refused.
"""

from __future__ import annotations

from dynlib.dsl.work import how_to_raise, limit
from dynlib.errors import TooLargeError

__all__ = ["CODE_LIMIT", "CODE_VARIABLE", "check_length", "code_limit"]

CODE_LIMIT = 250_000
CODE_VARIABLE = "DYNLIB_CODE_LIMIT"


def code_limit() -> int:
    """The most instructions that a kernel may have."""
    return limit(CODE_VARIABLE, CODE_LIMIT)


def check_length(length: int, most: int, *, whole: bool = True) -> None:
    """Refuse code that is too long.

    Parameters
    ----------
    length, most
        Instructions (or lines of text, each of which becomes one or more), and how many may be.
    whole
        Whether all of the code has been counted.

    Raises
    ------
    TooLargeError
        With the number, the limit, and what can be done.
    """
    if length <= most:
        return
    count = f"{length:,} instructions" if whole else f"more than {length:,} instructions"
    raise TooLargeError(
        f"the code of this model would have {count}; the limit is {most:,}, which takes LLVM "
        "minutes. Fewer states, events or observers, or a stepper with fewer stages, make it "
        f"shorter. {how_to_raise(CODE_VARIABLE, 10 * most)}"
    )
