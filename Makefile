# `make help` lists what there is. `make run` and `make test` need Python 3.11+, Node 20+ and a package registry.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
DATA ?= .dev/data
PORT ?= 8080
TLS ?= off
# The oldest release of Kubernetes that still gets its mends.
KUBERNETES ?= 1.34
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# What Python compiles is kept: hundreds of processes of a test run would do it again, for longer than they take to start.
unexport PYTHONDONTWRITEBYTECODE

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

web/node_modules/.made: web/package-lock.json
	@cd web && npm ci --ignore-scripts --no-fund --no-audit --loglevel=error
	@touch $@

.PHONY: setup
setup: .venv/.made node_modules/.made web/node_modules/.made ## .venv/ with the command `restante`, and the npm packages

.PHONY: web
web: web/node_modules/.made ## build the web app, when its sources have changed, to where the server finds it
	@tools/build-web

.PHONY: wheel
wheel: .venv/.made web ## dist/restante-….whl with the web app inside
	@$(BIN)/uv build --wheel --no-build-isolation -q -o dist .
	@ls dist/*.whl

.PHONY: release
release: .venv/.made web ## KEY=FILE: the wheel with its manifest signed by the release key, served and verified
	@$(BIN)/python tools/release "$(KEY)"

.PHONY: run
run: .venv/.made web ## serve on http://127.0.0.1:8080 with SQLite and local files (DATA=DIR PORT=N; TLS=local for phones)
	@exec $(BIN)/restante serve --data "$(DATA)" --port "$(PORT)" --tls "$(TLS)"

.PHONY: tools-scaled
tools-scaled: .venv/.made ## what `make run-scaled` starts, from Debian and into .venv/
	@tools/need-debian postgresql caddy

.PHONY: run-scaled
run-scaled: .venv/.made web ## several nodes on PostgreSQL, SeaweedFS and NATS behind Caddy, on this machine (SCALED=DIR PORT=N)
	@exec $(BIN)/python tools/run-scaled --port "$(PORT)" $(if $(SCALED),--data "$(SCALED)")

.PHONY: tools
tools:
	@tools/need-debian ffmpeg age espeak-ng strace chromium firefox-esr pulseaudio postgresql

.PHONY: lint
lint: .venv/.made ## ruff, mypy, import contracts, what stands in deploy/
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/check-jsonschema -q --builtin-schema vendor.compose-spec deploy/compose.yaml deploy/scaled/compose.yaml
	$(BIN)/kubernetes-validate --quiet --strict -k $(KUBERNETES) deploy/kubernetes/*.yaml

.PHONY: check-web
check-web: web/node_modules/.made ## the web client: types, lint, order of the rooms, tests in Node and in Chromium
	@tools/check-web

.PHONY: fix
fix: .venv/.made web/node_modules/.made ## format and repair what can be repaired
	$(BIN)/ruff check --fix-only -q . || true
	$(BIN)/ruff format .
	cd web && npm run -s fix

.PHONY: generate
generate: .venv/.made web/node_modules/.made ## the OpenAPI document, the reference pages and the web client's types, from the code
	$(BIN)/python tools/generate.py
	cd web && npm run -s generate

.PHONY: test
test: setup tools lint check-web web ## everything that must hold, in minutes
	$(BIN)/pytest -q -n 3 --dist worksteal -m "not long" --ignore tests/e2e --ignore-glob "tests/api/test_*postgres*.py"
	tools/check-stacks short
	tools/check-browsers

.PHONY: tools-long
tools-long:
	@tools/need-debian nginx-light caddy haproxy libnss3-tools pgbouncer

.PHONY: test-long
test-long: setup tools tools-long ## soaks: thousands of fault points, long live uploads
	@tools/need-debian prometheus docker-compose
	cd web && EVERYWHERE=1 npm run -s test
	$(BIN)/pytest -q -m long --timeout 7200
	tools/check-stacks

.PHONY: bench
bench: .venv/.made web/node_modules/.made ## ratios against peers, interleaved; writes bench/results.md
	bench/run

.PHONY: lock
lock: .venv/.made ## resolve requirements.lock anew, and from it what a server's machine needs
	$(BIN)/uv pip compile pyproject.toml --extra server --extra scale --extra otel --group dev --group footage --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-header --no-annotate -q -o requirements.lock
	$(BIN)/uv pip compile pyproject.toml --extra server --extra scale --extra otel --universal --python-version 3.11 \
	  -c requirements.lock --no-emit-package av \
	  --generate-hashes --no-emit-index-url --no-header --no-annotate -q -o deploy/requirements.lock
