# Everything starts here: `make demo` to look, `make test` to trust. ARGS="..." is handed on.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help demo test check ci audit bench faults hub-stack tour docs format requirements reference sbom clean

BIN := .venv/bin
ARGS ?=

help: ## this list
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 24

demo: ## set up everything and run a shop on this machine, e.g. ARGS="--port 9000"
	@scripts/setup.sh hub
	@exec $(BIN)/tillmesh demo $(ARGS)

# With ARGS one of the two runs may have nothing to do (pytest's status 5); without, that is a failure.
MAY_BE_NONE = $(if $(ARGS),|| test $$? -eq 5)

STACK_DIR ?= /var/tmp/tillmesh-stack

hub-stack: ## Envoy, PostgreSQL, Kafka and a head office on this machine: ARGS=start, stop or status
	@scripts/setup.sh stack
	@exec $(BIN)/tillmesh hub stack $(or $(ARGS),start) --data-dir $(STACK_DIR)

# The gate has one order of tests, as it has one set of examples; pytest by itself draws another order each time.
ORDER := --randomly-seed=3997873417
ORDER_OF_JOURNEYS := --randomly-seed=3146454638

test: check ## set up everything, check, run the whole suite, e.g. ARGS="-k receipt"
	@mkdir -p artifacts
	TILLMESH_HYPOTHESIS=gate $(BIN)/python scripts/suite.py junit -n 2 --dist loadgroup $(ORDER) -m "not journey" $(ARGS) $(MAY_BE_NONE)
	@# On its own: the browser's driver keeps an event loop open, in which no other test could run one.
	$(BIN)/python scripts/suite.py junit-journeys -n 2 --dist loadfile $(ORDER_OF_JOURNEYS) -m journey $(ARGS) $(MAY_BE_NONE)

check: ## format, lint, types of Python and of the UI, import contracts
	@scripts/setup.sh test
	$(BIN)/ruff format --check --quiet
	$(BIN)/ruff check --quiet
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	node_modules/.bin/tsc -p jsconfig.json
	node_modules/.bin/tsc -p jsconfig.hub.json

# Who answers about advisories: nobody named means PyPI; a URL has to answer as OSV does, as a firm's mirror may.
ADVISORIES ?=
ASK = $(BIN)/python scripts/audit.py $(if $(ADVISORIES),--advisories $(ADVISORIES))

ci: check ## the suite under coverage, and audits of our code and of what we install
	@mkdir -p artifacts
	TILLMESH_HYPOTHESIS=gate $(BIN)/coverage run -m pytest -n 2 --dist loadgroup --junitxml=artifacts/junit.xml $(ARGS)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage html --quiet --directory artifacts/coverage
	$(BIN)/coverage report
	@# What is skipped is looked at line by line under ruff's names for it: S104, S108, S310, S608.
	$(BIN)/bandit --quiet --recursive --severity-level medium --skip B104,B108,B310,B608 src
	$(ASK)

audit: ## ask for advisories about everything that is pinned, e.g. ADVISORIES=https://mirror.example/v1/query
	@scripts/setup.sh test
	@$(ASK)

bench: ## reproducible measurements, e.g. ARGS="sale --json"
	@scripts/setup.sh terminal
	@exec $(BIN)/tillmesh bench $(ARGS)

faults: ## do every fault of the catalogue to real programs, as a table, e.g. ARGS="F18 F20"
	@scripts/setup.sh test
	@$(BIN)/python scripts/faults.py $(ARGS)

tour: ## pictures of every page in every language, look and size, and what is wrong with them, e.g. ARGS="--languages de"
	@scripts/setup.sh test
	@$(BIN)/python scripts/tour.py $(ARGS)

docs: ## follow every link, run every marked code block
	@scripts/setup.sh test
	$(BIN)/python -m pytest tests/test_docs.py $(ARGS)

format: ## let the formatter and the safe fixes have their way
	@scripts/setup.sh test
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

requirements: ## pin and hash requirements/*.in anew
	@scripts/setup.sh terminal
	cd requirements && for role in build terminal ai learn voice hub stack dev bench; do \
		../$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
			--no-emit-index-url --no-emit-find-links --upgrade $$role.in -o $$role.txt; \
	done

reference: ## write the reference pages of events and of the HTTP interface anew, from the code
	@scripts/setup.sh hub
	@$(BIN)/python scripts/events_page.py
	@$(BIN)/python scripts/api_page.py

sbom: ## a CycloneDX bill of materials for each role in artifacts/sbom, and the page of licences
	@scripts/setup.sh terminal
	@$(BIN)/python scripts/sbom.py

clean: ## forget what was built here
	rm -rf .venv node_modules artifacts .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis build dist
