"""Forms of elementary functions for vectors of 2, 4 and 8 numbers, in modules that call them.

LLVM takes more than in proportion to the length of a function, and hundreds of exponentials put in
place make a very long one.  So long modules call them.  A call computes the same operations in the
same order, so the bits are the same.  Each call names the forms, for LLVM's loop vectoriser and for
its search for vectors in straight-line code.  A form is a loop over the numbers, of which LLVM is
told to make vector instructions.
"""

from __future__ import annotations

__all__ = ["NOTES", "PURE", "named_forms", "vector_forms"]

_WIDTHS = (4, 8)
_TOLD = (
    '"llvm.loop.vectorize.enable", i1 true',
    '"llvm.loop.vectorize.width", i32 {width}',
    '"llvm.loop.interleave.count", i32 1',
    '"llvm.loop.unroll.disable"',
)

NOTES = len(_WIDTHS) * (1 + len(_TOLD))
"""How many notes there are to the forms of one function."""

PURE = "nounwind willreturn memory(none)"
"""What LLVM may know of an elementary function."""


def named_forms(name: str, count: int) -> str:
    """The attribute of a call that names the forms of a function of `count` numbers."""
    letters = "v" * count
    forms = ",".join(f"_ZGV_LLVM_N{w}{letters}_{name}({name}.{w})" for w in (2, *_WIDTHS))
    return f'"vector-function-abi-variant"="{forms}"'


def vector_forms(name: str, count: int, first: int) -> tuple[list[str], list[str]]:
    """Names and texts of the forms of a function of `count` numbers; `first` numbers its notes."""
    names = [f"{name}.{width}" for width in (2, *_WIDTHS)]
    numbers = range(first, first + NOTES, 1 + len(_TOLD))
    pairs = list(zip(numbers, _WIDTHS, strict=True))
    texts = [_form(name, width, count, f"!{number}") for number, width in pairs]
    texts.append(_half(name, count))
    notes = [note for number, width in pairs for note in _notes(number, width)]
    return names, [*texts, "\n".join(notes)]


def _form(name: str, width: int, count: int, note: str) -> str:
    """The form of a function for vectors of a width."""
    kind, numbers = f"<{width} x double>", range(count)
    head = ", ".join(f"{kind} %x{i}" for i in numbers)
    operands = ", ".join(f"double %a{i}" for i in numbers)
    lines = [
        *(f"%p{i} = alloca {kind}" for i in numbers),
        f"%r = alloca {kind}",
        *(f"store {kind} %x{i}, ptr %p{i}" for i in numbers),
        "br label %loop",
        "loop:",
        "%k = phi i64 [ 0, %start ], [ %next, %loop ]",
        *(f"%q{i} = getelementptr inbounds double, ptr %p{i}, i64 %k" for i in numbers),
        *(f"%a{i} = load double, ptr %q{i}" for i in numbers),
        f"%y = call double @{name}({operands}) alwaysinline",
        "%z = getelementptr inbounds double, ptr %r, i64 %k",
        "store double %y, ptr %z",
        "%next = add nuw nsw i64 %k, 1",
        f"%more = icmp ult i64 %next, {width}",
        f"br i1 %more, label %loop, label %end, !llvm.loop {note}",
        "end:",
        f"%all = load {kind}, ptr %r",
        f"ret {kind} %all",
    ]
    body = "\n".join(["start:", *lines])
    return f"define internal {kind} @{name}.{width}({head}) noinline {PURE} {{\n{body}\n}}"


def _half(name: str, count: int) -> str:
    """The form for two numbers, by that for four: LLVM makes no loop of two turns a vector."""
    two, four, numbers = "<2 x double>", "<4 x double>", range(count)
    head = ", ".join(f"{two} %x{i}" for i in numbers)
    both = "<4 x i32> <i32 0, i32 1, i32 0, i32 1>"
    first = "<2 x i32> <i32 0, i32 1>"
    lines = [
        *(f"%w{i} = shufflevector {two} %x{i}, {two} poison, {both}" for i in numbers),
        f"%y = call {four} @{name}.4({', '.join(f'{four} %w{i}' for i in numbers)})",
        f"%z = shufflevector {four} %y, {four} poison, {first}",
        f"ret {two} %z",
    ]
    body = "\n".join(["start:", *lines])
    return f"define internal {two} @{name}.2({head}) noinline {PURE} {{\n{body}\n}}"


def _notes(first: int, width: int) -> list[str]:
    """What LLVM is told about the loop of a form: one turn of it, as vectors."""
    numbers = [f"!{first + 1 + i}" for i in range(len(_TOLD))]
    whole = f"!{first} = distinct !{{!{first}, {', '.join(numbers)}}}"
    told = (text.format(width=width) for text in _TOLD)
    return [whole, *(f"{n} = !{{!{text}}}" for n, text in zip(numbers, told, strict=True))]
