# One command a job; CI runs the same ones (.ci/run).
.DEFAULT_GOAL := help
BIN := .venv/bin
export PYTHON

.PHONY: help setup demo test check bench deep faults parts screenshots runtime

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' Makefile

setup: ## .venv with all that working on the project needs, from the hash-locked files
	@sh deploy/parts/venv.sh test
	@sh deploy/parts/assets.sh test

runtime:
	@sh deploy/parts/venv.sh runtime
	@sh deploy/parts/assets.sh runtime

demo: runtime ## the whole service with simulated machines, on this computer
	@$(BIN)/dutyroom demo

test: setup ## every test; where CI=true the real programs are installed first and nothing may be skipped
	@if [ "$$CI" = true ]; then sh deploy/parts/parts.sh; fi
	@$(BIN)/python -m pytest

check: setup ## format, lint, types, imports between packages, lock files
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	@sh deploy/parts/tsc.sh
	$(BIN)/python -m tests.support.house

bench: setup ## what we claim about speed, measured again [ONLY=name] [BENCH_JSON=file]
	@$(BIN)/python -m benchmarks $(if $(ONLY),--only $(ONLY)) $(if $(BENCH_JSON),--json $(BENCH_JSON))

deep: setup ## the long property runs (up to 45 min); writes docs/deep.json [SEED=n]
	@$(BIN)/python -m tests.deep $(if $(SEED),--seed $(SEED))

faults: setup ## kill the service, the broker and the store at random points [RUNS=n] [OUTAGES=n] [SEED=n]
	@$(BIN)/python -m tests.faults $(if $(RUNS),--runs $(RUNS)) $(if $(OUTAGES),--outages $(OUTAGES)) $(if $(SEED),--seed $(SEED))

parts: ## install the real programs that tests need: Mosquitto by apt, InfluxDB 2 built into the user's cache
	@sh deploy/parts/parts.sh

screenshots: setup ## every page on phone and desktop, in both languages, written to docs/img
	@$(BIN)/python -m tests.browser.screenshots
