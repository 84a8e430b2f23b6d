"""Shorter steps for tangent vectors, where those of an adaptive stepper suit the states alone.

A stepper chooses its steps by the error of the states.  Near a stable equilibrium that error
vanishes and steps grow until the method is hardly stable: tangent vectors, whose growth is asked
for, are stepped wrongly then, by orders of magnitude.  So the error of every attempted vector is
estimated as that of the state is, relative to the vector's length.  If it is too large for any
vector of an observer, all vectors of that observer are taken along the step once more, together
with states of their own, in steps that suit them, and brought back to a good length after each
(the hook *within*).  Vectors that are wanted as accurately as the states (`precise`) have the
relative tolerance of these, attempted or in steps of their own.  The trajectory stays what it is,
and so do the vectors of other observers.
"""

from __future__ import annotations

from dynlib.compiler.codegen.tangent_layout import TangentLayout
from dynlib.steppers.options import Options
from dynlib.steppers.text import function, group

__all__ = ["LESSER", "TangentRefinement"]

LESSER = 0.01  # weight of the square of an error that is relative to the lesser length

_ALLOWED = {"float64": 1e-6, "float32": 1e-5}  # error of a vector in steps of its own
_LIMIT = f"options[{Options.VECTOR_ERROR}]"
_SHORTEST = 1e-9  # of the step of the states: vectors that want shorter ones are lost
_CONTROL = "(0.0, inf, 0.9, 0.2, 5.0)"  # options of the step control
_FEW = 8  # groups whose errors are looked at without a loop
_USUAL = 26.575424759098897  # `last_level` of an error as large as allowed


class TangentRefinement:
    """Writes the functions that decide about attempted vectors, and step them if need be.

    Parameters
    ----------
    layout
        Where the vectors lie.
    hooks
        For each set of vectors its hook *within*, or ``""``.
    dtype
        Type of the states.
    step_args
        Parameters of a function that steps vectors.
    settle_args
        Those of one that decides about a step.
    precise
        Whether vectors are wanted as accurately as the states; options say how accurately.
    """

    def __init__(
        self,
        layout: TangentLayout,
        hooks: tuple[str, ...],
        dtype: str,
        step_args: str,
        settle_args: str,
        *,
        precise: bool = False,
    ) -> None:
        self.layout, self.hooks = layout, hooks
        self.step_args, self.settle_args = step_args, settle_args
        self.follow_args = settle_args if precise else step_args
        self.share = f"worst * {1 / _ALLOWED[dtype] ** 2!r}"  # of what is allowed
        if precise:
            self.share = f"div(worst, {_LIMIT})"

    def emit(self, *, cut: bool) -> str:
        """All functions; `cut` says whether events cut steps."""
        texts = [self._fit(), self._settle()]
        texts += [self._follow(s, *bounds) for s, bounds in enumerate(self._bounds())]
        if cut:
            texts.append(self._cut())
        return "\n".join(texts)

    def group_lines(self, load: list[str], store: list[str]) -> str:
        """The function that steps one group along with states `x` and memory `w` of its own.

        `load` makes the extended state ``ue`` and memory ``me``; `store` leaves ``un`` and ``mn``.
        """
        layout, n = self.layout, self.layout.n
        count, numbers = layout.stepper.memory
        whole = n + layout.group_rows
        lines = [*load, "un, ke = attempt_tangent(t, h, step, ue, me, p, ws, lane)"]
        memory = "m"
        if count or numbers:
            lines.append("mn = next_memory_tangent(me, ke)")
            items = [f"mn[{v * whole + i}]" for v in range(count) for i in range(n)]
            memory = group([*items, *(f"mn[{count * whole + i}]" for i in range(numbers))])
        lines += store
        states = group(f"un[{i}]" for i in range(n))
        error = "vector_error_tangent(h, ue, un, ke, lane)[1]"
        lines.append(f"return {states}, {memory}, {error}")
        return function("follow_group", f"g, into, {self.step_args}", lines)

    # -- which rows ---------------------------------------------------------------------------

    def _bounds(self) -> list[tuple[int, int]]:
        """First group of each set, and the first one after it."""
        sets = self.layout.sets or (self.layout.vectors,)
        bounds, first = [], 0
        for vectors in sets:
            bounds.append((first, first + vectors // self.layout.size))
            first = bounds[-1][1]
        return bounds

    def _commit(self, first: int, last: int) -> list[str]:
        """Lines that take over what was attempted for the groups from `first` to `last`."""
        layout = self.layout
        parts = [(first * layout.group_rows, last * layout.group_rows)]
        if layout.group_memory:
            start = layout.memory
            parts.append((start + first * layout.group_memory, start + last * layout.group_memory))
        lines = []
        for begin, end in parts:
            lines += [
                f"for row in range({begin}, {end}):",
                f"    analysis_ws[row, lane] = analysis_ws[{layout.pending} + row, lane]",
            ]
        return lines

    def _errors(self, first: int, last: int) -> list[str]:
        return [f"analysis_ws[{self.layout.errors + g}, lane]" for g in range(first, last)]

    def _fits(self, first: int, last: int) -> str:
        errors = self._errors(first, last)
        if len(errors) > _FEW:
            return f"groups_fit({first}, {last}, options, analysis_ws, lane)"
        return " & ".join(f"({error} <= {_LIMIT})" for error in errors)

    # -- functions ----------------------------------------------------------------------------

    def _fit(self) -> str:
        """Whether all attempted vectors may be taken as they are."""
        fits = self._fits(0, self.layout.groups)
        text = function("tangents_fit", "options, analysis_ws, lane", [f"return {fits}"])
        if self.layout.groups <= _FEW:
            return text
        many = [
            "worst = 0.0",
            "for g in range(first, last):",
            f"    worst = max_(worst, analysis_ws[{self.layout.errors} + g, lane])",
            f"return worst <= {_LIMIT}",
        ]
        loop = function("groups_fit", "first, last, options, analysis_ws, lane", many)
        return f"{loop}\n{text}"

    def _settle(self) -> str:
        """Take over what was attempted, or step anew what does not fit."""
        lines = ["if tangents_fit(options, analysis_ws, lane):"]
        lines += ["    commit_tangents(analysis_ws, lane)", "else:"]
        for s, bounds in enumerate(self._bounds()):
            lines += [
                f"    if {self._fits(*bounds)}:",
                *(f"        {line}" for line in self._commit(*bounds)),
                "    else:",
                f"        follow_{s}(h, {self.follow_args})",
            ]
        return function("settle_tangents", self.settle_args, lines)

    def _cut(self) -> str:
        """Go up to theta, where an event cuts the step: never by an interpolant.

        That would be right to a share of the vector's length at the start, which may be long.
        """
        calls = [f"follow_{s}(theta * h, {self.follow_args})" for s in range(len(self._bounds()))]
        return function("cut_tangents", f"theta, {self.settle_args}", calls)

    def _follow(self, s: int, first: int, last: int) -> str:
        """Take a set of vectors along the first part of a step, `reach`, in steps of their own."""
        pending = f"analysis_ws[{self.layout.pending}:]"
        call = f"follow_group(g, {pending}, t + done, size, step, x, w, p, ws, analysis_ws, lane)"
        lines = [
            "x = u",
            "w = m",
            "done = 0.0",
            "size = reach",
            "retry = 0.0",
            "lost = False",
            f"last = {_USUAL!r}",
            "while True:",
            f"    if heard(analysis_ws, {self.layout.heed}, lane):",
            "        break  # a run that is left: what it has is not used",
            "    rest = reach - done",
            "    final = abs_(size) >= 0.999999 * abs_(rest)",
            "    size = select(final, rest, size)",
            "    x_new = x",
            "    w_new = w",
            "    worst = 0.0",
            f"    for g in range({first}, {last}):",
            f"        x_new, w_new, error = {call}",
            "        worst = max_(worst, error)",
            f"    level = error_level({self.share})",
            "    good = (level <= 0.0) | lost",
            "    if good:",
            *(f"        {line}" for line in self._commit(first, last)),
            "        x = x_new",
            "        w = w_new",
            "        done += size",
        ]
        if self.hooks[s]:
            lines.append(f"        {self.hooks[s]}(lane, t + done, analysis_ws)")
        lines += [
            "        if final:",
            "            break",
            f"    elif abs_(size) <= {_SHORTEST!r} * abs_(h):",
            "        lost = True  # NaN, or near it: no step would do",
            "        size = rest",
            "        continue",
            "    size *= step_factor(level, good, last, retry, " + _CONTROL + ")",
            "    last = select(good, last_level(level), last)",
            "    retry = select(good, 0.0, 1.0)",
        ]
        return function(f"follow_{s}", f"reach, {self.follow_args}", lines)
