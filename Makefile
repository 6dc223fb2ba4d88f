# The sandbox and the checks. `make help` lists what there is; every target sets up what it needs first.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/sh

STACK ?= dev
ARGS ?=
PYTHON ?= python3
UV_VERSION := 0.13.9
CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/auterity

BIN := .venv/bin
RUN := $(BIN)/python
SANDBOX := $(RUN) -m sandbox
PYTEST := $(RUN) -m pytest

# The environment is complete when it holds a stamp with the digest of what it was made from.
STAMP := .venv/.installed-$(shell cksum < requirements-dev.txt | tr -s ' \t' '-')

# uv from PATH, else one in an environment of its own.
UV := $(or $(shell command -v uv),$(CACHE)/uv-$(UV_VERSION)/bin/uv)

NEEDS_PYTHON = $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	{ echo "error: Python 3.11 or newer is needed, and $(PYTHON) is not: make PYTHON=/path/to/python3.11 …" >&2; exit 1; }

.PHONY: help
help: ## Show this list
	@echo "Usage: make TARGET [STACK=dev] [ARGS='further arguments of the command']"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: up
up: $(STAMP) ## Bring STACK up in the sandbox and show its outputs
	@$(SANDBOX) up $(STACK) $(ARGS)

.PHONY: preview
preview: $(STAMP) ## Show what `up` would change
	@$(SANDBOX) preview $(STACK) $(ARGS)

.PHONY: policy
policy: $(STAMP) ## Preview dev, prod and local under the security rules (STACK=prod: one of them)
	@for stack in $(if $(filter command line,$(origin STACK)),$(STACK),dev prod local); do \
		$(SANDBOX) preview $$stack --policy-pack '$(CURDIR)/policies' $(ARGS) || exit 1; \
	done

.PHONY: refresh
refresh: $(STAMP) ## Take over what has changed in the simulated clouds by other hands
	@$(SANDBOX) refresh $(STACK) $(ARGS)

.PHONY: destroy
destroy: $(STAMP) ## Take STACK down (ARGS=--unprotect lifts its protection first)
	@$(SANDBOX) destroy $(STACK) $(ARGS)

.PHONY: outputs
outputs: $(STAMP) ## Show the outputs of STACK
	@$(SANDBOX) outputs $(STACK)

.PHONY: pulumi
pulumi: $(STAMP) ## Run any Pulumi command on STACK in the sandbox: ARGS="stack export"
	@$(SANDBOX) pulumi $(STACK) $(ARGS)

.PHONY: kubectl
kubectl: $(STAMP) ## Run any kubectl command on the cluster of STACK: ARGS="get pods -A"
	@$(SANDBOX) kubectl $(STACK) $(ARGS)

.PHONY: kind
kind: ## Make the cluster of the local stack on this machine, with the app's image in it (needs Docker, kind, kubectl)
	@scripts/kind-up

.PHONY: kind-down
kind-down: ## Remove that cluster; `pulumi destroy --stack local` then forgets what was in it
	@kind delete cluster --name auterity-dev

.PHONY: cloud
cloud: $(STAMP) ## Look at the simulated clouds (ARGS=--help: and change them by hand)
	@$(SANDBOX) cloud $(or $(ARGS),list)

.PHONY: faults
faults: $(STAMP) ## Make operations of the simulated clouds fail or take long (ARGS=--help: how)
	@$(SANDBOX) faults $(or $(ARGS),list)

.PHONY: setup
setup: $(STAMP) ## Set up everything that is missing
	@$(SANDBOX) setup

.PHONY: environment
environment: $(STAMP) ## Install the Python packages alone

.PHONY: servers
servers: ## Install the servers that the tests start (apt, as root)
	@scripts/install-packages

.PHONY: test
test: setup servers ## Run every test
	@$(PYTEST) -n auto $(ARGS)

.PHONY: test-unit
test-unit: $(STAMP) ## Run the tests that need neither engine nor cloud
	@$(PYTEST) -n auto tests/unit $(ARGS)

.PHONY: proof
proof: setup ## Prove what takes longer: killed at any point, refused at any point (about 20 minutes)
	@$(PYTEST) --hypothesis-profile=proof tests/unit/test_wrong_settings.py
	@$(PYTEST) -n auto proofs $(ARGS)

.PHONY: bench
bench: $(STAMP) ## Measure previews and makespan against their floors (ARGS=--write: into docs/benchmarks.md)
	@$(SANDBOX) setup
	@$(RUN) -m benchmarks $(ARGS)

.PHONY: recover
recover: $(STAMP) ## Adopt what the simulated clouds made and a killed `up` did not record
	@$(SANDBOX) recover $(STACK)

.PHONY: record-release
record-release: $(STAMP) ## Record the stacks' state as released: what later code must not replace
	@$(RUN) -m tests.released

.PHONY: lint
lint: $(STAMP) ## Check style, types and YAML
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy .
	@$(BIN)/yamllint --strict .

.PHONY: format
format: $(STAMP) ## Put the code into the common form
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

.PHONY: schema
schema: $(STAMP) ## Write the JSON Schema of the stack files, and the pages of docs/settings
	@$(RUN) -m settings schema
	@$(RUN) -m settings pages

.PHONY: docs
docs: $(STAMP) ## Build the pages of docs/ as a site, into build/site
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

.PHONY: digests
digests: $(STAMP) ## Write the digest of each third-party image behind its tag (asks the registries by Docker)
	@$(RUN) -m components.images.pin

.PHONY: lock
lock: $(UV) ## Pin again what pyproject.toml asks for, at one version in all files
	@$(UV) pip compile -q --universal --python-version 3.11 --generate-hashes --extra dev pyproject.toml -o requirements-dev.txt
	@$(UV) pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate --custom-compile-command "make lock" \
		-c requirements-dev.txt pyproject.toml -o requirements.txt
	@$(UV) pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate --custom-compile-command "make lock" \
		-c requirements-dev.txt examples/app/requirements.in -o examples/app/requirements.txt
	@$(UV) pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate --custom-compile-command "make lock" \
		tests/real/object-stores.in -o tests/real/object-stores.txt
	@$(UV) pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate --custom-compile-command "make lock" \
		-c requirements-dev.txt operations/requirements.in -o operations/requirements.txt
	@$(UV) pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate --custom-compile-command "make lock" \
		-c requirements-dev.txt policies/requirements.in -o policies/requirements.txt

.PHONY: clean
clean: ## Remove the virtual environment and what the checks left (not the sandbox's state)
	@rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis build
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# pip (--seed) is for the official language host, which lists the environment's packages by it.
$(STAMP): requirements-dev.txt | $(UV)
	@$(NEEDS_PYTHON)
	@echo "Installing the Python packages: usually under a minute …"
	@$(UV) venv --quiet --seed --allow-existing --python $(PYTHON) .venv
	@$(UV) pip sync --quiet --require-hashes --python $(RUN) requirements-dev.txt
	@rm -f .venv/.installed-*
	@touch $@

$(CACHE)/uv-$(UV_VERSION)/bin/uv:
	@$(NEEDS_PYTHON)
	@echo "Installing uv $(UV_VERSION): usually some seconds …"
	@part=$(CACHE)/uv-$(UV_VERSION).part.$$$$ && $(PYTHON) -m venv $$part && \
		$$part/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION) && \
		rm -rf $(CACHE)/uv-$(UV_VERSION) && mv $$part $(CACHE)/uv-$(UV_VERSION)
