# Everything a developer does here. `make help` lists it.

PYTHON ?= python3
PORT ?= 3000
VENV := .venv/bin
LOCK := $(VENV)/uv pip compile --quiet --universal --python-version=3.11 --generate-hashes --no-header --no-emit-index-url --no-emit-find-links
export PORT
# Compiled modules lie together outside the sources, made when a module is first imported. Where the environment forbids
# Python to write any, the folder would stay empty, and each process would compile the standard library and all packages.
ifndef PYTHONDONTWRITEBYTECODE
export PYTHONPYCACHEPREFIX := $(CURDIR)/.local/bytecode
endif
# Node 20 works; jsii would otherwise say at every start that it is old.
export JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION := 20
export AWS_EC2_METADATA_DISABLED := true

# Production refuses to be synthesized without its account and its alarms' subscribers. The gate gives examples.
GIVEN := -c prod.account=111122223333 -c prod.page-to=https://events.example.com/payflowx -c prod.ticket-to=payments-team@example.com \
	-c github=example/payflowx -c deploys=dev,staging,prod -c costs-to=costs@example.com -c monthly-budget=100

.DEFAULT_GOAL := help
.PHONY: alarms all-clients architecture audit bench branch-deploy branch-destroy browser cdk-diff certify-aws chaos check checkout-pictures clean clients commands conformance console-pictures contract costs counts coverage demo deploy deployed destroy e2e e2e-deployed format full-simulation help hooks incidents infra integration lint load lock long-chaos long-run mutants nightly openapi openapi-diff pages python python313 quick-contract quick-unit rights run sdk setup setup-local simulate simulator site smoke soak synth test types unit

help: ## List the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z0-9-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: python ## Install everything that is locked (once, and after changes of the locks)
	@$(PYTHON) local/setup.py development

setup-local: python
	@$(PYTHON) local/setup.py

python:
	@$(PYTHON) -c "" 2>/dev/null || { echo "payflowx: $(PYTHON) was not found; Python 3.11 or newer is needed. Choose one with PYTHON=python3.12." >&2; exit 1; }

run: setup-local ## Run the stacks on this machine, pay three payments, stay up (PORT=3000; DEMO_DATA=true: a week of payments)
	@exec $(VENV)/python -m local run $(if $(PROVIDER),--provider "$(PROVIDER)")$(if $(filter true,$(CHECKOUT)), --checkout)$(if $(filter true,$(DEMO_DATA)), --demo-data)

demo: setup-local ## The same, and end: success only if all went as expected (PROVIDER=stripe, razorpay, cashfree or payu; CHECKOUT=true)
	@exec $(VENV)/python -m local demo $(if $(PROVIDER),--provider "$(PROVIDER)")$(if $(filter true,$(CHECKOUT)), --checkout)

alarms: setup-local ## Every alarm of the running local environment, and its state
	@$(VENV)/python -m local.alarms

# The longest first. Simulation and local environment use all cores themselves: they run alone.
GATE := unit contract integration simulator python313 types clients conformance sdk synth infra lint architecture
GATE_ALONE := simulate e2e browser
NIGHTLY := full-simulation mutants long-chaos load soak incidents rights coverage bench all-clients audit

test: setup ## The whole gate, two targets at a time, with the CPU time of each
	@$(VENV)/python -m bench.gate $(GATE) --alone $(GATE_ALONE)

check: setup ## The inner loop: lint, types, the tests that need neither the local engine nor a simulation
	@$(VENV)/python -m bench.gate quick-unit lint types quick-contract

nightly: setup ## The rest: many seeds, mutants, 20 minutes of chaos, load, soak, rights enforced, counts, advisories
	@$(VENV)/python -m bench.gate --alone $(NIGHTLY)

quick-unit: setup
	@$(VENV)/python -m pytest -q tests/unit --ignore=tests/unit/simulation -m "not engine"

quick-contract: setup
	@$(VENV)/python -m pytest -q tests/contract tests/architecture -m "not engine"

lint: setup ## Format and lint
	@$(VENV)/ruff format --check --quiet . || { echo "payflowx: run \`make format\`." >&2; exit 1; }
	@$(VENV)/ruff check .

types: setup ## mypy, strict
	@$(VENV)/mypy

unit: setup ## Rules without any AWS, and the branches of domain and application that they reach
	@$(VENV)/python -m pytest -q tests/unit --ignore=tests/unit/simulation --cov --cov-report=term:skip-covered

coverage: setup ## Branches of domain and application that all tests without the running environment reach; no floor
	@$(VENV)/python -m pytest -q tests/unit tests/contract tests/conformance tests/integration \
		--ignore=tests/unit/simulation --cov --cov-report=term:skip-covered --cov-fail-under=0

simulator: setup ## The simulator's own tests: its checkers must see what is broken
	@$(VENV)/python -m pytest -q tests/unit/simulation

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

browser: setup ## A real browser pays checkouts in the local environment; pictures of each screen go into .local/browser-screens
	@$(VENV)/python local/setup.py browser
	@# 5: all were left out, and a line says why. In CI that is an error.
	@$(VENV)/python -m pytest -q tests/browser $(if $(CI),--require=browser) || { [ $$? -eq 5 ] && [ -z "$$CI" ]; }

checkout-pictures: setup ## Make the pictures of docs/checkout.md anew
	@$(VENV)/python local/setup.py browser
	@PICTURES_INTO=docs/images $(VENV)/python -m pytest -q tests/browser/test_pictures.py --require=browser

incidents: setup ## The five prepared incidents of the console in a real browser; dead letters and the mismatch are in the gate, too
	@$(VENV)/python local/setup.py browser
	@$(VENV)/python -m pytest -q tests/browser/console_incidents/test_gate.py tests/browser/console_incidents/nightly.py \
		tests/browser/test_console.py::test_a_mismatch_is_found_understood_and_closed_with_only_what_the_pages_show $(if $(CI),--require=browser)

console-pictures: setup ## The pictures of docs/console.md, from `make run DEMO_DATA=true` in another terminal
	@$(VENV)/python local/setup.py browser
	@$(VENV)/python -m tests.browser.console_pictures

smoke: setup ## The Stripe connector against localstripe, an independent fake; optional (goes into .local/localstripe)
	@[ -x .local/localstripe/bin/localstripe ] || { $(VENV)/python -m venv .local/localstripe && \
		.local/localstripe/bin/python -m pip --quiet --disable-pip-version-check install localstripe==1.15.10; }
	@$(VENV)/python -m pytest -q tests/smoke --require=localstripe

python313: setup ## Unit and contract tests on the Python that is deployed, where it is found
	@$(VENV)/python local/setup.py python313
	@# Nobody deploys the simulator, the model of DynamoDB, the synthesis, removals, the bench and the console: their tests are left out.
	@if [ -x .venv-313/bin/python ]; then .venv-313/bin/python -m pytest -q tests/unit tests/contract \
		--ignore=tests/unit/simulation --ignore=tests/unit/bench --ignore=tests/unit/ops/test_certify_aws.py \
		--ignore=tests/unit/ops/console --ignore=tests/unit/ops/test_demo_data.py \
		--ignore=tests/contract/test_dynamodb_model.py --ignore=tests/contract/test_removal.py; fi

clients: setup ## The TypeScript client on Node, the doubles' contract, processes that are killed, adapters, the shops
	@$(VENV)/python local/setup.py clients
	@PYTHONPATH=clients/python/src $(VENV)/python -m clients.gate

all-clients: ## The same, with the adapters of every framework, and on Deno and workerd
	@CLIENT_ADAPTERS=all $(MAKE) --no-print-directory clients

sdk: setup ## The connectors and simulators against the providers' own SDKs, without a network
	@$(VENV)/python local/setup.py sdk
	@$(VENV)/python -m pytest -q tests/sdk --require=sdk

simulate: setup ## Try to make it charge twice, on simulated time (SEED=1 TRACE=1, SCENARIO=, SEED_BASE=, SEEDS=, SCALE=full)
	@PYTHONPATH=functions:. $(VENV)/python -m simulation

long-run: setup ## A piece of a run of many hours; pieces of the same code add up in docs/long-run.json (MINUTES=60)
	@PYTHONPATH=functions:. $(VENV)/python -m simulation.long_run

full-simulation: setup
	@SCALE=$(or $(SCALE),full) $(MAKE) --no-print-directory simulate

rights: setup ## Take each granted action away in turn, and see what fails (PIECE=1/4 for a quarter of them)
	@PYTHONPATH=functions:. PIECE="$${PIECE:-1/1}" $(VENV)/python -m bench.rights

audit: setup ## Known advisories against everything that is locked; needs the advisory services
	@[ -x .local/audit/bin/pip-audit ] || { $(PYTHON) -m venv .local/audit && .local/audit/bin/python -m pip install --quiet \
		--disable-pip-version-check --no-deps --require-hashes --requirement requirements-audit.txt; }
	@.local/audit/bin/pip-audit --strict --disable-pip --require-hashes --progress-spinner=off \
		--requirement functions/requirements.txt --requirement requirements-dev.txt
	@for lock in . clients/typescript clients/adapters/node clients/runtimes tests/browser; do npm audit --prefix "$$lock" --audit-level=low || exit 1; done

mutants: setup ## Break the design in many ways and see the simulator find each
	@PYTHONPATH=functions:. $(VENV)/python -m simulation.run_mutants

chaos: setup ## Kill, pause and starve a local environment, then compare books, payments, deliveries (SECONDS_OF_CHAOS=180, RATE=, SEED=)
	@PYTHONPATH=functions:. $(VENV)/python -m local.chaos

long-chaos: setup
	@SECONDS_OF_CHAOS=$(or $(SECONDS_OF_CHAOS),1200) $(MAKE) --no-print-directory chaos

load: setup ## 500 payments from 50 clients through a local environment, as a table (PAYMENTS=, CLIENTS=, SECONDS=)
	@exec $(VENV)/python -m local.load

soak: setup ## Ten minutes at a steady rate: memory, processes, open files and queues must stay flat (SECONDS=, RATE=, INTERVAL=)
	@exec $(VENV)/python -m local.soak

bench: setup ## The suite: starts, CPU, calls, units, bytes, dollars beside baselines; writes docs/performance.md (QUICK=true)
	@PYTHONPATH=functions:. $(VENV)/python -m bench $(if $(QUICK),--quick)

counts: setup ## The deterministic part of the suite alone; keeps the times of docs/performance.md
	@PYTHONPATH=functions:. $(VENV)/python -m bench counts

costs: setup ## Write docs/costs.md from the templates, the counts of `make bench` and the price list
	@PYTHONPATH=functions:. $(VENV)/python -m bench.costs

synth: setup ## Synthesize all environments with the CDK CLI, all rules on, and read the templates with cfn-lint for three regions
	@[ -x .local/cfn-lint/bin/cfn-lint ] || { $(PYTHON) -m venv .local/cfn-lint && .local/cfn-lint/bin/python -m pip install --quiet \
		--disable-pip-version-check --no-deps --require-hashes --requirement requirements-cfn-lint.txt; }
	@rm -rf .local/synth
	@PATH="$(CURDIR)/$(VENV):$$PATH" node_modules/.bin/cdk synth --quiet --output .local/synth $(GIVEN) "*/*" Account
	@# W3005: the CDK says some orders twice. W6001: names of tables are outputs of both stacks.
	@.local/cfn-lint/bin/cfn-lint --ignore-checks W3005 W6001 --regions us-east-1 eu-west-1 ap-south-1 \
		-- .local/synth/assembly-*/*.template.json .local/synth/*.template.json

cdk-diff: setup ## What this checkout changes in the templates, without an account (BASE=origin/main)
	@PATH="$(CURDIR)/$(VENV):$$PATH" $(VENV)/python -m bench.template_diff $(or $(BASE),origin/main)

openapi-diff: setup ## Refuse changes of docs/openapi.json that break a client (BASE=origin/main)
	@$(VENV)/python -m bench.openapi_diff "$${BASE:-origin/main}"

# Names of branches and addresses reach the shell as variables, and never as a part of its text.
CDK := PATH="$(CURDIR)/$(VENV):$$PATH" node_modules/.bin/cdk

deploy: setup ## Deploy an environment by the shell's credentials (ENVIRONMENT=dev, ACCOUNT=, PAGE_TO=, TICKET_TO=, APPROVAL=)
	@set --; for given in "account=$$ACCOUNT" "page-to=$$PAGE_TO" "ticket-to=$$TICKET_TO"; do \
		[ -z "$${given#*=}" ] || set -- "$$@" -c "$$ENVIRONMENT.$$given"; done; \
		$(CDK) deploy --require-approval "$${APPROVAL:-broadening}" -c "environments=$$ENVIRONMENT" "$$@" "*/*"

certify-aws: setup ## Deploy a throw-away environment into an account, try what no engine shows, delete it (REGION=, asks first)
	@PATH="$(CURDIR)/$(VENV):$$PATH" $(VENV)/python -m ops.certify_aws --region "$${REGION:-eu-west-1}"

deployed: setup ## Try a deployed environment with simulated providers through its API (API_URL=, PAYFLOWX_API_KEY=)
	@$(VENV)/python -m ops.deployed "$$API_URL"

e2e-deployed: setup ## The end-to-end suite against a deployed environment (API_URL=, PAYFLOWX_API_KEY=, OPERATORS=environment/merchant)
	@$(VENV)/python -m pytest -q tests/e2e --endpoint="$${API_URL:?say API_URL=https://...}" --operators="$$OPERATORS"

destroy: setup ## Delete a disposable environment with all its data; asks first (ENVIRONMENT=dev)
	@$(VENV)/python -m ops.removal "$$ENVIRONMENT"
	@$(CDK) destroy --force -c "environments=$$ENVIRONMENT" "*/*"

branch-deploy: setup ## Deploy a disposable environment for a branch (BRANCH=)
	@$(CDK) deploy --require-approval never -c "branch=$$BRANCH" "*/*"

branch-destroy: setup ## Delete it with all its data (BRANCH=)
	@$(VENV)/python -m ops.removal --yes --branch "$$BRANCH"
	@$(CDK) destroy --force -c "branch=$$BRANCH" "*/*"

hooks: setup ## Install the git hooks of .pre-commit-config.yaml
	@$(VENV)/pre-commit install

format: setup ## Format the code
	@$(VENV)/ruff format --quiet . && $(VENV)/ruff check --fix --quiet .

openapi: setup ## Write docs/openapi.json from the types, and the clients' types from it
	@PYTHONPATH=functions $(VENV)/python -c 'import json; from payflowx.entrypoints.api.openapi import document; print(json.dumps(document(), indent=2))' > docs/openapi.json
	@$(VENV)/python -m clients.generator

commands: setup ## Write docs/commands.md from the commands
	@$(VENV)/python -m ops.reference > docs/commands.md

pages: setup ## Write docs/decisions/README.md from the decision records
	@$(VENV)/python -m reference

site: ## Build the documentation into .local/site; every link and anchor must resolve
	@$(PYTHON) reference/site.py

lock: setup ## Write the lock files from requirements*.in
	@$(LOCK) requirements-layer.in --output-file functions/requirements.txt $(UPGRADE)
	@$(LOCK) requirements-dev.in --constraint functions/requirements.txt --output-file requirements-dev.txt $(UPGRADE)
	@$(LOCK) requirements-local.in --constraint requirements-dev.txt --output-file requirements-local.txt $(UPGRADE)
	@$(LOCK) requirements-cfn-lint.in --output-file requirements-cfn-lint.txt $(UPGRADE)
	@$(LOCK) requirements-audit.in --output-file requirements-audit.txt $(UPGRADE)
	@$(LOCK) requirements-clients.in --output-file requirements-clients.txt $(UPGRADE)
	@$(LOCK) requirements-browser.in --constraint requirements-dev.txt --output-file requirements-browser.txt $(UPGRADE)
	@$(LOCK) requirements.in --constraint requirements-dev.txt --output-file requirements.txt $(UPGRADE)

clean: ## Remove everything that was installed or made
	@rm -rf .venv .venv-313 .venv-sdk .venv-clients .venv-docs .local node_modules tests/browser/node_modules clients/*/node_modules clients/adapters/node/node_modules clients/typescript/dist cdk.out payflowx.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
