# Everything a developer does here. `make help` lists it.

PYTHON ?= python3
PORT ?= 3000
VENV := .venv/bin
LOCK := $(VENV)/uv pip compile --quiet --universal --python-version=3.11 --generate-hashes --no-header --no-emit-index-url --no-emit-find-links
export PORT
# Compiled modules lie together outside the sources, made when a module is first imported.
export PYTHONPYCACHEPREFIX := $(CURDIR)/.local/bytecode
# Node 20 works; jsii would otherwise say at every start that it is old.
export JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION := 20
export AWS_EC2_METADATA_DISABLED := true

.DEFAULT_GOAL := help
.PHONY: help setup setup-local python run demo alarms test check lint types unit contract integration conformance infra architecture e2e smoke python313 bench synth lock simulate mutants chaos format openapi commands clean

help: ## List the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z0-9-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: python ## Install everything that is locked (once, and after changes of the locks)
	@$(PYTHON) local/setup.py development

setup-local: python
	@$(PYTHON) local/setup.py

python:
	@command -v $(PYTHON) >/dev/null || { echo "payflowx: $(PYTHON) was not found; Python 3.11 or newer is needed." >&2; exit 1; }

run: setup-local ## Run the stacks on this machine, pay three payments, stay up (PORT=3000)
	@exec $(VENV)/python -m local run $(if $(PROVIDER),--provider "$(PROVIDER)")

demo: setup-local ## The same, and end: success only if all went as expected (PROVIDER=stripe, razorpay, cashfree or payu)
	@exec $(VENV)/python -m local demo $(if $(PROVIDER),--provider "$(PROVIDER)")

alarms: setup-local ## Every alarm of the running stage, and its state
	@$(VENV)/python -m local.alarms

SIDE_BY_SIDE := lint types unit contract integration conformance infra synth architecture python313

test: setup ## The whole gate: what needs no quiet machine two at a time, then the simulator and the running stage
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target $(SIDE_BY_SIDE)
	@$(MAKE) --no-print-directory simulate
	@$(MAKE) --no-print-directory e2e

check: setup lint types ## The inner loop: lint, types, fast tests
	@$(VENV)/python -m pytest -q tests/unit tests/contract tests/architecture

lint: setup ## Format and lint
	@$(VENV)/ruff format --check --quiet . || { echo "payflowx: run \`make format\`." >&2; exit 1; }
	@$(VENV)/ruff check .

types: setup ## mypy, strict
	@$(VENV)/mypy

unit: setup ## Rules without any AWS
	@$(VENV)/python -m pytest -q tests/unit

contract: setup ## What ports and the engine promise
	@$(VENV)/python -m pytest -q tests/contract

integration: setup ## Handlers over the engine, adapters against simulators
	@$(VENV)/python -m pytest -q tests/integration

infra: setup ## The synthesized templates
	@$(VENV)/python -m pytest -q tests/infra

conformance: setup ## What a provider must survive before routing may fail over to it (PROVIDER=name)
	@$(VENV)/python -m pytest -q tests/conformance --provider="$(PROVIDER)"

architecture: setup ## Which module may import which
	@$(VENV)/python -m pytest -q tests/architecture

e2e: setup ## The demo and more through the running stage
	@$(VENV)/python -m pytest -q tests/e2e

smoke: setup ## Stripe's adapter against localstripe, a fake of somebody else's; optional (goes into .local/localstripe)
	@[ -x .local/localstripe/bin/localstripe ] || { $(VENV)/python -m venv .local/localstripe && \
		.local/localstripe/bin/python -m pip --quiet --disable-pip-version-check install localstripe==1.15.10; }
	@$(VENV)/python -m pytest -q tests/smoke

python313: setup ## Unit and contract tests on the Python that is deployed, where it is found
	@$(VENV)/python local/setup.py python313
	@# The simulator's own tests not: they run whole simulations, and nobody deploys the simulator.
	@if [ -x .venv-313/bin/python ]; then .venv-313/bin/python -m pytest -q tests/unit tests/contract --ignore=tests/unit/simulation; fi

simulate: setup ## Try to make it charge twice, on simulated time (SEED=1 TRACE=1, SEED_BASE=, SEEDS=, SCALE=full)
	@PYTHONPATH=functions:. $(VENV)/python -m simulation

mutants: setup ## Break the design in many ways and see the simulator find each
	@PYTHONPATH=functions:. $(VENV)/python -m simulation.run_mutants

chaos: setup ## Kill, pause and starve the running stage for some minutes, then compare the books
	@PYTHONPATH=functions:. $(VENV)/python -m local.chaos

bench: setup ## Count AWS calls, bytes and imports
	@PYTHONPATH=functions:. $(VENV)/python -m bench

synth: setup ## Synthesize all environments with the CDK CLI, all rules on
	@PATH="$(CURDIR)/$(VENV):$$PATH" node_modules/.bin/cdk synth --quiet "*/*"

format: setup ## Format the code
	@$(VENV)/ruff format --quiet . && $(VENV)/ruff check --fix --quiet .

openapi: setup ## Write docs/openapi.json from the types
	@PYTHONPATH=functions $(VENV)/python -c 'import json; from payflowx.entrypoints.api.openapi import document; print(json.dumps(document(), indent=2))' > docs/openapi.json

commands: setup ## Write docs/commands.md from the commands
	@$(VENV)/python -m ops.reference > docs/commands.md

lock: setup ## Write the lock files from requirements*.in
	@$(LOCK) requirements-layer.in --output-file functions/requirements.txt $(UPGRADE)
	@$(LOCK) requirements-dev.in --constraint functions/requirements.txt --output-file requirements-dev.txt $(UPGRADE)
	@$(LOCK) requirements-local.in --constraint requirements-dev.txt --output-file requirements-local.txt $(UPGRADE)
	@$(LOCK) requirements.in --constraint requirements-dev.txt --output-file requirements.txt $(UPGRADE)

clean: ## Remove everything that was installed or made
	@rm -rf .venv .venv-313 .local node_modules cdk.out payflowx.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
