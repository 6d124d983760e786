# Tangguh: every command a newcomer needs. `make run` opens the bank, `make test` proves it.
PYTHON ?= python3
WORKERS ?= logical
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready

.PHONY: setup run test check drills fmt clean

setup: $(STAMP)

$(STAMP): requirements.lock pyproject.toml scripts/install
	@PYTHON=$(PYTHON) scripts/install $(VENV)
	@touch $(STAMP)

run: setup
	$(BIN)/tangguh up

test: setup
	@scripts/system-packages
	$(BIN)/python -m pytest -n $(WORKERS) --maxprocesses 8 --dist worksteal

check: setup
	@scripts/check

drills: setup
	$(BIN)/python -m pytest -m drill -p no:randomly

fmt: setup
	$(BIN)/ruff format src tests
	$(BIN)/ruff check --fix src tests

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
