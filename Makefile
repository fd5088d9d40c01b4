# The day's commands. Everything works from a fresh clone on a machine with Python 3.11, git and make.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/.ready-run
DEV := $(VENV)/.ready-dev
ARGS ?=
# The floors without I/O, clock and logging.
PURE := bot/domain,bot/yamltext,bot/gates,bot/manifests,bot/commands,bot/planning,bot/messages,bot/reporting,bot/workloads
# Measures seconds, which coverage multiplies.
SLOWED := --deselect tests/unit/commands/test_grammar.py::test_hostile_text_costs_little
# Compiles what a start imports, and no more: else each process would compile it anew where nothing may be cached.
WARM := PYTHONDONTWRITEBYTECODE= $(VENV)/bin/python -c "import bot.cli.demo.story, bot.cli.main, bot.web.composition; from hcl2.parser import parser; parser()"

.DEFAULT_GOAL := help
.PHONY: help demo test check lint types layers format e2e coverage faults disturbed bench docs lock audit sbom clean hooks

help: ## This list
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

demo: $(RUN) ## Watch versions travel dev -> qa -> uat -> prod in the sandbox (ARGS="--once" ends by itself)
	@$(VENV)/bin/promotion-bot demo $(ARGS)

test: $(DEV) ## All tests (ARGS="-k name" picks some)
	$(VENV)/bin/python -m pytest -n auto --dist loadgroup -q $(ARGS)

check: lint types layers ## Linters, types and the layers of the house

lint: $(DEV) ## ruff: rules and formatting
	$(VENV)/bin/ruff check bot tests benchmarks scripts
	$(VENV)/bin/ruff format --check bot tests benchmarks scripts

types: $(DEV) ## mypy, strict
	$(VENV)/bin/mypy -p bot

layers: $(DEV) ## import-linter: which room may know which
	$(VENV)/bin/lint-imports

format: $(DEV) ## Bring all files into shape
	$(VENV)/bin/ruff check --fix bot tests benchmarks scripts
	$(VENV)/bin/ruff format bot tests benchmarks scripts

coverage: $(DEV) ## Branch coverage of the pure floors by their unit tests and properties; fails below 98 % (about six minutes)
	$(VENV)/bin/python -m coverage run --source=$(PURE) -m pytest -q -p no:xdist tests/unit tests/properties $(SLOWED) $(ARGS)
	$(VENV)/bin/python -m coverage report --fail-under=98

faults: $(DEV) ## The crash matrix on both databases, and the model test at length (about half an hour)
	@$(VENV)/bin/python -m tests.faults $(ARGS)

disturbed: $(DEV) ## Whole stories while disks fill, databases lock, connections break and replicas die (about a quarter of an hour)
	$(VENV)/bin/python -m pytest -q -m disturbed tests/e2e tests/contract $(ARGS)

bench: $(DEV) ## Speed, memory and API calls, measured
	$(VENV)/bin/python -m benchmarks $(ARGS)

docs: $(DEV) ## Reference pages from the code
	$(VENV)/bin/python scripts/reference.py

hooks: ## Let git call the same targets before a commit and a push
	git config core.hooksPath scripts/hooks

lock: ## Lock the dependencies of pyproject.toml anew, with hashes
	$(PYTHON) -m venv $(VENV) && $(VENV)/bin/pip install -q uv
	$(VENV)/bin/uv pip compile --generate-hashes --no-emit-index-url --no-annotate --no-header -q --python-version 3.11 --universal --extra build --extra charts pyproject.toml -o requirements.txt
	$(VENV)/bin/uv pip compile --generate-hashes --no-emit-index-url --no-annotate --no-header -q --python-version 3.11 --universal --extra dev --extra build -c requirements.txt pyproject.toml -o requirements-dev.txt

audit: $(DEV) ## Known weaknesses of what the locks pin, by pip-audit (needs the network; says so when it cannot look)
	$(VENV)/bin/python scripts/audit.py $(ARGS)

sbom: $(DEV) ## The bill of materials of what serve runs, CycloneDX (build/sbom.cdx.json)
	@$(VENV)/bin/python scripts/sbom.py $(ARGS)

clean: ## Remove what was made here
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .state build *.egg-info

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "error: Python 3.11 or later is needed; set PYTHON=/path/to/python3.11"; exit 2; }
	$(PYTHON) -m venv $(VENV)

$(RUN): requirements.txt pyproject.toml | $(VENV)/bin/python
	@echo "setting up: installing locked dependencies into $(VENV) (once; about a minute)"
	@$(VENV)/bin/python -m pip install -q --no-compile --disable-pip-version-check --require-hashes -r requirements.txt
	@$(VENV)/bin/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@$(WARM)
	@touch $@

$(DEV): requirements-dev.txt pyproject.toml | $(VENV)/bin/python
	@echo "setting up: installing locked development dependencies into $(VENV) (once; about two minutes)"
	@$(VENV)/bin/python -m pip install -q --no-compile --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@$(VENV)/bin/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@$(WARM)
	@touch $@ $(RUN)
