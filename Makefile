# What there is to do here; `make` alone lists it. Nothing is needed but a Python >= 3.11.

BIN := .venv/bin
STAMP := .venv/.installed
PYTEST := $(BIN)/python -m pytest
ARGS ?=

# An environment whose Python is gone, or that came here with a moved checkout, is made anew.
ifneq ($(shell [ "$$(cat $(STAMP) 2>/dev/null)" = "$(CURDIR)" ] && $(BIN)/python -c 'print("usable")' 2>/dev/null),usable)
.PHONY: $(STAMP)
endif

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-real test-faults test-wheel lint format catalogs meltano describe readme bench clean

help: ## List what there is to do
	@awk -F ': .*## |: ## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile

setup: $(STAMP) ## Make .venv with all that demo and tests need (PYTHON=… to choose one)

$(STAMP): pyproject.toml antiphon/__init__.py scripts/setup
	@PYTHON='$(PYTHON)' scripts/setup

demo: setup ## Show the main job on a sandbox: no credentials, under a minute
	@$(BIN)/antiphon demo $(ARGS)

test: setup ## Run the tests (ARGS='-k csv' for some of them)
	$(PYTEST) -n auto $(ARGS)

test-real: setup ## Run the tests against real servers and Meltano, installed once outside the checkout
	$(PYTEST) -m 'real and not faults' $(ARGS)

test-faults: setup ## Run the fault matrix and print it, and many kills (WRITE_FAULTS=1 keeps it in docs/faults.md)
	$(PYTEST) -m faults -n auto $(ARGS)

test-wheel: setup ## Build the distribution, install it alone and run it elsewhere
	$(PYTEST) -m wheel $(ARGS)

lint: setup ## Check style and types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	PYRIGHT_PYTHON_IGNORE_WARNINGS=1 $(BIN)/pyright

format: setup ## Put the code into its format
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

catalogs: setup ## Write catalogs/: what each tap's --discover prints
	@$(BIN)/python scripts/write_catalogs.py

meltano: setup ## Write plugins/: each tap and target as Meltano wants it declared
	@$(BIN)/python scripts/write_plugins.py

describe: setup ## Write the JSON Schema of descriptions, and the tables of kinds in docs/describe.md
	@$(BIN)/python scripts/write_description.py

readme: setup ## Write the README's table of APIs (ARGS=--demo for the demo's output too)
	@$(BIN)/python scripts/write_readme.py $(ARGS)

bench: setup ## Measure CPU, memory, calls and latency, beside peers (ARGS=calls for a part, ARGS="--full --write" for the page)
	@$(BIN)/python bench/bench.py $(ARGS)

clean: ## Remove the environment and what was made in passing
	rm -rf .venv dist build output .antiphon .meltano .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
