# Every target sets up what it needs in .venv; a fresh machine needs Python with its venv module.

PYTHON ?= $(firstword $(foreach name,python3.11 python3.12 python3.13 python3,$(shell command -v $(name))))
WORKERS ?= auto
BIN := .venv/bin

.PHONY: help demo quick test slow lint docs check bench clean

help:
	@echo "make demo    set up and draw the Lorenz attractor into lorenz.png"
	@echo "make quick   run some tests of every layer, in less than a minute"
	@echo "make test    set up and run the tests, in parallel"
	@echo "make slow    run the tests that take long"
	@echo "make lint    style, types, layers"
	@echo "make docs    build the documentation into site/"
	@echo "make check   all that CI runs"
	@echo "make bench   measure dynlib and its peers side by side"
	@echo "make clean   remove what the other targets made"

demo: .venv/ready-for-use
	$(BIN)/dynlib run builtin://ode/lorenz --plot lorenz.png

# Kernels are kept between sessions; a key covers all that they are made of.
quick: .venv/ready-for-work
	DYNLIB_TEST_CACHE="$(CURDIR)/.kernels" $(BIN)/python -m pytest -n $(WORKERS) @tests/quick.txt

test: .venv/ready-for-work
	$(BIN)/python -m pytest -n $(WORKERS)

slow: .venv/ready-for-work
	$(BIN)/python -m pytest -n $(WORKERS) -m slow

lint: .venv/ready-for-work
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: .venv/ready-for-work
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

check:
	.ci/run

bench: .venv/ready-for-use
	$(BIN)/python benchmarks/run.py

clean:
	rm -rf .venv .kernels site lorenz.png benchmarks/.envs .pytest_cache .mypy_cache .ruff_cache

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/ready-for-use: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --editable '.[plot,data]'
	touch $@

.venv/ready-for-work: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $@ .venv/ready-for-use
