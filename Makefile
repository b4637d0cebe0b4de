# Needs Python 3.11 or newer and make. Everything else is installed into .venv.

# The first of these that is new enough; PYTHON=… chooses another.
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$python"; exit; }; \
	done; echo python3)
BIN := .venv/bin
RUN := $(BIN)/python -m devstack run --
INSTALL := $(PYTHON) devstack/install.py
TEST_WORKERS ?= auto
TESTS ?=

.DEFAULT_GOAL := help
.PHONY: help demo test check format migrations schemas bench reset install install-dev lock

help: ## list the commands
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22

demo: install ## start everything with demo data; PORT, CRM_DATA_DIR, RATE_LIMITS and the rest of .env.example apply
	@$(BIN)/python -m devstack demo --stop-with-parent

test: install-dev ## run all tests in parallel; TESTS=tests/core narrows them
	@$(BIN)/python -m pytest -n $(TEST_WORKERS) $(TESTS)

check: install-dev ## format, lint, types, import contracts, migrations, OpenAPI files
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	CRM_ENV=test $(BIN)/mypy
	$(BIN)/lint-imports
	$(RUN) sh -e -c '$(BIN)/python manage.py makemigrations --check --dry-run && $(BIN)/python manage.py export_schemas --check'

format: install-dev ## format the code and fix what can be fixed safely
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

migrations: install-dev ## write the migrations that the models need
	$(RUN) $(BIN)/python manage.py makemigrations
	$(BIN)/ruff format -q .

schemas: install-dev ## write the OpenAPI files of the three APIs to docs/openapi
	$(RUN) $(BIN)/python manage.py export_schemas

bench: install-dev ## measure; what and how is in benchmarks/
	@$(BIN)/python -m benchmarks $(BENCH)

reset: install ## remove the demo's data; refuses while it runs
	@$(BIN)/python -m devstack reset

install: ## make .venv with what the product needs
	@$(INSTALL) requirements.txt

install-dev: ## the same with the tools of development
	@$(INSTALL) requirements.txt requirements-dev.txt

lock: ## pin requirements*.in anew (needs uv)
	uv pip compile --universal --python-version 3.11 --no-emit-index-url --no-header --annotation-style line requirements.in -o requirements.txt
	uv pip compile --universal --python-version 3.11 --no-emit-index-url --no-header --annotation-style line requirements-dev.in -o requirements-dev.txt
