"""What stands in capitals in templates of loops, each with a line that explains it.

A *flag* stands alone in an `if`, and is true or false once the kind of runner and the model are
known.  A *word* is a number then, mostly a row or an extent.  `CALLED` are functions that are
written for the model, the stepper and the observers.
"""

from __future__ import annotations

from collections.abc import Mapping

from dynlib.abi.hooks import KINDS

__all__ = ["CALLED", "FLAGS", "WORDS"]

FLAGS: Mapping[str, str] = {
    # the kind of runner
    "DISCRETE": "a map",
    "ANALYSIS": "observers are attached",
    "SAMPLED": "records are taken at given times, not at steps",
    # the stepper
    "ADAPTIVE": "steps have lengths of their own, and may be refused",
    "MULTISTEP": "the stepper remembers older slopes, for steps of one length",
    "MEMORY": "the stepper carries numbers from step to step",
    "NOTED": "its attempts say more than their result: that they failed, or what they took",
    "FAILS": "its attempts may fail, whatever their error",
    "SETTINGS": "it reads options of its own, or tolerances, from the workspace",
    # the model
    "LAGS": "it uses values of earlier steps",
    "LOOKS_BACK": "something compares with the step before",
    "SWITCHES": "its right-hand side switches at instants that steps have to end on",
    # events and stop conditions
    "EVENTS": "some condition is watched",
    "START_EVENTS": "events are looked at where a step begins",
    "END_EVENTS": "events are looked at where a step ends",
    "STARTS": "an event or a stop condition is looked at where a step begins",
    "LOCATED": "a condition is located within steps",
    "PIECEMEAL": "events cut steps of a fixed grid into pieces",
    "FOLLOWED": "an action at a cut may cross something",
    "STOP": "there is a stop condition",
    "STOP_START": "it is looked at where a step begins",
    "STOP_END": "it is looked at where a step ends",
    "STOP_LOCATED": "it is located within steps",
    "STOPS": "a stop condition or an observer may end the run",
    # observers
    **{f"{kind.upper()}_HOOK": f"an observer has the hook *{kind}*" for kind in KINDS},
    "VARIATIONAL": "tangent vectors go along",
    "PACKS": "they do so in packs, in registers",
    "PENDING": "what an attempt makes of them waits until the step is taken",
    "OWN_STEP": "the step is more than the stepper's attempt: vectors, or a user's own step",
    "ADJUSTED": "a user's own step changes what the stepper proposes",
    "PIECES": "an observer looks at the pieces that are taken",
    "PREVIOUS": "an observer looks at the state before a step",
    "TRACES": "an observer keeps rows",
    "OBSERVERS_STOP": "an observer may end the run",
    # lanes
    "FALLBACK_LOOP": "lanes in which something happens go through the ordinary run loop",
    "EVENTFUL": "something besides a number that is not finite may happen in a step",
    "WATCHED": "lanes note in each step whether something would have happened",
    "STRAY": "a state that is not finite may come back, so each step is looked at",
    "SMALL": "steps are so short that several are taken at once",
    "SHARED_TIMES": "all runs record at the same times",
    "SAMPLES_INSIDE": "samples inside of steps are taken by the vector loop",
    "OWN_SPANS": "each run begins and ends at times of its own",
    "TOGETHER": "lanes take up runs at once, and so go in step: runs of about one length",
    "OWN_GOALS": "the end of a run, or of its transient, stands in its lane",
    "TRANSIENTS": "a run may have a transient, after which observers start anew",
    "MANY_PARAMS": "there are more parameters than registers are meant to hold",
    "EVERY_STEP": "an observer looks at each step",
    "GIVEN_VECTORS": "each run brings its own tangent vectors, where outputs are put later",
    "GROUPS": "tangent vectors are stepped in several groups, apart from the state",
    "ONE_GROUP": "they are one group, which is stepped together with the state",
    "HEEDS": "loops within a step can be told to end",
    "HEEDS_LOOPS": "those of the model's equations can",
    "HEEDS_VECTORS": "those of tangent vectors can",
}

WORDS: Mapping[str, str] = {
    "N_STATES": "number of states",
    "N_MEMORY": "numbers that the stepper carries",
    "N_CLOCK": "slots of `clock`",
    "N_COUNT": "slots of `count`",
    "N_TANGENTS": "tangent vectors",
    "SWITCH": "row of the workspace with the next switch",
    "TALLY": "first row of the workspace of what attempts say of themselves",
    "EVENT_ROOM": "rows that one turn of the loop may enter in the log",
    "STOP_ROW": "row of the observers' workspace that says that they have seen enough",
    "EVERY": "steps between two looks at the hooks *every*",
    "N_TRACES": "traces",
    # lanes
    "RUN_LOOP": "name of the ordinary run loop",
    "LANES": "lanes of a block",
    "CHUNK": "steps between two looks at whether all is well",
    "NEVER": "step of what does not happen",
    "N_PARAMS": "parameters, at least one",
    "N_VARIED": "parameters that differ between runs",
    "N_OPTIONS": "options of the step control, and of the stepper's own",
    "N_TALLY": "rows of what attempts say of themselves",
    "ROW_TALLY": "first row of the block in which an adaptive attempt leaves them",
    "N_TOLERANCES": "tolerances",
    "N_KEPT": "rows of a lane that are copied at the start of a chunk",
    "N_LANE_ROWS": "rows of what each lane has of its own",
    "N_DENSE": "numbers that an interpolant needs",
    "N_WORKSPACE": "rows of the observers' workspace",
    "N_CHANGING": "those of them that are copied at the start of a chunk",
    "N_OUTPUTS": "rows of outputs",
    "N_GROUPS": "groups of tangent vectors",
    "N_PENDING": "rows before those in which an attempt leaves tangent vectors",
    "ROW_Y": "first row of the states in a block",
    "ROW_MEM": "first row of the stepper's memory",
    "ROW_WS": "first row of the workspace",
    "ROW_KEPT": "first row of the copy; in it attempts of adaptive steppers are kept",
    "ROW_P": "first row of the parameters that differ between runs",
    "ROW_FLAG": "row that says whether something happened in the chunk",
    "ROW_TILE": "first row of the tile, in which rows of records are collected",
    "TILE_ROWS": "rows of a record that fit into the tile",
    "BLOCK_ROWS": "rows of a block",
    "ROW_DENSE": "first row of the interpolant of an attempt",
    "ROW_PREV": "first row of the state before the step, for observers",
    "ROW_PREV_END": "the row after it",
    "ROW_PREV_MEM": "first row of the stepper's memory before the step",
    "ROW_AWS": "first row of the observers' workspace in what a lane has of its own",
    "ROW_AOUT": "first row of their outputs",
    "ROW_AKEPT": "first row of the copies of both",
    "N_SPAN": "numbers that tell a run's own span",
    "FIRST_SPAN": "row of the runs' times from which on their spans are told",
    "ROW_SPAN": "first row of a run's own span in what a lane has of its own",
    "HEED_ROW": "row of the workspace that tells the equations' loops to end",
    "VECTORS_HEED_ROW": "row of the observers' workspace that tells tangent vectors to end",
}

CALLED: Mapping[str, str] = {
    **dict.fromkeys(("attempt", "next_memory", "restart", "error_norm", "first_step"), "stepper"),
    **dict.fromkeys(("dense", "interpolate"), "stepper"),
    **dict.fromkeys(("attempt_noted", "tallied", "put_settings"), "stepper"),
    **dict.fromkeys(("record", "push_lags", "start_lags", "stop_condition"), "model"),
    **dict.fromkeys(("step_start", "push_step_start"), "model"),
    **dict.fromkeys(("start_events", "end_events", "located_events", "followed_events"), "events"),
    **dict.fromkeys(("init_events", "any_crossing", "first_crossing", "crowded"), "events"),
    **dict.fromkeys(("stop_here", "stop_at_end", "quiet", "quiet_inside"), "events"),
    **dict.fromkeys(("tangent_group", "commit_tangents", "settle_tangents"), "tangent vectors"),
    **dict.fromkeys(("cut_tangents", "restart_tangents", "tangents_fit"), "tangent vectors"),
    "runner_variational_step": "tangent vectors, or a user's own step",
    "every_lanes": "observers",
    **{f"ANALYSIS_{kind.upper()}": "observers" for kind in KINDS},
    "ANALYSIS_SEES": "observers",
}
