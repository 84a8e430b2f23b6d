"""``python -m dynlib.cli`` is ``dynlib``."""

from dynlib.cli.app import main

main()
