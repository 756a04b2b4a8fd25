# Everything a developer types. A fresh machine needs Python 3.11 or newer, and make.

PYTHON ?= python3
VERSION := $(shell $(PYTHON) -c 'import platform; print(platform.python_version())')
DEMO_VENV := .venv-demo
VENV := .venv
OLD_DUCKDB_VENV := .venv-duckdb-1.5
BIN := $(VENV)/bin
# Set to a folder of real TLC files to run the tests that need them.
export TAXIETL_TLC_DATA
DEMO := .demo

.DEFAULT_GOAL := help
.PHONY: help install lock demo lint format test test-without-servers test-dates test-duckdb-1.5 torture bench screenshots clean

help: ## List these targets
	@awk -F ':.*## ' '/^[a-z0-9.-]+:.*## / {printf "  make %-21s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(VENV)/installed-$(VERSION) ## Set up .venv with the locked packages and taxietl itself

# A lock is complete, so no resolver runs: what is released later changes nothing, and `pip check`
# proves the lock complete. A changed lock, or another Python, makes the environment anew.
PIP = $(@D)/bin/python -m pip --quiet --disable-pip-version-check
%/installed-$(VERSION):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "taxietl needs Python 3.11 or newer; this is $(VERSION). Try: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv --clear $(@D)
	$(foreach lock,$(filter %.txt,$^),$(PIP) install --no-deps --require-hashes --only-binary :all: -r $(lock) &&) \
	$(PIP) install --no-deps --no-build-isolation --editable . && $(PIP) check
	@touch $@

$(DEMO_VENV)/installed-$(VERSION): requirements.txt pyproject.toml
$(VENV)/installed-$(VERSION): requirements-dev.txt pyproject.toml
$(OLD_DUCKDB_VENV)/installed-$(VERSION): requirements-dev.txt requirements-duckdb-1.5.txt pyproject.toml

LOCK = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --upgrade --generate-hashes \
	--only-binary :all: --no-header --no-annotate --no-emit-index-url
lock: install ## Lock the newest packages, with hashes
	$(BIN)/python -m pip install --quiet uv
	$(LOCK) pyproject.toml --extra dev -o requirements-dev.txt
	$(LOCK) pyproject.toml --extra schedule --extra ui --extra alerts --group build --constraint requirements-dev.txt -o requirements.txt
	echo 'duckdb==1.5.*' | $(LOCK) --no-deps - -o requirements-duckdb-1.5.txt

demo: $(DEMO_VENV)/installed-$(VERSION) ## The main job: make a month, ingest it twice, look at it
	@rm -rf $(DEMO); mkdir -p $(DEMO)/files
	@echo '$$ taxietl generate --color yellow --year 2021 --month 1 --out $(DEMO)/files/yellow_tripdata_2021-01.csv.gz'
	@$(DEMO_VENV)/bin/taxietl --home $(DEMO) generate --color yellow --year 2021 --month 1 \
		--out $(DEMO)/files/yellow_tripdata_2021-01.csv.gz
	@echo; echo '$$ taxietl ingest --color yellow --year 2021 --month 1 --source $(DEMO)/files'
	@$(DEMO_VENV)/bin/taxietl --home $(DEMO) ingest --color yellow --year 2021 --month 1 --source $(DEMO)/files
	@echo; echo '$$ taxietl runs show yellow-2021-01'
	@$(DEMO_VENV)/bin/taxietl --home $(DEMO) runs show yellow-2021-01
	@echo; echo '$$ taxietl ingest --color yellow --year 2021 --month 1 --source $(DEMO)/files -q      # again'
	@$(DEMO_VENV)/bin/taxietl --home $(DEMO) ingest --color yellow --year 2021 --month 1 --source $(DEMO)/files -q
	@echo; echo '$$ taxietl runs ls'
	@$(DEMO_VENV)/bin/taxietl --home $(DEMO) runs ls --limit 3
	@echo; echo '$$ taxietl sql "SELECT …"'
	@$(DEMO_VENV)/bin/taxietl --home $(DEMO) sql "SELECT payment_type, count(*) AS trips, \
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

test-without-servers: install ## What starts neither PostgreSQL nor another server of its own
	$(BIN)/pytest -n 2 -m 'not torture and not server'

# Under faketime a short sleep whose end has passed is an error, as where a process is awaited.
NOT_FAKED := at_once or RequestToStop or eight_times or big_cache
test-dates: install ## What looks at the calendar, as it will be 400 days from now
	@command -v faketime >/dev/null || { echo "There is no faketime (apt-get install faketime): skipped."; exit 0; }; \
	echo "The tests marked 'dates', 400 days from now:"; \
	FAKETIME_DONT_FAKE_MONOTONIC=1 faketime -f +400d \
		$(BIN)/pytest -n 2 -m 'dates and not torture' -k 'not ($(NOT_FAKED))'

ON_DUCKDB := $(wildcard tests/load/test_*.py) tests/load/duckdb tests/load/lake/test_query.py tests/flows tests/from_python \
	$(addprefix tests/cli/test_,ingest.py inspect.py profiles_check.py sql.py verify.py zones.py) \
	$(addprefix tests/acceptance/test_,every_era.py interrupted.py whole_months.py)

test-duckdb-1.5: $(OLD_DUCKDB_VENV)/installed-$(VERSION) ## What touches DuckDB, with the oldest version supported
	$(OLD_DUCKDB_VENV)/bin/pytest -n 2 -m 'not torture' -k 'not postgres and not http' $(ON_DUCKDB)

torture: install ## Loops of over 30 seconds, seeds and counts printed
	$(BIN)/pytest -m torture -s -o faulthandler_timeout=1800

bench: install ## Figures, beside DuckDB's own reading, gunzip | psql, Prefect and Luigi
	@mkdir -p $(DEMO)/bench
	@test -f $(DEMO)/bench/yellow_tripdata_2021-01.csv.gz || $(BIN)/taxietl generate --color yellow \
		--year 2021 --month 1 --out $(DEMO)/bench/yellow_tripdata_2021-01.csv.gz
	$(BIN)/python bench/startup.py
	$(BIN)/python bench/tasks.py
	$(BIN)/python bench/orchestrators.py
	$(BIN)/python bench/duckdb_load.py $(DEMO)/bench/yellow_tripdata_2021-01.csv.gz
	$(BIN)/python bench/postgres_load.py $(DEMO)/bench/yellow_tripdata_2021-01.csv.gz
	$(BIN)/python bench/many_months.py
	$(BIN)/python bench/ui_pages.py
	$(BIN)/python bench/ui_overhead.py $(DEMO)/bench/yellow_tripdata_2021-01.csv.gz

screenshots: install ## The pictures of the dashboard in README and docs, taken anew
	$(BIN)/python docs/screenshots.py

clean: ## Remove what these targets made
	rm -rf .venv .venv-* $(DEMO) .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist
