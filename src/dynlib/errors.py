"""Everything dynlib can complain about, and how a complaint reads.

Every error of dynlib derives from :class:`DynlibError`, so ``except dynlib.DynlibError`` catches
them all.  Problems of a model file are collected as :class:`Issue` objects and raised together, in
one :class:`ModelLoadError`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of one source line, which a caret can point at.

    Parameters
    ----------
    line, column : int
        Position of the first character, both counted from 1.  ``line`` is 0 where the text has no
        line number of its own (a value out of a Python dict).
    length : int
        Number of characters underlined, at least 1.
    text : str
        The source line, without its line break.
    """

    line: int
    column: int
    length: int
    text: str


@dataclass(frozen=True, slots=True)
class Issue:
    """One problem of a model: where, what was found, what is accepted or the likely fix.

    Parameters
    ----------
    path : str
        The place in the document, such as ``[equations.rhs] y``.
    message : str
        What is wrong.
    hint : str
        What is accepted, or the likely fix; may be empty.
    span : Span or None
        Where in the source text, if there is one.
    file : str
        The document it lies in (a mod may come from another one than the model).
    """

    path: str
    message: str
    hint: str = ""
    span: Span | None = None
    file: str = ""

    def render(self) -> str:
        """Return the issue as text, indented by two spaces, with the source line and a caret."""
        place = self.file
        if self.span is not None and self.span.line:
            place = f"{self.file}:{self.span.line}:{self.span.column}"
        lines = ["  " + "  ".join(part for part in (place, self.path) if part)]
        if self.span is None:
            lines.append(f"    {self.message}")
        else:
            lines += _caret(self.span, self.message)
        lines += [f"      {line}" for line in self.hint.splitlines()]
        return "\n".join(lines)


_WIDEST = 100


def _caret(span: Span, message: str) -> list[str]:
    """Return the source line and the line with carets and message below it."""
    # Text out of a dict may hold anything, even what would steer the terminal.
    text = "".join(each if each.isprintable() else " " for each in span.text)
    start = span.column - 1
    length = max(1, min(span.length, len(text) - start))
    first = max(0, min(start - _WIDEST // 2, len(text) - _WIDEST))
    shown = text[first : first + _WIDEST]
    if first:
        shown = "..." + shown
        start += 3
    if first + _WIDEST < len(text):
        shown += "..."
    start -= first
    length = min(length, max(1, len(shown) - start))
    stripped = shown.lstrip()
    start -= len(shown) - len(stripped)
    return [f"    {stripped}".rstrip(), f"    {' ' * start}{'^' * length} {message}"]


class DynlibError(Exception):
    """The root of all errors that dynlib raises on purpose."""

    def __str__(self) -> str:
        # KeyError prints its argument quoted; an error message is printed as it is.
        return str(self.args[0]) if self.args else ""


# --- models -------------------------------------------------------------------------------------


class ModelLoadError(DynlibError):
    """A model document has problems; all of them are listed.

    Parameters
    ----------
    issues : iterable of Issue
        The problems, in the order of the document.
    label : str
        The name of the document: a file name, a URI, ``<text>`` or ``<dict>``.
    more : bool
        Whether the search ended early because there were so many.

    Attributes
    ----------
    issues : tuple of Issue
    label : str
    more : bool
    """

    def __init__(
        self, issues: Iterable[Issue], label: str = "model", *, more: bool = False
    ) -> None:
        self.issues, self.label, self.more = tuple(issues), label, more
        count = f"at least {len(self.issues)}" if more else f"{len(self.issues)}"
        head = f"{label}: {count} problem{'' if len(self.issues) == 1 else 's'}"
        super().__init__("\n\n".join([head, *(issue.render() for issue in self.issues)]))

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self.issues, self.label), {"more": self.more, "args": self.args})


class ModelNotFoundError(DynlibError):
    """No model lies where the URI, path or tag points."""


class AmbiguousModelError(DynlibError):
    """A name fits more than one model or mod."""


class PathTraversalError(DynlibError):
    """A model URI tries to leave the folders of its tag."""


class ConfigError(DynlibError):
    """The configuration file or an environment variable of dynlib cannot be used."""


# --- steppers and compilation -------------------------------------------------------------------


class StepperError(DynlibError):
    """A stepper cannot be used as asked."""


class UnknownStepper(StepperError):
    """No stepper has this name.

    Parameters
    ----------
    name : str
        The name that was asked for.
    known : iterable of str
        All names there are.
    hint : str or None
        The nearest known name, if one is near.
    where : str
        The place in a model that asks for it; empty if the caller does.
    """

    def __init__(
        self, name: str, known: Iterable[str] = (), hint: str | None = None, where: str = ""
    ) -> None:
        self.name, self.known, self.hint, self.where = name, tuple(known), hint, where
        guess = f" Did you mean {hint!r}?" if hint else ""
        choice = f" Known: {', '.join(self.known)}." if self.known else ""
        place = f"{where}: " if where else ""
        super().__init__(f"{place}unknown stepper {name!r}.{guess}{choice}")

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self.name, self.known, self.hint, self.where))


class StepperKindMismatchError(StepperError):
    """A stepper for flows was asked to iterate a map, or the other way round."""


class StepperJitCapabilityError(StepperError):
    """The text of somebody's stepper cannot be compiled; with ``jit=False`` it runs."""


class StepperOptionError(StepperError, ValueError):
    """An option of a stepper is unknown or has a value that it does not take."""


class CompilationError(DynlibError):
    """A model could not be compiled, although nothing is wrong with it."""


class JITUnavailableError(DynlibError):
    """Hooks of a user's own are to be compiled, but Numba cannot be imported."""


class MissingExtraError(DynlibError, ImportError):
    """An optional package is needed.

    Parameters
    ----------
    extra : str
        The extra that brings it: ``pip install "dynlib[extra]"``.
    what : str
        What needs it, as the subject of a sentence.
    """

    def __init__(self, extra: str, what: str) -> None:
        self.extra, self.what = extra, what
        super().__init__(
            f"{what} needs a package that is not installed. Install it with: "
            f'pip install "dynlib[{extra}]"'
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self.extra, self.what))


# --- runs ---------------------------------------------------------------------------------------


class SessionBusyError(DynlibError, RuntimeError):
    """A session was called from within a call of its own, such as by a progress function."""


class SnapshotMismatchError(DynlibError):
    """A snapshot belongs to other equations, states or another stepper."""


class RunFailed(DynlibError):
    """A run ended before its horizon; what was computed until then is kept.

    Parameters
    ----------
    message : str
        What happened, and when.
    results : object
        The partial results.
    status, t, step, state : object
        How, when and where the run ended.

    Attributes
    ----------
    results, status, t, step, state
        As given.
    """

    def __init__(
        self,
        message: str,
        results: Any = None,
        *,
        status: Any = None,
        t: float | None = None,
        step: int | None = None,
        state: Any = None,
    ) -> None:
        super().__init__(message)
        self.results, self.status, self.t, self.step, self.state = results, status, t, step, state

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (str(self), self.results), self.__dict__.copy())


# --- misuse of the Python interface ---------------------------------------------------------------


class OptionError(DynlibError, ValueError):
    """An argument has a value that cannot be used."""


class TooLargeError(DynlibError, ValueError):
    """Something would be more work than a limit allows; the message says how to raise it."""


class UnknownNameError(DynlibError, KeyError):
    """No state, parameter, aux variable, event, preset or mod has this name."""


class UnknownOptionError(DynlibError, TypeError):
    """A keyword argument that nothing here takes."""


class FileError(OptionError):
    """A file or store does not hold what dynlib wrote: damaged, changed, or something else.

    Parameters
    ----------
    path : path
        The file, or the folder of a store.
    found : str
        What is wrong, as half a sentence.
    remedy : str
        What to do.
    part : str
        The part of it that is wrong; empty if that cannot be told.

    Attributes
    ----------
    path, found, remedy, part
        As given.
    """

    def __init__(self, path: Any, found: str, remedy: str = "", part: str = "") -> None:
        self.path, self.found, self.remedy, self.part = path, found, remedy, part
        place = f"{path}: {part}" if part else f"{path}"
        super().__init__(f"{place}: {found}.{f' {remedy}' if remedy else ''}")

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self.path, self.found, self.remedy, self.part))


class ObserverError(OptionError):
    """An observer cannot be what it is asked to be, or cannot observe this model."""


# --- warnings -----------------------------------------------------------------------------------


class DynlibWarning(UserWarning):
    """The root of all warnings that dynlib gives.

    ``warnings.filterwarnings("ignore", category=dynlib.DynlibWarning)`` silences them.
    """


class AccuracyWarning(DynlibWarning):
    """A model and a stepper go together, but with less accuracy than the stepper promises."""


class StepperWarning(DynlibWarning):
    """Steppers that another package brings cannot be used; dynlib goes on without them."""


class CacheWarning(DynlibWarning):
    """The disk cache cannot be used as it should; results are not affected."""
