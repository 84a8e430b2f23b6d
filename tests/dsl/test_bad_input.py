"""Wrong documents get a message that says what is wrong and what to do."""

import itertools
import pickle
import sys

import pytest
from dsl.documents import COLLATZ, HENON, PENDULUM, changed, ode, only_problem, problems

from dynlib.dsl import load_model
from dynlib.errors import ModelLoadError, OptionError

# old text, new text, what the message must say
SLIPS = {
    "unknown table": ("[events.bottom]", "[event.bottom]", ["unknown table 'event'", "'events'?"]),
    "unknown params": ("[params]", "[param]", ["unknown table 'param'", "'params'?"]),
    "unknown key": ("action = ", "actoin = ", ["unknown key 'actoin'", "'action'?"]),
    "unknown option": ("t_end = ", "t_edn = ", ["unknown key 't_edn'", "'t_end'?"]),
    "foreign option": ('stepper = "rk45"', 'method = "rk45"', ["'method'", "'stepper'?"]),
    "unknown name": ('"speed"\n', '"sped"\n', ["unknown name 'sped'", "'speed'?"]),
    "unknown function": ("gravity*sin(", "gravity*sine(", ["unknown function 'sine'", "'sin'?"]),
    "number": ('angle = "speed"', "angle = 1.0", ["found the number 1.0", 'Write "1.0"']),
    "missing equation": ('angle = "speed"\n', "", ["'angle' has no equation", "[equations.rhs]"]),
    "unbalanced": ('-pull(angle)/length"\n\n[aux]', '-pull(angle/length"\n\n[aux]', ["closed"]),
    "too few": ('-pull(angle)/length"\n\n[aux]', '-pull()/length"\n\n[aux]', ["1 argument"]),
    "lag 0": ('"speed"\n', '"lag_speed(0)"\n', ["1 to 1000, not 0"]),
    "lag of no state": ('"speed"\n', '"lag_gravity()"\n', ["only states have lags"]),
    "constant": ("half = 0.5", 'half = "1/0"', ["gives inf", "division by zero"]),
    "later constant": ("half = 0.5", 'half = "twice"', ["declared later"]),
    "own constant": ("half = 0.5", 'half = "half"', ["uses itself"]),
    "state in value": ('"pi/2"', '"angle"', ["'angle' is a state"]),
    "type": ('"ode"', '"odd"', ["unknown value 'odd'", '"ode", "map"']),
    "dtype": ('type = "ode"', 'type = "ode"\ndtype = "int64"', ["a flow cannot have dtype int64"]),
    "phase": ('phase = "end"', 'phase = "post"', ["unknown value 'post'", '"start", "end"']),
    "direction": ('"rising"', '"up"', ["unknown value 'up'", '"falling"']),
    "log": ('["t", "energy"]', '"t"', ["a list of strings", '["t"]']),
    "log twice": ('["t", "energy"]', '["t", "t"]', ["'t' twice"]),
    "condition": ('cond = "angle < 0"\n', "", ["'cond' is missing"]),
    "true": ("angle = 0.5", "angle = true", ["found true", "Write 1."]),
    "date": ("angle = 0.5", "angle = 1979-05-27", ["found a date"]),
    "list": ("angle = 0.5", "angle = [1, 2]", ["found a list"]),
    "dt": ("dt = 1e-3", "dt = 0", ["dt = 0: expected a number above 0"]),
    "tolerances": ("[1e-9, 1e-8]", "[1e-9]", ["1 tolerances for 2 states"]),
    "n_end": ("t_end = 20.0", "n_end = 20", ["'n_end' has no meaning here", "t_end = 20"]),
    "time": ("half = 0.5", "half = 0.5\nt = 1", ["reserved for time"]),
    "function name": ("half = 0.5", "half = 0.5\nsin = 1", ["'sin'", "a function of the language"]),
    "keyword": ("half = 0.5", "half = 0.5\nlambda = 1", ["'lambda'", "meaning in expressions"]),
    "lag name": ("half = 0.5", "half = 0.5\nlag_speed = 1", ["earlier value of the state"]),
    "no name": ("half = 0.5", 'half = 0.5\n"a b" = 1', ["is no name", "Write a_b."]),
    "twice": ("half = 0.5", "half = 0.5\nlength = 1", ["'length' is used twice", "[params]"]),
    "aux twice": ("half = 0.5", "half = 0.5\npull = 1", ["'pull' is used twice"]),
    "cyclic aux": ('"energy > 0"', '"above"', ["above -> above"]),
    "recursion": ("gravity*sin(phi)", "pull(phi)", ["pull -> pull"]),
    "preset": ("gravity = 1.62", "gravty = 1.62", ["unknown param 'gravty'", "'gravity'?"]),
    "preset state": ('angle = "pi/4"', 'angel = "pi/4"', ["unknown state 'angel'", "'angle'?"]),
    "action target": ("speed *= 0.9", "sped *= 0.9", ["unknown state or param 'sped'", "'speed'?"]),
    "action constant": ("speed *= 0.9", "half *= 0.9", ["'half', which is a constant", "[params]"]),
    "action aux": ("speed *= 0.9", "energy = 0.9", ["'energy', which is an aux variable"]),
    "action time": ("speed *= 0.9", "t = 0.9", ["'t', which is time"]),
    "action d": ("speed *= 0.9", "d(speed) = 0.9", ["'d(speed)' is no state or param"]),
    "no statement": ("speed *= 0.9", "speed", ["this is no statement"]),
    "comparison": ("speed *= 0.9", "speed == 0.9", ["a single '='"]),
    "edges": ('"speed"\n', '"cross_up(speed, 0)"\n', ["only known in events"]),
    "table": ("[equations.rhs]", "[[equations.rhs]]", ["expected a table, found a list", "single"]),
    "header": ("#! dynlib", "#! /usr/bin/env python", ["names the program '/usr/bin/env python'"]),
    "toml": ('"speed"\n', "speed\n", ["not valid TOML", 'angle = "speed"']),
    "toml twice": ("half = 0.5", "half = 0.5\nhalf = 1", ["stands in its table twice"]),
    "heading twice": ("[meta]", "[sim]", ["the table [sim] is there twice"]),
    "before": ("#! dynlib", "dt = 0.1", ["unknown key 'dt'", "before the first table"]),
    "quotes": ('"speed"\n', "\"'speed'\"\n", ["quotes"]),
    "attribute": ('"speed"\n', '"speed.real"\n', ["attributes are not part"]),
    "subscript": ('"speed"\n', '"speed[0]"\n', ["no subscripts"]),
    "huge": ("gravity = 9.81", f"gravity = 1{'0' * 400}", ["too large for float64"]),
    "digits": ("gravity = 9.81", f"gravity = 1{'0' * 9000}", ["thousands of digits"]),
    "control": ('name = "pendulum"', 'name = "\\u001b[31m"', ["a control character"]),
    "locate": ('phase = "end"', 'phase = "start"\nlocate = true', ["cannot be located"]),
}


@pytest.mark.parametrize("slip", SLIPS.values(), ids=SLIPS.keys())
def test_one_slip_gives_one_letter(slip: tuple[str, str, list[str]]) -> None:
    old, new, said = slip
    base = PENDULUM[: PENDULUM.index("[mods.")] + "[meta]\n"
    text = only_problem(changed(base, (old, new)))
    for words in said:
        assert words in text


def test_slips_do_not_hide_each_other() -> None:
    base = PENDULUM[: PENDULUM.index("[mods.")]
    parts = ["unknown table", "unknown params", "unknown key", "unknown option", "number", "dt"]
    text = changed(base, *(SLIPS[part][:2] for part in parts))
    said = str(problems(text))
    assert said.startswith(f"<text>: {len(parts)} problems")
    for words in itertools.chain.from_iterable(SLIPS[part][2] for part in parts):
        assert words in said


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("n = 27", "n = 27.5", "27.5 is not a whole number, but dtype is int64"),
        ("n = 27", "n = 27.0", "Write 27."),
        ("n = 27", f"n = {2**63}", "does not fit into int64"),
        ("n = 27", 'n = "9/2"', "not a whole number"),
        ("n // 2 if", "n / 2 if", "Use //, floor(..), round(..) or int(..)"),
        ("n_end = 111", "n_end = 1.5", "a whole number"),
        ("n_end = 111", "n_end = -1", "0 or more"),
        ("n_end = 111", "t_end = 111", "a map counts iterations"),
    ],
)
def test_integer_maps_take_integers(old: str, new: str, said: str) -> None:
    assert said in only_problem(changed(COLLATZ, (old, new)))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("x = 1 - a*x^2 + y ", "dx = 1 - a*x^2 + y ", "a map has no derivatives"),
        ("y = b*x\n", "y = b*x\ny = 2\n", "a second equation for 'y'"),
        ("y = b*x\n", "y += b*x\n", "a plain '=', not '+='"),
        ("y = b*x\n", "z = b*x\n", "unknown state 'z'"),
        ("y = b*x\n", "y' = b*x\n", "the left-hand side is no state"),
        ("y = b*x\n", "y = b*x; x = 3\n", "';' cannot stand inside an expression"),
        ("y = x - 1 +", "x = x - 1 +", "no inverse equation"),
        ("y = x - 1 +", "y = lag_x() - 1 +", "no earlier steps"),
        ('type = "map"', 'type = "ode"', "only maps have an inverse"),
        ('["b", "0"]', '["b"]', "expected 2 entries, found 1 entries"),
        (', ["b", "0"]]', "]", "1 rows for 2 states"),
        ('["b", "0"]', '["b", true]', "expected an expression or a number, found true"),
        ('["b", "0"]', '["b", "q"]', "unknown name 'q'"),
        ('["b", "0"]', "3", "expected 2 entries, found the number 3"),
    ],
)
def test_equations_of_maps(old: str, new: str, said: str) -> None:
    assert said in str(problems(changed(HENON, (old, new))))


def test_an_unknown_name_in_a_function_is_reported_there_and_once() -> None:
    more = '[functions.f]\nargs = ["u"]\nexpr = "u*q"\n[aux]\nz = "f(x)"\nw = "f(z) + f(1)"'
    error = problems(ode("f(x) + z", more))
    (issue,) = error.issues
    assert issue.path == "[functions.f] expr"


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ('["phi", "phi"]', "the argument 'phi' is there twice"),
        ('["sin"]', "argument 'sin': the name is a function"),
        ('["a b"]', "is no name: arguments have"),
        ('"phi"', 'Write ["phi"].'),
        ("[1]", "a list of strings"),
    ],
)
def test_arguments_of_functions(args: str, said: str) -> None:
    assert said in str(problems(changed(PENDULUM, ('["phi"]', args))))


def test_what_is_broken_is_not_complained_about_where_it_is_used() -> None:
    more = '[constants]\nc = "1/0"\n[aux]\nz = "c + q"\nw = "z"\n'
    error = problems(ode("w + c + z", more))
    assert [issue.path for issue in error.issues] == ["[constants] c", "[aux] z"]


def test_circles_are_printed() -> None:
    text = ode("p", '[aux]\np = "q + 1"\nq = "2*r"\nr = "p"\ns = "s"\nfine = "x"')
    first, second = problems(text).issues
    assert "p -> q -> r -> p" in first.message
    assert "s -> s" in second.message
    more = (
        '[functions.f]\nargs = ["u"]\nexpr = "g(u)"\n[functions.g]\nargs = ["u"]\nexpr = "z + f(u)"'
        '\n[aux]\nz = "x"'
    )
    assert "f -> g -> f" in only_problem(ode("f(x)", more))
    more = '[functions.f]\nargs = ["u"]\nexpr = "z*u"\n[aux]\nz = "f(x)"'
    assert "z -> z" in only_problem(ode("z", more))


@pytest.mark.parametrize("source", [None, 3, 1.5, b"[model]", ["a"], object()])
def test_what_is_no_source(source: object) -> None:
    with pytest.raises(OptionError, match="a model is a URI, a path, TOML text"):
        load_model(source)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ({}, "the table [model] is missing"),
        ({"model": 3}, "expected a table, found the number 3"),
        ({3: 3}, "the key 3 is not a printable string"),
        ({"model": {"type": "ode", "name": object()}}, "a value of type object"),
        ({"model": {"type": "ode"}, "states": {}}, "the model has no states"),
        ({"model": {"type": "ode"}, "states": [1]}, "expected a table, found a list"),
        ({"model": {"type": "ode"}, "states": {"x": "\ud800"}}, "a value of type str"),
    ],
)
def test_dicts_that_are_no_models(source: dict[object, object], said: str) -> None:
    assert said in str(problems(source))


def test_a_dict_that_holds_itself() -> None:
    source: dict[str, object] = {}
    source["meta"] = source
    assert "nested too deeply" in str(problems(source))


def test_a_letter_cannot_steer_the_terminal() -> None:
    source = {
        "model": {"type": "ode", "name": "\x1b[2J"},
        "states": {"x": "\x1b[2J"},
        "params": {"a": 1.0},
        "equations": {"rhs": {"x": "a + \x1b[31m + q"}},
        "events": {"e": {"cond": "a > \x9b1m", "log": ["\r"], "tags": ["\a"]}},
        "sim": {"stepper": "\b", "\x7f": 1},
    }
    assert all(each.isprintable() or each == "\n" for each in str(problems(source)))


def test_deep_nesting() -> None:
    assert "nested too deeply" in str(problems(ode(more="[meta]\na = " + "[" * 5000 + "]" * 5000)))
    assert "nested too deeply" in str(problems(ode(more="[meta]\na = " + "[" * 40 + "]" * 40)))
    assert "this many dots" in str(problems(ode(more="[meta." + ".".join(["a"] * 50) + "]")))
    assert "this many dots" in str(problems("a." * 100_000 + "b = 1\n"))


def test_hundreds_of_problems_are_cut_short() -> None:
    more = "[aux]\n" + "\n".join(f'v{k} = "q{k}"' for k in range(5000))
    error = problems(ode(more=more))
    assert error.more
    assert len(error.issues) == 100
    assert str(error).startswith("<text>: at least 100 problems")


def test_a_number_that_takes_long_to_work_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["dynlib.dsl.expr.evaluate"], "MAX_EVALUATIONS", 1000)
    text = '"sum(sum(sin(j*k) for j in range(0, 999)) for k in range(0, 999))"'
    (issue,) = problems(changed(ode(), ("a = 2.0", f"a = {text}"))).issues
    assert "takes too long" in issue.message
    assert issue.path == "[params] a"


def test_the_error_travels_between_processes() -> None:
    error = problems(ode("q"))
    again = pickle.loads(pickle.dumps(error))
    assert isinstance(again, ModelLoadError)
    assert (str(again), again.issues, again.label) == (str(error), error.issues, error.label)


@pytest.mark.parametrize(
    "attack",
    [
        "__import__('os').system('true')",
        "().__class__.__bases__[0].__subclasses__()",
        "eval('1')",
        "open('/etc/passwd').read()",
        "lambda: 1",
        "[x for x in (1, 2)]",
        "f'{x}'",
        "(y := 3)",
        "x.__class__",
        "print(x)",
        "exec(x)",
        "globals()",
        "math.__dict__",
        "math.os.system(1)",
        "x if x else __builtins__",
        "9**9**9**9",
        "2**(10**9)",
        "sum(j for j in range(0, 10**12))",
        "sum(sum(1 for j in range(0, 99999)) for k in range(0, 99999))",
        "(" * 5000 + "x" + ")" * 5000,
        "-" * 50_000 + "x",
        "x" + " + x" * 30_000,
        "x if " * 4000 + "x",
        "1" * 19_000,
        "\u202ex",
    ],
)
@pytest.mark.parametrize("place", ["rhs", "value", "aux", "function", "event", "stop", "inverse"])
def test_a_model_is_data(attack: str, place: str) -> None:
    text = {
        "rhs": ode("{}"),
        "value": ode(more='[presets.p.states]\nx = "{}"'),
        "aux": ode(more='[aux]\nz = "{}"'),
        "function": ode(more='[functions.f]\nargs = ["u"]\nexpr = "{}"'),
        "event": ode(more='[events.e]\ncond = "x > 1"\naction = "x = {}"'),
        "stop": ode(more='[sim]\nstop = "{}"'),
        "inverse": ode(more='[equations.inverse.rhs]\nx = "{}"').replace('"ode"', '"map"'),
    }[place]
    with pytest.raises(ModelLoadError):
        load_model(text.replace("{}", attack))
