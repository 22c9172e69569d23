# `make help` lists what there is. `make run` and `make test` need Python 3.11+, Node 20+ and a package registry.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
DATA ?= .dev/data
PORT ?= 8080
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help
help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

# [Note: Locks without addresses] Both lock files carry versions and hashes and name no registry (docs/adr/0002).
.venv/.made: requirements.lock pyproject.toml
	@tools/make-venv "$(PYTHON)"
	@touch $@

node_modules/.made: package-lock.json
	@npm ci --ignore-scripts --no-fund --no-audit --loglevel=error
	@touch $@

.PHONY: setup
setup: .venv/.made node_modules/.made ## .venv/ with the command `restante`, and the npm packages

.PHONY: run
run: .venv/.made ## serve on http://127.0.0.1:8080 with SQLite and local files (DATA=DIR PORT=N)
	@exec $(BIN)/restante serve --data "$(DATA)" --port "$(PORT)"

.PHONY: tools
tools:
	@tools/need-debian ffmpeg age espeak-ng strace

.PHONY: lint
lint: .venv/.made ## ruff, mypy, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

.PHONY: fix
fix: .venv/.made ## format and repair what can be repaired
	$(BIN)/ruff check --fix-only -q . || true
	$(BIN)/ruff format .

.PHONY: generate
generate: .venv/.made ## the OpenAPI document and the reference pages, from the code
	$(BIN)/python tools/generate.py

.PHONY: test
test: setup tools lint ## everything that must hold, in minutes
	$(BIN)/pytest -q -n 2 --dist worksteal -m "not long"

.PHONY: test-long
test-long: setup tools ## soaks: thousands of fault points, long live uploads
	$(BIN)/pytest -q -m long --timeout 7200

.PHONY: bench
bench: .venv/.made ## ratios against peers, interleaved; writes bench/results.md
	bench/run

.PHONY: lock
lock: .venv/.made ## resolve requirements.lock anew
	$(BIN)/uv pip compile pyproject.toml --extra server --group dev --group footage --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-header --no-annotate -q -o requirements.lock
