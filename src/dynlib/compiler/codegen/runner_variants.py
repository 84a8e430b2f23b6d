"""Every runner is made here.

`RunnerVariant` names the kinds, `_RUNNER_TEMPLATE_MAP` holds the text of each for flows and for
maps, `get_runner` puts a model's functions behind it, has an engine compile it, and keeps it.  A
further kind is a `FurtherVariant` whose text somebody puts into the map.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from enum import Enum
from functools import cache, partial
from threading import RLock
from typing import TYPE_CHECKING, Any

from dynlib.abi.forks import whole_after_fork
from dynlib.abi.hooks import AnalysisModule, user_name
from dynlib.abi.phases import Phase, phase
from dynlib.compiler.codegen.program import Program
from dynlib.compiler.codegen.recipe import recipe, template_version
from dynlib.compiler.engine import Engine, Jit, Place, UncompilableHook
from dynlib.compiler.source import KernelSource
from dynlib.errors import ObserverError, OptionError

if TYPE_CHECKING:
    from dynlib.compiler.codegen.lane_program import LaneProgram
    from dynlib.compiler.codegen.templates import Template
    from dynlib.compiler.jit.disk_cache import DiskCache
    from dynlib.compiler.jit.runner import Runner

__all__ = [
    "FurtherVariant",
    "RunnerKey",
    "RunnerVariant",
    "Variant",
    "alone",
    "analysis_signature_hash",
    "analysis_token",
    "compile_analysis_hooks",
    "content_token",
    "get_runner",
]


class RunnerVariant(Enum):
    """The kinds of runner: ordinary or fast path, without or with observers."""

    BASE = "base"
    ANALYSIS = "analysis"
    FASTPATH = "fastpath"
    FASTPATH_ANALYSIS = "fastpath_analysis"

    @property
    def observed(self) -> bool:
        """Whether observers' hooks are compiled in."""
        return self in (RunnerVariant.ANALYSIS, RunnerVariant.FASTPATH_ANALYSIS)

    @property
    def fast(self) -> bool:
        """Whether it runs the lanes of a block."""
        return self in (RunnerVariant.FASTPATH, RunnerVariant.FASTPATH_ANALYSIS)

    @property
    def fallback(self) -> RunnerVariant:
        """The ordinary kind with the same observers."""
        return RunnerVariant.ANALYSIS if self.observed else RunnerVariant.BASE


@dataclass(frozen=True)
class FurtherVariant:
    """A kind of runner besides the four: called with what the one is called with that it is like.

    It is made by putting its text and the name of its function into `_RUNNER_TEMPLATE_MAP`, and
    called by naming it in a `RunRequest` or `BatchRequest`.

    Attributes
    ----------
    value
        Its name, in cache keys.
    like
        The kind whose arguments it takes.
    """

    value: str
    like: RunnerVariant

    @property
    def observed(self) -> bool:
        """Whether observers' hooks are compiled in."""
        return self.like.observed

    @property
    def fast(self) -> bool:
        """Whether it runs the lanes of a block."""
        return self.like.fast

    @property
    def fallback(self) -> RunnerVariant:
        """The ordinary kind with the same observers."""
        return self.like.fallback


Variant = RunnerVariant | FurtherVariant


class _Templates(MutableMapping[tuple[Variant, bool], tuple[str, str]]):
    """Text and name of each runner, by variant and whether it is for maps.

    Those of the four are made when they are first read; others can be put in, and taken out.
    """

    def __init__(self) -> None:
        self._made: dict[tuple[Variant, bool], tuple[str, str]] = {}

    def __getitem__(self, key: tuple[Variant, bool]) -> tuple[str, str]:
        if key not in self._made:
            variant, discrete = key
            if not isinstance(variant, RunnerVariant):
                systems = "maps" if discrete else "flows"
                raise OptionError(f"no runner {variant.value!r} for {systems} has been registered.")
            from dynlib.compiler.codegen.printed import text_of  # kernels are found without

            name = f"run_{variant.value}_{'map' if discrete else 'ode'}"
            self._made[key] = text_of(t.node for t in self._own(key, name)), name
        return self._made[key]

    @staticmethod
    def _own(key: tuple[Variant, bool], name: str) -> tuple[Template, ...]:
        from dynlib.compiler.codegen.runner_text import runner_templates  # which loads them

        variant, discrete = key
        return runner_templates(
            name, discrete=discrete, observed=variant.observed, fast=variant.fast
        )

    def templates(self, key: tuple[Variant, bool]) -> tuple[tuple[Template, ...], str]:
        """The functions of a runner as trees, and its name."""
        if isinstance(key[0], RunnerVariant):
            name = f"run_{key[0].value}_{'map' if key[1] else 'ode'}"
            return self._own(key, name), name
        from dynlib.compiler.codegen.templates import templates_in

        text, name = self[key]
        return templates_in(text), name

    def __setitem__(self, key: tuple[Variant, bool], template: tuple[str, str]) -> None:
        if isinstance(key[0], RunnerVariant):
            raise OptionError(f"{key[0]} is there; register a FurtherVariant that is like it.")
        text, name = template
        if f"def {name}(" not in text:
            raise OptionError(f"the template of {key[0].value!r} defines no function {name}().")
        self._made[key] = template

    def __delitem__(self, key: tuple[Variant, bool]) -> None:
        del self._made[key]

    def __iter__(self) -> Iterator[tuple[Variant, bool]]:
        own = [(variant, discrete) for variant in RunnerVariant for discrete in (False, True)]
        return iter(dict.fromkeys([*own, *self._made]))

    def __len__(self) -> int:
        return len(list(iter(self)))


_RUNNER_TEMPLATE_MAP = _Templates()


@dataclass(frozen=True)
class RunnerKey:
    """What a runner is kept under.

    `cache_token` hashes what the generated module is made from, or the module itself where that is
    not known (`recipe`), the versions of everything that turns it into machine code, and the
    processor that the machine code is for.
    """

    model_hash: str
    stepper_name: str
    analysis_sig: str
    variant: str
    runner_kind: str
    dtype: str
    cache_token: str
    jit: Jit
    template_version: str

    @property
    def digest(self) -> str:
        """The key as one word, stable across processes."""
        return hashlib.sha256(repr(astuple(self)).encode()).hexdigest()


_LRU_SIZE = 128
_TURN = whole_after_fork(RLock())
_variant_cache_continuous: OrderedDict[RunnerKey, Runner] = OrderedDict()
_variant_cache_discrete: OrderedDict[RunnerKey, Runner] = OrderedDict()


def analysis_signature_hash(analysis: AnalysisModule | None) -> str:
    """16 characters that stand for the content of a set of observers; empty without."""
    if analysis is None:
        return ""
    return hashlib.sha256(analysis.signature().encode()).hexdigest()[:16]


def analysis_token(analysis: AnalysisModule | None, engine: Engine) -> str:
    """What a runner with these observers is kept under in this process.

    Compiled hooks are alike if their content is, as long as nobody teaches Numba another
    meaning of what they say.  In plain Python each hook writes to objects of its own.
    """
    if analysis is None or not analysis.has_user_hooks:
        return "" if analysis is None else analysis.signature()
    return f"{analysis.signature()} {engine.meaning(analysis.resolve_hooks())}"


def compile_analysis_hooks(analysis: AnalysisModule | None, engine: Engine) -> Any:
    """The functions that users wrote, ready for the text of a runner to call them.

    They go by the names under which ``ANALYSIS_PRE`` and ``ANALYSIS_POST`` call them.  Those two,
    like the hooks of dynlib's own observers, are text of the module; one that a template calls and
    no observer has is a no-op there.  Numba compiles each function for the arrays that the text
    gives it, the LLVM module that comes of it is linked with that of the runner, and so none of
    this is done for a kernel that is found in memory or on disk.

    Parameters
    ----------
    analysis
        The observers; None: there is nothing to call.
    engine
        Which compiles them, or takes plain functions, to which NumPy refuses what compiled ones
        cannot do.
    """
    return engine.hooks({} if analysis is None else analysis.resolve_hooks())


def module_of(
    program: Program | LaneProgram, variant: Variant, *, sampled: bool = False
) -> KernelSource:
    """The generated module of one runner."""
    discrete = program.spec.kind == "map"
    templates, name = _RUNNER_TEMPLATE_MAP.templates((variant, discrete))
    if isinstance(program, Program):
        return program.module(templates, name, sampled=sampled)
    fallback_loop = partial(_RUNNER_TEMPLATE_MAP.templates, (variant.fallback, discrete))
    return program.module(templates, name, fallback_loop, sampled=sampled)


@contextmanager
def alone() -> Iterator[None]:
    """One thread at a time: neither CPython's parser nor LLVM's passes bear more of them."""
    with _TURN:
        yield


@alone()
def get_runner(
    variant: Variant,
    program: Program | LaneProgram,
    engine: Engine,
    *,
    sampled: bool = False,
    disk_cache: DiskCache | None = None,
) -> Runner:
    """The runner of a model, from memory, from disk, or newly compiled.

    Parameters
    ----------
    variant
        Its kind; an observed one if the program has observers.
    program
        Model, stepper and observers; for the fast path with the number of lanes and what varies.
    engine
        Who compiles it.
    sampled
        Whether it records at given times, by dense output, instead of at steps.
    disk_cache
        Where compiled kernels are kept; None: nowhere.
    """
    discrete = program.spec.kind == "map"
    analysis = program.analysis
    assert variant.observed == (analysis is not None)

    @cache
    @phase(Phase.TEXT)
    def module() -> KernelSource:
        from dynlib.compiler.codegen.foreseen import check_foreseen  # for what is made now

        check_foreseen(program, jit=engine.compiles)
        return module_of(program, variant, sampled=sampled)

    content = _recipe(variant, program, sampled=sampled) or module().digest
    key = _key(variant, program, engine, content, sampled=sampled)
    kept = _variant_cache_discrete if discrete else _variant_cache_continuous
    if key in kept:
        kept.move_to_end(key)
        return kept[key]
    words = [program.spec.name, program.stepper.name, key.variant, key.runner_kind]
    words.append("" if analysis is None else analysis.analysis_kind)
    cached = disk_cache if _lasting(analysis, engine) else None
    with _hooks_of(analysis):
        runner = engine.runner(
            module,
            program.spec.dtype,
            partial(compile_analysis_hooks, analysis, engine),
            Place(cached, key.digest, " ".join(filter(None, words))),
        )
    # Numba may have been taught something by packages that it loads when it is first used.
    kept[_key(variant, program, engine, content, sampled=sampled)] = runner
    while len(kept) > _LRU_SIZE:
        kept.popitem(last=False)
    return runner


def _key(
    variant: Variant,
    program: Program | LaneProgram,
    engine: Engine,
    content: str,
    *,
    sampled: bool,
) -> RunnerKey:
    analysis = program.analysis
    return RunnerKey(
        model_hash=program.spec.model_hash,
        stepper_name=program.stepper.name,
        analysis_sig=analysis_signature_hash(analysis),
        variant=variant.value,
        runner_kind=f"{program.spec.kind}{'-sampled' if sampled else ''}",
        dtype=program.spec.dtype,
        cache_token=content_token(content, engine, analysis),
        jit=engine.jit,
        template_version=template_version(),
    )


def _recipe(variant: Variant, program: Program | LaneProgram, *, sampled: bool) -> str | None:
    """What stands for the text of a runner; None if only the text itself does."""
    if not isinstance(variant, RunnerVariant):
        return None
    kind = (variant.value, sampled, *program.kind)
    return recipe(program.spec, program.stepper, program.analysis, *kind)


def _lasting(analysis: AnalysisModule | None, engine: Engine) -> bool:
    """Whether the key of a kernel says in another process what it says here."""
    if analysis is None or not analysis.has_user_hooks:
        return True
    return analysis.portable and not engine.meaning(analysis.resolve_hooks())


@contextmanager
def _hooks_of(analysis: AnalysisModule | None) -> Iterator[None]:
    """Say whose hook it is that cannot be compiled."""
    try:
        yield
    except UncompilableHook as error:
        assert analysis is not None
        kind, _, index = error.name.partition("_hook_")
        whose = analysis.labels[int(index)]
        raise ObserverError(
            f"observer {whose!r}: its hook {user_name(kind)}, {error.function.__name__}(), cannot "
            f"be compiled: {error.reason}. Hooks may use numbers, arrays, math and numpy, as far "
            "as Numba compiles them; jit=False runs any Python."
        ) from error


def content_token(content: str, engine: Engine, analysis: AnalysisModule | None = None) -> str:
    """A word for the content of a module and for all that makes machine code of it."""
    parts = [content, *filter(None, [engine.versions()])]
    if analysis is not None and analysis.has_user_hooks:
        parts.append(analysis_token(analysis, engine))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
