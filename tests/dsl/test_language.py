"""What documents may say, and what it means."""

import math
import tomllib

import pytest
from dsl.documents import COLLATZ, HENON, PENDULUM, changed, ode, only_problem, problems

from dynlib.dsl import load_model
from dynlib.dsl.expr import Apply, Lag, Num, Param, Previous, State, Time, evaluate, postorder


def test_every_part_of_a_document_arrives() -> None:
    spec = load_model(PENDULUM)
    assert (spec.name, spec.kind, spec.dtype, spec.label) == (
        "pendulum",
        "ode",
        "float64",
        "<text>",
    )
    assert spec.states == ("angle", "speed")
    assert spec.state_values == (0.5, math.pi / 2)
    assert spec.params == ("gravity", "length")
    assert spec.param_values == (9.81, 2.0)
    assert all(isinstance(value, float) for value in spec.param_values)
    assert dict(spec.constants) == {"half": 0.5, "twice": 2.0}
    assert [aux.name for aux in spec.aux] == ["energy", "above"]
    assert spec.functions["pull"].args == ("phi",)
    assert dict(spec.equations_text) == {"angle": "speed", "speed": "-pull(angle)/length"}
    assert spec.lags == (0, 0)
    assert spec.meta["year"] == 1673
    assert set(spec.mods) == {"damped", "dry", "silent"}
    assert dict(spec.presets["moon"].params) == {"gravity": 1.62}
    assert dict(spec.presets["moon"].states) == {"angle": math.pi / 4}


def test_settings_have_the_documented_defaults() -> None:
    sim = load_model(ode()).sim
    assert (sim.t0, sim.t_end, sim.dt, sim.stepper) == (0.0, 1.0, 1e-2, "rk4")
    assert (sim.atol, sim.rtol, sim.max_steps, sim.record) == (1e-8, 1e-5, None, True)
    assert load_model(HENON).sim.stepper == "map"


def test_settings_arrive_and_options_of_the_stepper_are_kept() -> None:
    more = (
        "[sim]\nt0 = 1\nt_end = 1e3\nmax_steps = 1e5\nsafety = 0.8\nmax_step = 1\nlist = [1, 2]\n"
    )
    sim = load_model(ode(more=more)).sim
    assert (sim.t0, sim.t_end, sim.max_steps) == (1.0, 1000.0, 100_000)
    assert dict(sim.options) == {"safety": 0.8, "max_step": 1, "list": (1, 2)}
    assert load_model(PENDULUM).sim.atol == (1e-9, 1e-8)


def test_an_event_arrives_in_full() -> None:
    spec = load_model(PENDULUM)
    (event,) = spec.events
    angle, speed = spec.state_nodes
    gravity, _ = spec.param_nodes
    assert (event.name, event.phase, event.direction, event.locate) == (
        "bottom",
        "end",
        "rising",
        True,
    )
    assert event.tags == ("swing",)
    assert event.cond is Apply("lt", (angle, Num(0.0)))
    assert event.level is not None
    assert evaluate(event.level, {angle: -2.0}) == 2.0
    assert [action.target for action in event.actions] == [speed, gravity]
    assert evaluate(event.actions[0].expr, {speed: 2.0}) == pytest.approx(1.8, rel=1e-15)
    assert [column.label for column in event.log] == ["t", "energy"]
    assert event.log[0].expr is Time()
    assert spec.stop is not None
    assert spec.stop.phase == "both"


@pytest.mark.parametrize(
    "action",
    [
        'action = "x += a; a -= x; x *= 2; x /= 3; x = 1"',
        'action = """\nx += a   # first\na -= x\n\nx *= (1 +\n 1)\nx /= 3; x = 1\n"""',
        "action = '''x+=a\na-=x;;x*=2\nx  /=  3\nx=1'''",
    ],
)
def test_actions_are_written_in_many_ways(action: str) -> None:
    (event,) = load_model(ode(more=f'[events.e]\ncond = "x > 0"\n{action}')).events
    x, a = State(0, "x"), Param(0, "a")
    assert [each.target for each in event.actions] == [x, a, x, x, x]
    values = [evaluate(each.expr, {x: 5.0, a: 3.0}) for each in event.actions]
    assert values == [8.0, -2.0, 10.0, 5.0 / 3.0, 1.0]


@pytest.mark.parametrize(
    ("op", "result"),
    [("+", 9.0), ("-", 5.0), ("*", 14.0), ("/", 3.5), ("//", 3.0), ("%", 1.0), ("**", 49.0)],
)
def test_the_right_side_of_an_augmented_action_is_one_operand(op: str, result: float) -> None:
    (event,) = load_model(ode(more=f'[events.e]\ncond="x>0"\naction = "x {op}= 1 + 1"')).events
    assert evaluate(event.actions[0].expr, {State(0, "x"): 7.0}) == result


def test_actions_may_be_a_table() -> None:
    more = '[events.e]\ncond = "x > 1"\naction.x = "0"\naction.a = "a + 1"'
    (event,) = load_model(ode(more=more)).events
    assert [each.target for each in event.actions] == [State(0, "x"), Param(0, "a")]


@pytest.mark.parametrize(
    "block",
    [
        "dx = y\ndy = -x",
        "d(x) = y\nd( y ) = -x  # comment",
        "x = y\ny = -x",
        "# y = 3\n\ndx = (\n  y # still y\n)\n\ty=-x",
        "dx = y\r\ndy = -x\r\n",
    ],
)
def test_equations_are_written_in_many_ways(block: str) -> None:
    head = '[model]\ntype = "ode"\n[states]\nx = 1\ny = 0\n'
    spec = load_model(f'{head}[equations]\nexpr = """\n{block}\n"""')
    x, y = spec.state_nodes
    assert spec.equations == (y, Apply("neg", (x,)))
    mixed = load_model(f'{head}[equations]\nrhs.y = "-x"\nexpr = "dx = y"')
    assert mixed.equations == spec.equations
    assert mixed.model_hash == spec.model_hash
    assert not set("\n\t#") & set("".join(spec.equations_text.values()))


def test_a_state_may_be_called_like_a_derivative_where_it_is_clear() -> None:
    head = '[model]\ntype = "{}"\n[states]\nx = 1\ndx = 0\n[equations]\nexpr = "{}"'
    spec = load_model(head.format("map", "x = dx\\ndx = x"))
    assert spec.equations == (State(1, "dx"), State(0, "x"))
    spec = load_model(head.format("ode", "d(x) = dx\\nd(dx) = -x"))
    assert spec.equations[0] is State(1, "dx")
    assert "can mean the state 'dx' or the derivative of 'x'" in str(
        problems(head.format("ode", "dx = dx\\nd(dx) = -x"))
    )


def test_an_unclosed_bracket_spoils_its_own_line_only() -> None:
    text = (
        '[model]\ntype = "ode"\n[states]\nx = 1\ny = 0\nz = 0\n'
        '[equations]\nexpr = """\ndx = (y\nd(y) = x\nz = q\n"""'
    )
    first, second = problems(text).issues
    assert "never closed" in first.message
    assert "unknown name 'q'" in second.message


def test_an_inverse_map() -> None:
    spec = load_model(HENON)
    x, y = spec.state_nodes
    a, b = spec.param_nodes
    point = {x: 0.3, y: -0.2, a: 1.4, b: 0.3}
    forth = {n: evaluate(each, point) for n, each in zip((x, y), spec.equations, strict=True)}
    assert spec.inverse is not None
    back = [evaluate(each, {**point, **forth}) for each in spec.inverse]
    assert back == pytest.approx([0.3, -0.2], abs=1e-14)  # a few roundings of numbers near 1


def test_integer_maps_stay_integer() -> None:
    spec = load_model(COLLATZ)
    assert spec.state_values == (27,)
    assert isinstance(spec.state_values[0], int)
    assert spec.equations[0].kind == "int"
    assert spec.state_nodes[0].kind == "int"


def test_the_iteration_index_is_n_unless_the_model_declares_it() -> None:
    spec = load_model('[model]\ntype = "map"\n[states]\nx = 1\n[equations.rhs]\nx = "x + n"')
    assert "Iteration" in {type(node).__name__ for node in postorder(spec.equations)}
    spec = load_model(COLLATZ)
    assert "Iteration" not in {type(node).__name__ for node in postorder(spec.equations)}
    assert "unknown name 'n'" in only_problem(ode("x + n"))


def test_pi_and_e_may_be_shadowed() -> None:
    spec = load_model(ode("e*x", "[constants]\ne = 3.0"))
    assert (
        spec.equations[0] is Apply("mul", (Num(3.0), State(0, "x")))
        or evaluate(spec.equations[0], {State(0, "x"): 2.0}) == 6.0
    )


def test_lags_are_counted_wherever_they_stand() -> None:
    more = (
        '[aux]\nlate = "lag_x(3)"\n'
        '[events.e]\ncond = "lag_x() < 1"\naction = "x = lag_x(7)"\nlog = ["lag_x(9)"]\n'
        '[sim]\nstop = "late > lag_x(11)"\n'
    )
    assert load_model(ode("-x + lag_x(2)", more)).lags == (11,)
    assert load_model(ode("-x + lag_x(2)", '[aux]\nlate = "lag_x(3)"')).lags == (3,)
    assert load_model(ode("lag_x(9) + 2*lag_x(2)")).lags == (9,)
    nodes = postorder(load_model(ode("lag_x()")).equations)
    assert [node.k for node in nodes if isinstance(node, Lag)] == [1]


def test_edges_look_back_to_the_start_of_the_step() -> None:
    spec = load_model(ode(more='[events.e]\ncond = "cross_up(x, a)"'))
    assert any(isinstance(node, Previous) for node in postorder([spec.events[0].cond]))
    assert "cross_up() is only known in events" in only_problem(ode("cross_up(x, 1)"))
    text = ode("-x*z", '[aux]\nz = "cross_up(x, 1)"')
    assert "cannot look back at the start of the step" in only_problem(text)


def test_functions_and_aux_are_inlined_hygienically() -> None:
    more = (
        '[functions.f]\nargs = ["x"]\nexpr = "x*a + g(x)"\n'
        '[functions.g]\nargs = ["a"]\nexpr = "a + h"\n[aux]\nh = "10*x"\n'
    )
    spec = load_model(ode("f(3)", more))
    # f(3) = 3*a + g(3) = 3*a + 3 + 10*x, whatever the arguments are called
    assert evaluate(spec.equations[0], {State(0, "x"): 2.0, Param(0, "a"): 5.0}) == 38.0


def test_aux_may_come_in_any_order() -> None:
    spec = load_model(ode("-c", '[aux]\nc = "b + 1"\nb = "d*2"\nd = "x"'))
    assert [aux.name for aux in spec.aux] == ["c", "b", "d"]
    assert evaluate(spec.equations[0], {State(0, "x"): 4.0}) == -9.0


def test_many_calls_of_calls_do_not_explode() -> None:
    parts = [
        f'[functions.f{k}]\nargs = ["u"]\nexpr = "f{k - 1}(f{k - 1}(u))"' for k in range(1, 40)
    ]
    more = '[functions.f0]\nargs = ["u"]\nexpr = "u + 1"\n' + "\n".join(parts)
    problems(ode("f39(x)", more))  # 2**39 additions: refused, at once
    chain = "\n".join(f'v{k} = "v{k - 1}*v{k - 1}"' for k in range(1, 60))
    spec = load_model(ode("v59", f'[aux]\nv0 = "x/2"\n{chain}'))
    assert len(postorder(spec.equations)) < 100
    assert len(spec.model_hash) == 64


def test_conditions_that_change_are_located_on_flows_only() -> None:
    def locate(kind: str, more: str = "") -> bool:
        text = ode(more=f'[events.e]\ncond = "x > 1"\n{more}').replace('"ode"', f'"{kind}"')
        return load_model(text).events[0].locate

    assert locate("ode")
    assert not locate("map")
    assert not locate("ode", "locate = false")
    assert not locate("ode", 'phase = "start"')
    assert locate("ode", 'phase = "both"')


def test_stop_is_a_string_or_a_table() -> None:
    short = load_model(ode(more='[sim]\nstop = "x > 3"')).stop
    assert short is not None
    assert short.phase == "end"
    assert load_model(ode(more='[sim]\nstop.cond = "x > 3"\nstop.phase = "end"')).stop == short


def test_a_model_may_be_a_dict_with_numpy_numbers() -> None:
    np = pytest.importorskip("numpy")
    source = tomllib.loads(PENDULUM)
    source["states"] = {"angle": np.float64(0.5), "speed": np.float32(1.5)}
    source["params"]["length"] = np.int64(2)
    spec = load_model(source)
    assert spec.state_values == (0.5, 1.5)
    assert type(spec.param_values[1]) is float
    assert spec.model_hash == load_model(PENDULUM).model_hash


def test_unicode_names() -> None:
    text = changed(ode("-σ*x"), ("a = 2.0", '"σ" = 2.0'))
    assert load_model(text).params == ("σ",)
    text = changed(ode(), ("a = 2.0", '"µ" = 2.0'))  # the micro sign, not the letter mu
    assert "U+03BC" in only_problem(text)


def test_infinite_parameters_are_deliberate() -> None:
    assert load_model(changed(ode(), ("a = 2.0", "a = inf"))).param_values == (math.inf,)
    assert "not a finite number" in only_problem(changed(ode(), ("a = 2.0", 'a = "1/0"')))
    for value in ("nan", "-nan"):
        assert "is no value here" in only_problem(changed(ode(), ("a = 2.0", f"a = {value}")))
    assert "is no value here" in only_problem(changed(ode(), ("x = 1.0", "x = inf")))
