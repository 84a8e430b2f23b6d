"""How long generated code may be: it is counted before LLVM gets it.

What LLVM does takes longer than in proportion to the code.  For `k` thousand instructions it is
some ``0.05 * k**1.5`` seconds, half of that or twice as much by the kind of code: measured on 200
states of Lorenz 96, rings of neurons, 1,000 and 2,000 states, under `rk4`, `tsit5` and `dop853`,
maps of 4,000 states, 100 and 200 events, tangent vectors of 100 states that are all coupled, and
batches; half of that where no vectors are looked for (`dynlib.compiler.jit.runner`).  One loop of
116,000 instructions without vectors took 38 s.  Code of the model alone falls into parts
(`dynlib.compiler.llvm.long_bodies`), some 0.1 ms for each instruction.  What is much longer
nobody can mean to compile, and it is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from dynlib.dsl.work import how_to_raise, limit
from dynlib.errors import TooLargeError

__all__ = [
    "CODE_LIMIT",
    "CODE_VARIABLE",
    "check_length",
    "check_states",
    "check_text",
    "code_limit",
]

CODE_LIMIT = 120_000
CODE_VARIABLE = "DYNLIB_CODE_LIMIT"
_A_STATE = 30  # instructions that take LLVM as long as a state does, however few it needs
_FEW_STATES = 1_000  # which are never too many
_OPERATION = re.compile(r"\b(?:fma|abs_|select|min_|max_)\(| [-+*/<>] |, lane\]")


def code_limit() -> int:
    """The most instructions that a kernel may have."""
    return limit(CODE_VARIABLE, CODE_LIMIT)


def check_text(texts: Iterable[str]) -> None:
    """Refuse text that is bound to become code that is too long.

    An item of an array is found and read or written, and an operation done, each time.

    Raises
    ------
    TooLargeError
    """
    length = sum(len(_OPERATION.findall(text)) + text.count(", lane]") for text in texts)
    check_length(length, code_limit(), whole=False)


def check_states(states: int) -> None:
    """Refuse to compile for very many states, of which a single run needs little code for each.

    Raises
    ------
    TooLargeError
    """
    most = max(_FEW_STATES, code_limit() // _A_STATE)
    if states > most:
        raise TooLargeError(
            f"this model has {states:,} states; the limit is {most:,} for one that is compiled, "
            "which takes some milliseconds for each. "
            f"{how_to_raise(CODE_VARIABLE, 2 * _A_STATE * states)}"
        )


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
        f"the code of this model would have {count}; the limit is {most:,}, which takes LLVM a "
        "minute or two. Fewer states, events or observers, or a stepper with fewer stages, make "
        f"it shorter. {how_to_raise(CODE_VARIABLE, max(10 * most, 2 * length))}"
    )
