# make setup | test | check | bench | demo; every other target serves one of these.
SHELL := /bin/bash
.ONESHELL:
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.proofgrid-setup

.PHONY: help setup test check bench demo program-check program-costs program-mutants ledger-model ledger-bugs package fuzz \
    fuzz-kernels submitter-faults faults soak fault-bugs bench-network verify-build sanitize clean

help:  ## what the targets do
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 18

setup: $(STAMP)  ## the virtual environment .venv with everything the project needs

$(STAMP): pyproject.toml constraints.txt CMakeLists.txt scripts/preflight.sh
	@PYTHON="$(PYTHON)" bash scripts/preflight.sh
	test -x $(BIN)/python || "$(PYTHON)" -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt \
	    scikit-build-core nanobind cmake ninja
	echo "building the native kernels and installing proofgrid into .venv (a few minutes the first time)"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt \
	    --no-build-isolation --editable '.[dev]'
	touch $@

test: setup  ## the whole test suite
	$(BIN)/python -m pytest

check: setup program-check  ## formatting, lint, types, import order, generated files
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m proofgrid.kernels.codegen --check

program-costs: setup  ## compute units and bytes of every instruction, measured; writes docs/costs.md
	$(BIN)/python -m tests.settlement.costs > docs/costs.md.part
	mv docs/costs.md.part docs/costs.md

program-check: setup  ## the committed on-chain program is its source, byte for byte
	$(BIN)/python -m proofgrid.settlement.program.build --check

SEQUENCES ?= 20000
ledger-model: setup  ## random instructions against a model of the ledger: tokens are conserved to the unit (SEQUENCES=20000)
	$(BIN)/python -m tests.settlement.model --sequences $(SEQUENCES)

ledger-bugs: setup  ## bugs put into the on-chain program one at a time: that model must notice each
	$(BIN)/python -m tests.settlement.model.bugs

JOBS ?= 2
program-mutants: setup  ## each check of the on-chain program taken away: some test must fail (JOBS=2)
	$(BIN)/python -m tests.settlement.mutants --jobs $(JOBS)

package: setup  ## sdist, a wheel from that sdist, and that wheel at work in an environment of its own
	@bash scripts/package.sh

bench: setup  ## kernels and proofs beside their peers and the limit; writes benchmarks/results/
	$(BIN)/python -m benchmarks

demo: setup  ## one real proof, the whole way: SDK, Celery, kernels, verifier, Solana VM, receipt
	$(BIN)/proofgrid demo

fuzz: setup  ## 100,000 mutated files through every decoder
	$(BIN)/python -m tests.fuzz.decoders --count 100000

SECONDS ?= 600
SEED ?= 1
fuzz-kernels: setup  ## random kernels, layer against layer (SECONDS=600 SEED=1)
	$(BIN)/python -m tests.fuzz.kernels --seconds $(SECONDS) --seed $(SEED)

COUNT ?= 1000
submitter-faults: setup  ## batches through a failing devnet by submitters that are killed (COUNT=1000; some minutes)
	$(BIN)/python -m tests.settlement.ordeal --count $(COUNT) --seed $(SEED)

faults: setup  ## processes killed, paused and starved while 500 requests run: nothing lost, nothing twice (SEED=1)
	$(BIN)/python -m tests.faults --seed $(SEED)

soak: setup  ## the same for as long as you like (SECONDS=600 SEED=1)
	$(BIN)/python -m tests.faults --count $$((2 * $(SECONDS))) --seconds $(SECONDS) --seed $(SEED)

fault-bugs: setup  ## bugs put into the network one at a time: that suite must notice each
	$(BIN)/python -m tests.faults.bugs

bench-network: setup  ## requests admitted per second, status reads, scheduling delay; writes benchmarks/results/
	$(BIN)/python -m benchmarks.bench_network

verify-build: setup  ## the kernels' tests and fuzzer with every bound of the ifma layer checked
	@bash scripts/checked.sh verify

sanitize: setup  ## the same under the address and undefined-behaviour sanitizers
	@bash scripts/checked.sh sanitize

clean:  ## remove what the other targets made
	rm -rf .venv build dist kernels/native/_core*.so tests/{interop,evm}/{node_modules,.cache}
