# Everything a developer does here. `make help` lists it.

PYTHON ?= python3
PORT ?= 3000
VENV := .venv/bin
export PORT
export PYTHONDONTWRITEBYTECODE := 1
# Node 20 works; jsii would otherwise say at every start that it is old.
export JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION := 20
export AWS_EC2_METADATA_DISABLED := true

.DEFAULT_GOAL := help
.PHONY: help setup run demo alarms load test check lint types unit contract integration conformance infra architecture e2e smoke python313 sdk bench synth simulate mutants chaos format openapi commands pages site clean

help: ## List the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z0-9-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## Install everything that is pinned (once, and after changes of the pins)
	@command -v $(PYTHON) >/dev/null || { echo "payflowx: $(PYTHON) was not found; Python 3.11 or newer is needed." >&2; exit 1; }
	@$(PYTHON) local/setup.py

run: setup ## Run the stacks on this machine, pay three payments, stay up (PORT=3000)
	@exec $(VENV)/python -m local run $(if $(PROVIDER),--provider "$(PROVIDER)")

demo: setup ## The same, and end: success only if all went as expected (PROVIDER=stripe, razorpay, cashfree or payu)
	@exec $(VENV)/python -m local demo $(if $(PROVIDER),--provider "$(PROVIDER)")

alarms: setup ## Every alarm of the running local environment, and its state
	@$(VENV)/python -m local.alarms

SIDE_BY_SIDE := lint types unit contract integration conformance infra synth architecture python313 sdk

test: setup ## The whole gate: what needs no quiet machine two at a time, then the simulator and the local environment
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

architecture: setup ## Which module may import which; links, paths and words of the documents
	@$(VENV)/python -m pytest -q tests/architecture tests/docs

e2e: setup ## The demo and more through the local environment
	@$(VENV)/python -m pytest -q tests/e2e

smoke: setup ## Stripe's adapter against localstripe, a fake of somebody else's; optional (goes into .local/localstripe)
	@[ -x .local/localstripe/bin/localstripe ] || { $(VENV)/python -m venv .local/localstripe && \
		.local/localstripe/bin/python -m pip --quiet --disable-pip-version-check install localstripe==1.15.10; }
	@$(VENV)/python -m pytest -q tests/smoke --require=localstripe

python313: setup ## Unit and contract tests on the Python that is deployed, where it is found
	@$(VENV)/python local/setup.py python313
	@# The simulator's own tests not: they run whole simulations, and nobody deploys the simulator.
	@if [ -x .venv-313/bin/python ]; then .venv-313/bin/python -m pytest -q tests/unit tests/contract --ignore=tests/unit/simulation; fi

sdk: setup ## The connectors and simulators against the providers' own SDKs, without a network
	@$(VENV)/python local/setup.py sdk
	@$(VENV)/python -m pytest -q tests/sdk --require=sdk

simulate: setup ## Try to make it charge twice, on simulated time (SEED=1 TRACE=1, SEED_BASE=, SEEDS=, SCALE=full)
	@PYTHONPATH=functions:. $(VENV)/python -m simulation

mutants: setup ## Break the design in many ways and see the simulator find each
	@PYTHONPATH=functions:. $(VENV)/python -m simulation.run_mutants

chaos: setup ## Kill, pause and starve a local environment for some minutes, then compare the ledgers
	@PYTHONPATH=functions:. $(VENV)/python -m local.chaos

load: setup ## 500 payments from 50 clients through a local environment, as a table (PAYMENTS=, CLIENTS=, SECONDS=)
	@exec $(VENV)/python -m local.load

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

pages: setup ## Write docs/decisions/README.md from the decision records
	@$(VENV)/python -m reference

site: ## Build the documentation into .local/site; every link and anchor must resolve
	@$(PYTHON) reference/site.py

clean: ## Remove everything that was installed or made
	@rm -rf .venv .venv-313 .venv-sdk .venv-docs .local node_modules cdk.out payflowx.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
