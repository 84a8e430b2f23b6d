"""Text of the hooks of `features`: straight-line code over the observed quantities.

Words in capitals stand for rows of the workspace and of the outputs (see `Part`); the functions
``values_OBS`` and ``slopes_OBS`` return the quantities and their rates of change.
"""

from __future__ import annotations

from dataclasses import dataclass

from dynlib.abi.hooks import ALONG_ARGS, HOOK_ARGS, INSIDE_ARGS, SEES_ARGS
from dynlib.observers.kit.batches import Batches
from dynlib.steppers.text import function

__all__ = ["FeatureText"]

_PLACE = HOOK_ARGS.replace("trace_cap, trace_stride", "traces")
_HERE = "(t, step, u, t, u, params, runtime_ws, lane)"
_PIECE = [
    "sums = analysis_ws[SUMS + place_OBS(j, b, lane, analysis_ws), lane]",
    "place = SUMS + place_OBS(j % SIZE, b, lane, analysis_ws)",
    "return sums + weight * analysis_ws[place, lane]",
]  # of squares from the first value; what they differ from those from the mean is a sum of values
_THERE = "(t + h, step + 1, v, t, u, params, runtime_ws, lane)"
_GAUSS = (  # nodes and weights on (0, 1)
    (0.06943184420297371, 0.17392742256872693),
    (0.33000947820757187, 0.32607257743127307),
    (0.6699905217924281, 0.32607257743127307),
    (0.9305681557970263, 0.17392742256872693),
)


@dataclass(frozen=True)
class FeatureText:
    """Writes the hooks for so many quantities.

    Attributes
    ----------
    size
        Quantities.
    kinds
        ``"min"``, ``"max"``, ``"mean"``, ``"variance"``, ``"mean_error"``, ``"variance_error"``, in
        the order of the outputs.
    flow
        Whether means are over time; else over iterates.
    even
        Whether all steps but the last are of one length and pieces are whole steps.  Then the
        correction of the trapezoidal rule telescopes, and is worked out at the end.
    fine
        Whether integrals are taken on the interpolant of each step.
    finite
        Quantities that are never NaN.
    """

    size: int
    kinds: tuple[str, ...]
    flow: bool
    even: bool
    fine: bool = False
    finite: frozenset[int] = frozenset()

    @property
    def rows(self) -> dict[str, int]:
        """First rows of the workspace, by word."""
        k = self.size
        return {
            "BEGAN": 0, "FIRST": 1, "SLOPE": 1 + k, "SUM": 1 + 2 * k, "SQUARES": 1 + 3 * k,
        }  # fmt: skip

    @property
    def _rows(self) -> int:
        return 1 + 4 * self.size

    @property
    def workspace(self) -> int:
        """Ordinary rows of the workspace."""
        return self._rows + (0 if self.batches is None else self.batches.changing)

    @property
    def _mean(self) -> bool:
        return "mean" in self.kinds or "mean_error" in self.kinds or self._variance

    @property
    def _variance(self) -> bool:
        return "variance" in self.kinds or "variance_error" in self.kinds

    @property
    def batches(self) -> Batches | None:
        """Parts of the sums, if an error is asked for."""
        if "variance_error" in self.kinds:
            text = function("piece_OBS", "j, weight, b, lane, analysis_ws", _PIECE)
            text = text.replace("SIZE", str(self.size))
            return Batches(2 * self.size, self._rows, running=self.rows["SUM"], piece=text)
        if "mean_error" in self.kinds:
            return Batches(self.size, self._rows, running=self.rows["SUM"])
        return None

    def _out(self, kind: str, j: int) -> str:
        return f"analysis_out[OUT + {self.kinds.index(kind) * self.size + j}, lane]"

    def _row(self, word: str, j: int) -> str:
        return f"analysis_ws[{word} + {j}, lane]"

    def _extremes(self, values: str) -> list[str]:
        lines = []
        for kind, sign in (("min", "<"), ("max", ">")):
            if kind in self.kinds:
                for j in range(self.size):
                    out, x = self._out(kind, j), f"real({values}[{j}])"
                    least = f"{kind}_({x}, {out})"  # NaN wins: the rest is not the whole
                    if j in self.finite:
                        least = f"select({x} {sign} {out}, {x}, {out})"
                    # The sum, which changes nothing but -0, keeps LLVM from storing under a mask,
                    # which the next step's load would have to wait for.
                    lines.append(f"{out} = {least} + 0.0")
        return lines

    def start(self) -> str:
        """Everything anew."""
        lines = ["u = load_rows(y_curr, 0, N, lane)", f"a = values_OBS{_HERE}"]
        lines.append("analysis_ws[BEGAN, lane] = t")
        for j in range(self.size):
            lines += [f"{self._out(k, j)} = a[{j}]" for k in ("min", "max") if k in self.kinds]
            lines.append(f"{self._row('FIRST', j)} = a[{j}]")
            lines += [f"{self._row(word, j)} = 0.0" for word in ("SUM", "SQUARES")]
        if self.flow and self.even and self._mean and not self.fine:
            lines.append(f"s = slopes_OBS{_HERE}")
            lines += [f"{self._row('SLOPE', j)} = s[{j}]" for j in range(self.size)]
        return function("start_OBS", _PLACE, lines)

    def post(self) -> str:
        """After a step, where what matters is the committed state."""
        lines = ["u = load_rows(y_curr, 0, N, lane)", f"a = values_OBS{_HERE}"]
        lines += self._extremes("a")
        if not self.flow:
            lines += self._sums("a")
        return function("post_OBS", _PLACE, lines)

    def _sums(self, values: str) -> list[str]:
        """Sums over iterates."""
        lines = []
        for j in range(self.size if self._mean else 0):
            total, squares = self._row("SUM", j), self._row("SQUARES", j)
            lines.append(f"{total} = {total} + {values}[{j}]")
            if self._variance:
                lines.append(f"x = {values}[{j}] - {self._row('FIRST', j)}")
                lines.append(f"{squares} = fma(x, x, {squares})")
        return lines

    def along(self, *, extremes: tuple[str, ...]) -> str:
        """Extremes at ends of a piece, a and b, and integrals over it, or sums.

        The trapezoidal rule, corrected at once where it must be.
        """
        lines = [f"b = values_OBS{_THERE}"]
        integral = self.flow and self._mean and not self.fine
        if "a" in extremes:
            lines.append(f"a = values_OBS{_HERE}")
        for values in extremes:
            lines += self._extremes(values)
        if not self.flow:
            lines += self._sums("b")
        elif integral:
            lines += [] if "a" in extremes else [f"a = values_OBS{_HERE}"]
            lines.append("w = 0.5 * h")
            if not self.even:
                lines += [f"r = slopes_OBS{_HERE}", f"s = slopes_OBS{_THERE}", "e = h * h / 12.0"]
            lines += [line for j in range(self.size) for line in self._integral(j)]
        return function("along_OBS", ALONG_ARGS, lines)

    def inside(self) -> str:
        """Integrals over a piece by Gauss's rule, on the interpolant of its step."""
        lines = []
        for node, weight in _GAUSS:
            lines += [f"theta = {node!r} * end", f"w = {weight!r} * end * h"]
            lines.append("x = inside(theta, h, u, v, d)")
            lines.append(
                "b = values_OBS(t + theta * h, step + 1, x, t, u, params, runtime_ws, lane)"
            )
            for j in range(self.size):
                total, squares = self._row("SUM", j), self._row("SQUARES", j)
                lines.append(f"{total} = fma(w, b[{j}], {total})")
                if self._variance:
                    lines.append(f"z = b[{j}] - {self._row('FIRST', j)}")
                    lines.append(f"{squares} = fma(w, z * z, {squares})")
        return function("inside_OBS", INSIDE_ARGS, lines)

    def sees(self) -> str:
        """Every step is looked at."""
        return function("sees_OBS", SEES_ARGS, ["return True"])

    def _integral(self, j: int) -> list[str]:
        total = self._row("SUM", j)
        lines = [f"{total} = fma(w, a[{j}] + b[{j}], {total})"]
        if not self.even:
            lines += [f"x = e * (r[{j}] - s[{j}])", f"{total} += select(x - x == 0.0, x, 0.0)"]
        return lines + (self._squares(j) if self._variance else [])

    def _squares(self, j: int) -> list[str]:
        squares, first = self._row("SQUARES", j), self._row("FIRST", j)
        lines = [f"x = a[{j}] - {first}", f"z = b[{j}] - {first}"]
        lines.append(f"{squares} = fma(w, fma(x, x, z * z), {squares})")
        if not self.even:
            lines.append(f"x = 2.0 * e * (x * r[{j}] - z * s[{j}])")
            lines.append(f"{squares} += select(x - x == 0.0, x, 0.0)")
        return lines

    def end(self) -> str:
        """Means over the time that has passed, and their errors."""
        lines = ["span = t - analysis_ws[BEGAN, lane]"]
        corrected = self.flow and self.even and not self.fine
        if corrected:
            lines += [
                "whole = floor(span / dt + 1e-9) * dt",  # the last step may be shorter
                "length = select(abs_(span - whole) < 1e-9 * abs_(dt), dt, span - whole)",
                "e = dt * dt / 12.0",
                "f = length * length / 12.0",
                "before = t - length",
                # Where all steps were alike, the last but one has no part in the correction.
                "alike = length == dt",
            ]
            for name, time, step, array in (
                ("u", "before", "step - 1", "y_prev"),
                ("v", "t", "step", "y_curr"),
            ):
                args = f"({time}, {step}, {name}, {time}, {name}, params, runtime_ws, lane)"
                lines.append(f"{name} = load_rows({array}, 0, N, lane)")
                lines += [f"{name}_values = values_OBS{args}", f"{name}_slopes = slopes_OBS{args}"]
        else:
            lines += ["u = load_rows(y_curr, 0, N, lane)", f"v_values = values_OBS{_HERE}"]
        for j in range(self.size):
            lines += self._means(j, corrected=corrected)
        return function("end_OBS", _PLACE, lines)

    def _means(self, j: int, *, corrected: bool) -> list[str]:
        first = self._row("FIRST", j)
        lines = [f"total = {self._row('SUM', j)}", f"squares = {self._row('SQUARES', j)}"]
        if corrected:
            lines += [
                f"r, s, z = {self._row('SLOPE', j)}, u_slopes[{j}], v_slopes[{j}]",
                "x = select(alike, e * (r - z), e * (r - s) + f * (s - z))",
                "total += select(x - x == 0.0, x, 0.0)",
                f"s = s * (u_values[{j}] - {first})",
                f"z = z * (v_values[{j}] - {first})",
                "x = 2.0 * select(alike, -e * z, f * (s - z) - e * s)",
                "squares += select(x - x == 0.0, x, 0.0)",
            ]
        ratio = "total / select(span == 0.0, 1.0, span)"
        lines.append(
            f"mean = select(span == 0.0, {f'v_values[{j}]' if self.flow else 'nan'}, {ratio})"
        )
        if "mean" in self.kinds:
            lines.append(f"{self._out('mean', j)} = mean")
        if self._variance:
            lines.append(f"off = mean - {first}")
        if "variance" in self.kinds:
            out = self._out("variance", j)
            lines.append("x = squares / select(span == 0.0, 1.0, span) - off * off")
            lines.append(f"{out} = select(x < 0.0, 0.0, x)")
        if "mean_error" in self.kinds:
            lines.append(f"{self._out('mean_error', j)} = error_OBS({j}, 0.0, lane, analysis_ws)")
        if "variance_error" in self.kinds:
            error = f"error_OBS({self.size + j}, -2.0 * off, lane, analysis_ws)"
            lines.append(f"{self._out('variance_error', j)} = {error}")
        return lines
