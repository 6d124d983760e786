# Tangguh: every command a newcomer needs. `make run` opens the bank, `make test` proves it.
PYTHON ?= python3
WORKERS ?= logical
PORT ?= 8080
DATA ?= tangguh-data
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready
DEV_STAMP := $(VENV)/.ready-dev

.PHONY: help setup setup-dev run test check drills fmt clean

help:
	@echo "make run              set up all that is needed and open a bank; Ctrl-C stops it"
	@echo "     PORT=9000        where its app answers (8080); the networks' page is one above, the status page two"
	@echo "     DATA=elsewhere   where it keeps everything (tangguh-data)"
	@echo "make test             set up all that is needed and run the tests; WORKERS=2 at once"
	@echo "make check            format, lint, types, import contracts, house rules, spelling"
	@echo "make drills           the long rehearsals against real processes"
	@echo "make setup            only the environment in .venv, as a bank needs it; PYTHON=/path/to/python3.11"
	@echo "make setup-dev        the same, and what only tests and checks use"
	@echo "make fmt              format the code"
	@echo "make clean            delete what setup and the checks made; never a bank's data"
	@echo "./tangguh --help      every command of the bank"

setup: $(STAMP)

$(STAMP): requirements.lock pyproject.toml scripts/install
	@PYTHON=$(PYTHON) scripts/install $(VENV)
	@touch $(STAMP)

setup-dev: $(DEV_STAMP)

$(DEV_STAMP): requirements-dev.lock pyproject.toml scripts/install
	@PYTHON=$(PYTHON) scripts/install $(VENV) dev
	@touch $(STAMP) $(DEV_STAMP)

run: setup
	@$(BIN)/tangguh up --port $(PORT) --data $(DATA)

test: setup-dev
	@scripts/system-packages
	$(BIN)/python -m pytest -n $(WORKERS) --maxprocesses 8 --dist worksteal

check: setup-dev
	@scripts/check

drills: setup-dev
	$(BIN)/python -m pytest -m drill -p no:randomly

fmt: setup-dev
	$(BIN)/ruff format src tests
	$(BIN)/ruff check --fix src tests

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
