"""Tables and headings: plain where the output is piped, dressed where somebody looks at it."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

__all__ = ["heading", "print_table"]


def heading(text: str) -> str:
    """Return a heading; `click.echo` drops its colour where there is no terminal."""
    return click.style(text, bold=True)


def print_table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table: drawn by rich on a terminal, else one line a row in aligned columns.

    Parameters
    ----------
    titles : sequence of str
        Heads of the columns.
    rows : sequence of sequence of str
        As long as ``titles``, each.
    """
    if sys.stdout.isatty():
        _print_rich(titles, rows)
        return
    widths = [max(map(len, column)) for column in zip(titles, *rows, strict=True)]
    for row in (titles, *rows):
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        click.echo("  ".join(cells).rstrip())


def _print_rich(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for index, title in enumerate(titles):
        table.add_column(title, no_wrap=index == 0, style="bold" if index == 0 else None)
    for row in rows:
        table.add_row(*row)
    console = Console(highlight=False, markup=False)
    console.print(table)
