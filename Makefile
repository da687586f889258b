# mlopsim: the commands of daily work. `make help` lists them.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.setup-stamp
# one thread everywhere: see invariant 1 in docs/ARCHITECTURE.md
export OMP_NUM_THREADS := 1
export OPENBLAS_NUM_THREADS := 1
export MKL_NUM_THREADS := 1
# the many processes of tests and suites load what the first one compiled, whatever the shell around says
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup bench docs test test-full lint format clean

help:  ## list these commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk 'BEGIN {FS = ":.*## "} {printf "  make %-10s %s\n", $$1, $$2}'

$(STAMP): pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt hatchling editables setuptools wheel
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation -c constraints.txt -e '.[rl,dask,data,dev]'
	@touch $(STAMP)

setup: $(STAMP)  ## create .venv from constraints.txt

bench: $(STAMP)  ## run the quick suite; prints the leaderboard and the report's path
	@$(BIN)/mlopsim bench suite=quick

docs: $(STAMP)  ## build the documentation site into docs/_build/html
	$(BIN)/python experiments/findings.py --check
	$(BIN)/python -m sphinx -q -W --keep-going -b html docs docs/_build/html

test: $(STAMP)  ## run the tests (slow ones excluded)
	$(BIN)/python -m pytest -m 'not slow' -n 2 --dist worksteal

test-full: $(STAMP)  ## run every test, the slow ones too
	$(BIN)/python -m pytest -n 2 --dist worksteal

lint: $(STAMP)  ## ruff and the strict type checker
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(STAMP)  ## let ruff rewrite the files
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:  ## remove caches (not results)
	rm -rf .mypy_cache .ruff_cache .pytest_cache build dist docs/_build docs/catalogue docs/gallery
