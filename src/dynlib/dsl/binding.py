"""Read the expressions of a document: parse, resolve names, and report at the right place."""

from dynlib.dsl.blocks import Piece
from dynlib.dsl.expr import (
    ExprError,
    Kind,
    Name,
    Node,
    Parsed,
    Scope,
    bind,
    coerce,
    parse_expression,
    postorder,
)
from dynlib.dsl.issues import Issues

_EACH = 30  # units of work for any expression, however short


def parse_piece(piece: Piece, issues: Issues) -> Parsed | None:
    """Return the syntax of an expression; None after noting what is wrong with it."""
    issues.work.spend(2 * len(piece.text) + _EACH)
    try:
        return parse_expression(piece.text)
    except ExprError as error:
        report(piece, error, issues)
        return None


def bind_piece(
    piece: Piece, parsed: Parsed, scope: Scope, kind: Kind | None, issues: Issues
) -> Node | None:
    """Return the expression tree, of the given kind (None: as it is); None after a problem."""
    try:
        node = bind(parsed, scope, issues.work.spend)
    except ExprError as error:
        report(piece, error, issues)
        return None
    if scope.poisoned:
        order = postorder([node])
        issues.work.spend(len(order))
        if any(isinstance(each, Name) for each in order):
            return None  # it uses something broken, which has been noted where it is declared
    return node if kind is None else coerce(node, kind)


def read(piece: Piece, scope: Scope, kind: Kind | None, issues: Issues) -> Node | None:
    """Parse and bind an expression."""
    parsed = parse_piece(piece, issues)
    return bind_piece(piece, parsed, scope, kind, issues) if parsed is not None else None


def report(piece: Piece, error: ExprError, issues: Issues) -> None:
    """Note all problems of an expression at their places in the document."""
    issues.extend(
        piece.issue(each.message, each.hint[:1].upper() + each.hint[1:], each.start, each.end)
        for each in error.errors
    )
