# Everything a developer types. A fresh machine needs Python 3.11 or newer, and make.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Set to a folder of real TLC files to run the tests that need them.
export TAXIETL_TLC_DATA
DEMO := .demo

.DEFAULT_GOAL := help
.PHONY: help install lock demo lint format test test-duckdb-1.5 torture bench clean

help: ## List these targets
	@awk -F ':.*## ' '/^[a-z0-9.-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(VENV)/installed ## Set up .venv with the pinned packages and taxietl itself

$(VENV)/installed: requirements-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "taxietl needs Python 3.11 or newer; this is $$($(PYTHON) -V). Try: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

lock: install ## Pin the packages anew, with hashes
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --upgrade \
		--generate-hashes --no-header --no-annotate --no-emit-index-url --quiet -o requirements-dev.txt

demo: install ## The main job: make a month, ingest it twice, look at it
	@rm -rf $(DEMO); mkdir -p $(DEMO)/files
	@echo '$$ taxietl generate --color yellow --year 2021 --month 1 --out $(DEMO)/files/yellow_tripdata_2021-01.csv.gz'
	@$(BIN)/taxietl --home $(DEMO) generate --color yellow --year 2021 --month 1 \
		--out $(DEMO)/files/yellow_tripdata_2021-01.csv.gz
	@echo; echo '$$ taxietl ingest --color yellow --year 2021 --month 1 --source $(DEMO)/files'
	@$(BIN)/taxietl --home $(DEMO) ingest --color yellow --year 2021 --month 1 --source $(DEMO)/files
	@echo; echo '$$ taxietl ingest --color yellow --year 2021 --month 1 --source $(DEMO)/files -q      # again'
	@$(BIN)/taxietl --home $(DEMO) ingest --color yellow --year 2021 --month 1 --source $(DEMO)/files -q
	@echo; echo '$$ taxietl runs ls'
	@$(BIN)/taxietl --home $(DEMO) runs ls --limit 3
	@echo; echo '$$ taxietl runs show yellow-2021-01'
	@$(BIN)/taxietl --home $(DEMO) runs show yellow-2021-01
	@echo; echo '$$ taxietl sql "SELECT …"'
	@$(BIN)/taxietl --home $(DEMO) sql "SELECT payment_type, count(*) AS trips, \
		round(sum(total_amount), 2) AS dollars FROM yellow_trips GROUP BY ALL ORDER BY ALL"

lint: install ## Format, ruff and mypy
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: install ## Put the code into its form
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

test: install ## The whole suite
	$(BIN)/pytest -n 2 -m 'not torture'

ON_DUCKDB := $(wildcard tests/load/test_*.py) tests/load/lake/test_query.py tests/flows \
	$(addprefix tests/cli/test_,ingest.py inspect.py profiles_check.py sql.py verify.py zones.py) \
	$(addprefix tests/acceptance/test_,every_era.py interrupted.py whole_months.py)

test-duckdb-1.5: .venv-duckdb-1.5/installed ## What touches DuckDB, with the oldest version supported
	.venv-duckdb-1.5/bin/pytest -n 2 -m 'not torture' -k 'not postgres and not http' $(ON_DUCKDB)

.venv-duckdb-1.5/installed: $(VENV)/installed
	$(PYTHON) -m venv .venv-duckdb-1.5
	.venv-duckdb-1.5/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	.venv-duckdb-1.5/bin/python -m pip install --quiet --disable-pip-version-check 'duckdb==1.5.*'
	.venv-duckdb-1.5/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

torture: install ## Loops of over 30 seconds, seeds and counts printed
	$(BIN)/pytest -m torture -s

bench: install ## Figures, beside DuckDB's own reading, gunzip | psql, Prefect and Luigi
	@mkdir -p $(DEMO)/bench
	@test -f $(DEMO)/bench/yellow_tripdata_2021-01.csv.gz || $(BIN)/taxietl generate --color yellow \
		--year 2021 --month 1 --out $(DEMO)/bench/yellow_tripdata_2021-01.csv.gz
	$(BIN)/python bench/startup.py
	$(BIN)/python bench/tasks.py
	$(BIN)/python bench/orchestrators.py
	$(BIN)/python bench/duckdb_load.py $(DEMO)/bench/yellow_tripdata_2021-01.csv.gz
	$(BIN)/python bench/postgres_load.py $(DEMO)/bench/yellow_tripdata_2021-01.csv.gz

clean: ## Remove what these targets made
	rm -rf $(VENV) .venv-duckdb-1.5 $(DEMO) .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist
