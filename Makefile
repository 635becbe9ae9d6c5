PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: run test soak lint fix docs help

run: $(VENV)/.run ## Start everything; PORT and ORCHARD_DATA are honoured
	@exec $(BIN)/python manage.py up

# A module is tried whole by one of up to four processes: its servers start once.
test: $(VENV)/.test ## Run all tests; ARGS="…" goes to pytest (one test: ARGS="-n 0 tests/…")
	@$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadscope $(ARGS)

soak: $(VENV)/.test ## Break everything 20 times under load (takes hours); SOAK_ROUNDS, SOAK_SEED
	@SOAK_ROUNDS=$${SOAK_ROUNDS:-20} SOAK_JOBS=$${SOAK_JOBS:-200} SOAK_CHUNKS=$${SOAK_CHUNKS:-20} \
	SOAK_AGENTS=$${SOAK_AGENTS:-8} SOAK_PAUSE_S=$${SOAK_PAUSE_S:-30} SOAK_PATIENCE_S=$${SOAK_PATIENCE_S:-1800} \
	$(BIN)/python -m pytest -s tests/faults/test_interleavings.py tests/faults/test_storms.py \
	tests/faults/test_races_in_storms.py tests/faults/test_failovers.py tests/doctor/test_damage.py $(ARGS)

lint: $(VENV)/.test ## Check style, types and the direction of imports
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

fix: $(VENV)/.test ## Mend what can be mended by itself
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

docs: $(VENV)/.test ## Build the site of the docs into var/site; what is wrong in it ends the build
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict
	@echo "The site begins at var/site/index.html"

help: ## Show this help
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/'

# The stamps are touched last: what was interrupted is done again.
$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Orchard needs Python 3.11 or newer; name one with PYTHON=…")'
	@echo "Preparing $(VENV) …"
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.run: constraints.txt requirements.txt requirements-agent.txt $(VENV)/.made
	@echo "Installing what Orchard needs (once) …"
	@$(BIN)/pip install --quiet -c constraints.txt -r requirements.txt -r requirements-agent.txt
	@touch $@

$(VENV)/.test: requirements-test.txt requirements-tracing.txt $(VENV)/.run
	@echo "Installing what the tests need (once) …"
	@$(BIN)/pip install --quiet -c constraints.txt -r requirements-test.txt -r requirements-tracing.txt
	@touch $@
