"""``python -m dynlib`` is ``dynlib``."""

from dynlib.cli.app import main

main()
