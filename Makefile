# make demo, make test: everything from a bare Debian 12 / Ubuntu 22.04 or later machine; quick the second time.

VENV := .venv
BIN := $(VENV)/bin
# Tests start pipelines with threads of their own: more workers than this gain nothing.
JOBS := $(shell n=$$(nproc); [ $$n -lt 4 ] && echo $$n || echo 4)
ARGS :=
# Tests of memory look at the process's size: glibc's separate heaps for new threads would be taken for leaks.
TEST_ENV := MALLOC_ARENA_MAX=2
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: demo test engines check lint format types imports setup lock clean

demo: setup
	@$(BIN)/headrace demo $(ARGS)

test: setup
	@$(TEST_ENV) $(BIN)/python -m pytest -n $(JOBS) $(ARGS)

# The engines beside onnxruntime; a second call finds them installed.
engines: setup
	@$(BIN)/python -m pip --disable-pip-version-check install --quiet --only-binary :all: -r requirements/engines.txt

check: lint types imports

lint: setup
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: setup
	@$(BIN)/mypy

imports: setup
	@$(BIN)/lint-imports

format: setup
	@$(BIN)/ruff check --fix-only .
	@$(BIN)/ruff format .

setup: $(VENV)/.installed

$(VENV)/.installed: requirements/dev.txt pyproject.toml scripts/venv.sh scripts/system-packages.sh scripts/apt-packages.txt
	@sh scripts/system-packages.sh
	@sh scripts/venv.sh $(VENV)
	@touch $@

lock:
	@sh scripts/lock.sh --upgrade

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -prune -exec rm -rf {} +
