# The two commands of the README, `run` and `test`, set everything up by themselves.
PYTHON ?= python3
PORT ?= 8000
VENV := .venv
BIN := $(VENV)/bin

.PHONY: run test test-nightly coverage bench setup setup-dev apply clean

run: setup
	@DEBUG=1 $(BIN)/python manage.py apply --yes >var/apply.log 2>&1 || { cat var/apply.log; exit 1; }
	@DEBUG=1 $(BIN)/python manage.py demo
	@echo "Serving http://127.0.0.1:$(PORT)/admin/"
	@DEBUG=1 exec $(BIN)/python manage.py runserver --skip-checks 127.0.0.1:$(PORT)

test: setup-dev
	$(BIN)/python -m pytest -q -n 2 tests

# `make bench list import home` measures these sections alone; the other words are no targets of their own then.
ifeq (bench,$(firstword $(MAKECMDGOALS)))
SECTIONS := $(wordlist 2,$(words $(MAKECMDGOALS)),$(MAKECMDGOALS))
$(SECTIONS):
	@:
endif

test-nightly: setup-dev
	.ci/nightly

coverage: setup-dev
	$(BIN)/python -m pytest -q -n 2 --cov --cov-report=term --cov-fail-under=90 tests

bench: setup-dev
	$(BIN)/python tests/bench/run.py $(SECTIONS) $(BENCH)

apply: setup
	DEBUG=1 $(BIN)/python manage.py apply

setup: $(VENV)/.requirements
	@mkdir -p var

setup-dev: $(VENV)/.requirements-dev
	@mkdir -p var

$(VENV)/.requirements: requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/.requirements-dev: requirements-dev.txt $(VENV)/.requirements
	$(BIN)/python -m pip install -q --disable-pip-version-check -r requirements-dev.txt
	@touch $@

clean:
	rm -rf $(VENV) var
