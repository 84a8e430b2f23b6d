"""What the text of a runner is made from, as one word: a kernel is found by it before any text.

Making a text takes as long as a short run, and so it is made only where it is compiled.  All that
the text depends on is in the word, and the files that make texts are a part of the key of a kernel
(`template_version`).  Where dynlib cannot know what a text depends on, there is no such word, and
the text itself stands for it.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import dynlib
from dynlib.abi.hooks import AnalysisModule
from dynlib.dsl.fingerprint import fingerprint
from dynlib.dsl.spec import ModelSpec
from dynlib.steppers import registry
from dynlib.steppers.base import Stepper

__all__ = ["recipe", "template_version"]

_WRITERS = ("abi", "compiler/codegen", "dsl", "observers", "steppers")  # folders of such files


def recipe(
    spec: ModelSpec, stepper: Stepper, analysis: AnalysisModule | None, *details: object
) -> str | None:
    """A word that stands for the text of a runner.

    Parameters
    ----------
    spec, stepper, analysis
        The model, the method, the observers.
    details
        What kind of runner it is: numbers, words, tuples of them.

    Returns
    -------
    str or None
        None if the stepper is not dynlib's own, or a user wrote a hook.
    """
    if not registry.is_own(stepper) or (analysis is not None and analysis.has_user_hooks):
        return None
    observed = "" if analysis is None else analysis.signature()
    return fingerprint((spec.model_hash, stepper.name, observed, details))


@cache
def template_version() -> str:
    """Hash of the files that texts are made by."""
    home = Path(dynlib.__file__).parent
    files = [file for folder in _WRITERS for file in sorted((home / folder).rglob("*.py"))]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]
