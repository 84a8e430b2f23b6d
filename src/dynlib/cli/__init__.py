"""The command line: ``dynlib COMMAND``, one file for each command."""

from dynlib.cli.app import app, main

__all__ = ["app", "main"]
