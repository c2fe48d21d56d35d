# Everything runs in .venv, which the first target that needs it makes.
PYTHON ?= python3
BIN := .venv/bin
APT := $(shell [ "$$(id -u)" = 0 ] && command -v apt-get)

.PHONY: demo test lint bench deps messages
.DEFAULT_GOAL := demo

demo: .venv/.installed ## The station in this repository, built and pushed to a local sandbox
	@$(BIN)/gengfu demo $(ARGS)

test: .venv/.developing deps ## All tests; ARGS goes to pytest
	$(BIN)/python -m pytest $(ARGS)

lint: .venv/.developing ## Format, lint, types, floors
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: .venv/.developing ## Measurements into docs/performance.md; ARGS chooses: make bench ARGS="build edit"
	$(BIN)/python -m bench $(ARGS)

deps: .venv/.developing .venv/nu ## What tests want beside Python: a Chromium, a PostgreSQL, nginx, systemd's checker, the Nu Html Checker
ifneq ($(APT),)
	@command -v chromium >/dev/null && command -v /usr/lib/postgresql/*/bin/initdb >/dev/null && \
	  command -v nginx >/dev/null && command -v systemd-analyze >/dev/null || \
	  { apt-get update -q && \
	    apt-get install -qy --no-install-recommends chromium fonts-noto-cjk postgresql nginx-light systemd; }
else
	@command -v chromium >/dev/null || $(BIN)/playwright install chromium || true
endif

.venv/nu: .venv/.installed
ifneq ($(APT),)
	@command -v java >/dev/null && command -v npm >/dev/null || \
	  { apt-get update -q && apt-get install -qy --no-install-recommends default-jre-headless npm; }
endif
	@! command -v npm >/dev/null || \
	  npm install --silent --ignore-scripts --no-save --no-package-lock --prefix $@ "vnu-jar@>=25 <27"
	@mkdir -p $@ && touch $@

messages: .venv/.developing ## Collect the wording into the English catalogue, then compile it
	$(BIN)/pybabel -q extract --no-location --sort-output -F templates/babel.cfg -o .venv/gengfu.pot .
	$(BIN)/pybabel -q update --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date \
	  -D gengfu -l en -i .venv/gengfu.pot -d templates/gengfu_templates/locale
	$(BIN)/pybabel -q compile -D "gengfu click" -d templates/gengfu_templates/locale

.venv/.installed: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "gengfu needs Python 3.11 or newer: make demo PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "This Python has no venv. On Debian or Ubuntu: sudo apt-get install -y python3-venv"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q --disable-pip-version-check -e .
	@touch $@

.venv/.developing: .venv/.installed
	$(BIN)/python -m pip install -q --disable-pip-version-check -e .[dev]
	@touch $@
