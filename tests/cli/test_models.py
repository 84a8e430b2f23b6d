"""The commands that read, write and check models."""

import pytest

import dynlib
from dynlib.compiler.jit.disk_cache import DiskCache

NAMES = dynlib.list_models()


def test_models_lists_every_model_on_one_line(run):
    head, *rows = run("models").stdout.splitlines()
    assert head.split()[:2] == ["name", "states"]
    assert [row.split()[0] for row in rows] == NAMES
    assert max(map(len, rows)) <= 130
    assert all(len(row.split()) > 3 for row in rows)  # each says what it is


def test_the_number_of_states_is_right(run):
    rows = run("models", "map/").stdout.splitlines()[1:]
    for row in rows:
        name, states = row.split()[:2]
        assert int(states) == len(dynlib.load_model(f"builtin://{name}").states)


def test_models_by_words_in_name_description_or_reference(run):
    assert "ode/lorenz" in run("models", "Lorenz").stdout
    assert "ode/hodgkin-huxley" in run("models", "squid", "J. Physiol").stdout
    assert "map/" not in run("models", "ode/").stdout


def test_models_that_nothing_mentions(run):
    result = run("models", "lorentz", status=1)
    assert "no model mentions 'lorentz'. Did you mean 'lorenz'?" in result.stderr


@pytest.mark.parametrize("name", NAMES)
def test_every_model_can_be_shown(run, name):
    spec = dynlib.load_model(f"builtin://{name}")
    page = run("show", f"builtin://{name}").stdout
    for word in (*spec.states, *spec.params, *spec.presets, *(e.name for e in spec.events)):
        assert word in page
    assert "reference" in page
    assert run("show", f"builtin://{name}", "--latex").stdout.startswith("\\begin{aligned}")


def test_a_page_shows_all_parts(run, good):
    page = run("show", str(good)).stdout
    for line in (
        "  dx/dt = v",
        "  dv/dt = -pull(x) - c*v",
        "  pull(u) = k*u",
        "  energy = v**2/2 + k*x**2/2",
        "  bump: when x < floor_at becomes true, located within the step",
        "      v = -v",
        "      logs v",
        "  x = 1, v = 0",
        "  k = 4, c = 0.1",
        "  floor_at = -0.5",
        "  soft  k = 1, x = 0.5",
        "  stiff",
        "  t from 0 to 2, dt = 0.01, stepper rk4",
        "  Hooke (1678), De potentia restitutiva",
    ):
        assert f"\n{line}\n" in f"{page}\n"


def test_actions_are_shown_as_one_would_write_them(run, good):
    text = good.read_text().replace('"v = -v"', '"v = -v; k += c; c *= 1 + k"')
    good.write_text(text)
    page = run("show", str(good)).stdout
    assert "  k = k + c\n" in page
    assert "  c = c * (1 + k)\n" in page


def test_show_applies_mods(run, good):
    assert "k = 100" in run("show", str(good), "--mod", "stiff").stdout


def test_show_as_latex_and_as_toml(run, good, tmp_path):
    latex = run("show", str(good), "--latex").stdout
    assert r"\dot{x} &= v" in latex
    (tmp_path / "copy.toml").write_text(run("show", str(good), "--toml").stdout)
    original, copy = (dynlib.load_model(tmp_path / f"{n}.toml") for n in ("good", "copy"))
    assert original.model_hash == copy.model_hash
    assert "exclude each other" in run("show", str(good), "--toml", "--latex", status=2).stderr


# --- new -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "end"), [("ode", "-T"), ("map", "-N")])
def test_a_new_model_is_sound_and_runs(run, tmp_path, kind, end):
    printed = run("new", "mine", "--type", kind).stdout
    assert "wrote mine.toml" in printed
    assert "dynlib run mine.toml --plot mine.png" in printed
    run("validate", "mine.toml", "--no-compile")
    run("run", "mine.toml", end, "20", "--plot", "mine.png", "--no-jit")
    text = (tmp_path / "mine.toml").read_text()
    assert 'name = "mine"' in text
    assert "@NAME@" not in text
    spec = dynlib.load_model(tmp_path / "mine.toml")
    assert spec.kind == kind
    run("run", "mine.toml", end, "5", "--preset", *spec.presets, "--no-jit")
    aux = [f"aux.{each.name}" for each in spec.aux]
    run("run", "mine.toml", end, "5", "--record", ",".join([*spec.states, *aux]), "--no-jit")


def test_new_does_not_write_over_a_file(run, tmp_path):
    (tmp_path / "mine.toml").write_text("precious")
    assert "exists already" in run("new", "mine", status=1).stderr
    assert (tmp_path / "mine.toml").read_text() == "precious"
    run("new", "mine", "--force")
    assert (tmp_path / "mine.toml").read_text() != "precious"


def test_new_takes_folders_and_the_suffix(run, tmp_path):
    (tmp_path / "lab").mkdir()
    run("new", "lab/neuron.toml")
    assert dynlib.load_model(tmp_path / "lab" / "neuron.toml").name == "neuron"
    assert "there is no folder nowhere" in run("new", "nowhere/x", status=1).stderr


def test_new_writes_commands_for_a_shell(run, tmp_path):
    printed = run("new", "my model").stdout
    assert "dynlib run 'my model.toml' --plot 'my model.png'" in printed
    text = (tmp_path / "my model.toml").read_text()
    assert "dynlib run 'my model.toml' --plot 'my model.png'" in text
    assert dynlib.load_model(tmp_path / "my model.toml").name == "my model"


@pytest.mark.parametrize("name", ['a"b', "a\nb", ".toml", ""])
def test_new_refuses_names_that_make_no_file(run, name):
    run("new", name, status=2)


# --- validate ------------------------------------------------------------------------------------


def test_validate_compiles(run, good, tmp_path, monkeypatch):
    monkeypatch.setenv("DYNLIB_CACHE_DIR", str(tmp_path / "cache"))
    run("validate", str(good), "--no-compile")
    assert DiskCache(tmp_path / "cache").entries() == []
    printed = run("validate", str(good)).stdout
    assert len(DiskCache(tmp_path / "cache").entries()) == 1
    assert "good.toml: ok (2 states, 2 parameters, 1 event, 1 mod, compiles with rk4)" in printed


def test_validate_verbose_tells_how_long_each_phase_takes(run, good, tmp_path, monkeypatch):
    monkeypatch.setenv("DYNLIB_CACHE_DIR", str(tmp_path / "cache"))
    good.write_text(good.read_text().replace('"k*u"', '"1.0625*k*u"'))  # nobody has compiled it
    printed = run("validate", "--verbose", str(good), str(good)).stdout.splitlines()
    assert "compiles with" in printed[0]
    taken = {line[2:14].strip(): float(line[14:24]) for line in printed if " ms  " in line}
    assert list(taken) == [
        "load", "derive", "text", "translate", "LLVM", "load object", "compile"
    ]  # fmt: skip
    assert all(seconds > 0 for name, seconds in taken.items() if name != "derive")
    sizes = [int(line.split()[-1].replace(",", "")) for line in printed if " of " in line[:20]]
    assert len(sizes) == 3
    assert min(sizes) > 100
    assert printed[-1] == "  compiled before, by this command"
    assert not (tmp_path / "cache").exists()  # what is measured comes from nowhere, and goes there
    first = run("validate", "-v", "--no-compile", str(good)).stdout.splitlines()
    assert [line.split()[0] for line in first[1:]] == ["load", "derive"]


def test_validate_reports_all_problems(run, good):
    text = good.read_text().replace('x = "v"', 'x = "w"').replace("t_end", "t_edn")
    good.write_text(text)
    message = run("validate", str(good), status=1).stderr
    assert "2 problems" in message
    assert "unknown name 'w'" in message
    assert "Did you mean 't_end'?" in message


def test_validate_tries_the_mods(run, good):
    """They are no part of the model, so loading it does not look into them."""
    more = """
[mods.broken.set.aux]
energy = "v**"
[mods.extended.add.params]
g = 9.81
[mods.on_top.set.params]
g = 1.6
"""
    good.write_text(good.read_text() + more)
    message = run("validate", str(good), "--no-compile", status=1).stderr
    assert message.startswith("mod 'broken' of ")
    assert "a value is missing after '**'" in message
    # one that stands on another is none the worse for it
    good.write_text(good.read_text().replace('"v**"', '"v"'))
    printed = run("validate", str(good), "--no-compile").stdout
    assert "4 mods" in printed
    run("validate", f"{good}#mod=on_top", "--no-compile", status=1)


def test_validate_several(run, good):
    result = run("validate", str(good), "builtin://ode/lorentz", "--no-compile", status=1)
    assert "good.toml: ok" in result.stdout
    assert "1 of 2 models have problems" in result.stderr


def test_validate_checks_the_stepper_too(run, good):
    run("validate", str(good), "--stepper", "tsit5", "--no-compile")
    run("validate", str(good), "--stepper", "map", status=1)


# --- source --------------------------------------------------------------------------------------


def test_source_is_the_python_that_is_compiled(run, good):
    text = run("source", str(good)).stdout
    compile(text, "source", "exec")
    assert text.strip() == dynlib.build(good, jit=False).sources["module"].strip()


def test_parts_of_the_source(run, good):
    parts = run("source", str(good), "--list").stdout.split()
    assert parts == list(dynlib.build(good, jit=False).sources)
    assert "def rhs(" in run("source", str(good), "--part", "model").stdout
    assert "Did you mean 'runner'" in run("source", str(good), "--part", "runer", status=1).stderr


# --- steppers ------------------------------------------------------------------------------------


def test_steppers_lists_all(run):
    head, *rows = run("steppers").stdout.splitlines()
    listed = [row.split()[0] for row in rows]
    assert listed == dynlib.list_steppers()
    assert head.split() == ["name", "for", "order", "step", "reference", "options"]
    (rk45,) = (row for row in rows if row.startswith("rk45 "))
    assert rk45.split()[1:4] == ["flows", "5", "adaptive"]
    assert "rtol" in rk45
