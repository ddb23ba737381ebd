# Two commands matter: `make demo` and `make test`. Both set everything up by themselves.
.DEFAULT_GOAL := help
.PHONY: help setup demo test bench soak format docs clean

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV_VERSION := 0.13.9

help: ## Show what there is
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/make \1\t\2/' | expand -t 14

setup: $(VENV)/.synced ## Make the virtual environment in .venv from the lock file

$(VENV)/.synced: pyproject.toml uv.lock
	@echo "Setting up .venv: about 0.45 GB to download the first time, 1.5 GB on disk (the engine alone is 0.2 GB to download and 0.5 GB on disk)."
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@UV_PROJECT_ENVIRONMENT=$(VENV) $(BIN)/uv sync --quiet --frozen --all-groups
	@touch $@

demo: setup ## Run the main job on real input and show it
	@$(BIN)/groundswell demo

test: setup ## Run every test
	@$(BIN)/python tests/suite.py

bench: setup ## Measure, as ratios in one run
	@$(BIN)/python -m benchmarks

soak: setup ## The long tests that `make test` leaves out
	@$(BIN)/pytest -m soak --timeout 7200 tests

docs: setup ## Write the pages that are made from registries
	@$(BIN)/python -m groundswell.cli.reference docs

format: setup ## Format and sort imports
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

clean: ## Remove what setup and the tools made
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache node_modules
