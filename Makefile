# `make demo` and `make test` do all their own set-up in .venv and are quick the second time.
# They need GNU make and Python 3.11 or later, and nothing else of ours.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.installed
UV := $(BIN)/uv
PYTEST := $(BIN)/python -m pytest -n logical --maxprocesses 4 --dist worksteal
ARGS ?=

# Some machines forbid it; without compiled bytecode importing torch takes 10 s longer, each time.
unexport PYTHONDONTWRITEBYTECODE
export VIRTUAL_ENV := $(CURDIR)/$(VENV)

.PHONY: help setup demo test test-sql check lint types bench bench-core revision baseline docs lock clean

help: setup  ## What can be made (and set up .venv)
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 22

setup: $(READY)  ## Set up .venv from requirements.lock

demo: $(READY)  ## Run the whole loop on real images; ARGS="--images DIR" for yours
	$(BIN)/smartdb demo $(ARGS)

test: $(READY)  ## Run the tests, as many at once as there are cores; ARGS="-k name" for some
	$(PYTEST) $(ARGS)

test-sql: $(READY)  ## Run the tests of the SQL and of the migrations only
	$(BIN)/python -m pytest tests/sql tests/migrations $(ARGS)

check: lint types  ## Lint, types, lock, documents and tests
	$(PYTEST) $(ARGS)

lint: $(READY)  ## Style of Python and SQL, and no package host in the lock
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/sqlfluff lint schema
	$(BIN)/sqlfluff lint --templater placeholder smartdb/queries
	@if grep -nE 'https?://' requirements.lock; then echo 'requirements.lock names a host' >&2; exit 1; fi

types: $(READY)  ## Types of the library, the API and the pipelines
	$(BIN)/mypy --strict smartdb api pipelines

bench: $(READY)  ## Measure every speed that the documents claim
	$(BIN)/python -m benchmarks $(ARGS)

bench-core: $(READY)  ## Measure the data model with 1M media, 3M labels, 1M vectors
	$(BIN)/python -m benchmarks core $(ARGS)

revision: $(READY)  ## Draft the next migration from schema/core: make revision m="add split"
	@test -n '$(m)' || { echo 'say what it does: make revision m="add split"' >&2; exit 2; }
	$(BIN)/python -m smartdb.migrate revision -m '$(m)'

baseline: $(READY)  ## Write the first migration anew (before the first release only)
	$(BIN)/python -m smartdb.migrate baseline

docs: $(READY)  ## Generate the reference from the database's comments and the CLI's help
	$(BIN)/python -m smartdb.reference

lock: $(UV)  ## Choose versions anew and write requirements.lock (without the name of any host)
	mkdir -p .make && $(BIN)/python -c 'import tomllib; t = tomllib.load(open("pyproject.toml", "rb")); \
	    print("\n".join(t["build-system"]["requires"] + t["dependency-groups"]["dev"]))' > .make/dev.in
	$(UV) pip compile pyproject.toml .make/dev.in --all-extras --universal --no-emit-index-url \
	    --no-header --no-annotate --generate-hashes -o requirements.lock

clean:  ## Remove caches and what was built (not .venv, no data)
	rm -rf .make .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist *.egg-info
	find . -path ./$(VENV) -prune -o -type d -name __pycache__ -print0 | xargs -0 rm -rf

# --- set-up -------------------------------------------------------------------------------------

# The stamp lies in .venv, so that deleting .venv undoes it. Whatever was interrupted is done again:
# uv skips what is installed.
$(READY): requirements.lock pyproject.toml | $(UV)
	$(UV) pip install --require-hashes --no-deps -r requirements.lock
	$(UV) pip install --no-deps --no-build-isolation -e .
	touch $@

$(UV):
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || { \
	    for candidate in $(PYTHON) python3.11 python3.12 python3.13 python3; do \
	        if $$candidate -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' \
	            >/dev/null 2>&1; then found=$$candidate; break; fi; \
	    done; \
	    if [ -z "$${found:-}" ]; then \
	        echo 'smartdb needs Python 3.11 or later with its venv module (Debian: apt install python3-venv);' >&2; \
	        echo 'none was found as python3.11, python3.12, python3.13 or python3; or say: make PYTHON=/path/to/python' >&2; \
	        exit 1; \
	    fi; \
	    echo "$$found -m venv $(VENV)"; $$found -m venv --clear $(VENV); \
	}
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
