# Each target does its own set-up in .venv; nothing has to be run before.
# Test workers share the cores, so each gets one thread: more would fight over them.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
DEMO_OUT ?= runs/quickstart

.PHONY: help demo check test test-all bench figures clean
help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

# torch first and pinned: the CPU build where one is to be had, and never a second download.
$(READY): pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null || { echo "needs $(PYTHON); or: make PYTHON=/path/to/python3.11+"; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt torch
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[offline,dev]'
	@touch $@

demo: $(READY) ## conversations, drift and a leaderboard without a key (about 4 minutes)
	$(BIN)/echosim run quickstart $(DEMO_OUT)
	$(BIN)/echosim report $(DEMO_OUT)

check: $(READY) ## lint, types, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: check ## check and the fast tests
	OMP_NUM_THREADS=1 $(BIN)/pytest -n auto

test-all: check ## also slow tests, a real model server and a real browser
	OMP_NUM_THREADS=1 $(BIN)/pytest -n auto -m 'slow or server or browser'

bench: $(READY) ## timings, as ratios in one run
	$(BIN)/python -m pytest tests/benchmarks -m benchmark -s

figures: $(READY) ## the pictures of the README, from a fresh quickstart run
	$(BIN)/python analyses/readme_figures.py

clean: ## remove the environment and caches
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
