# Two commands do everything on a fresh machine with Python 3.11+ and make: `make demo`, `make test`.
# Each target sets up what it needs and is quick the second time.

PYTHON ?= python3
BIN    := .venv/bin
STAMPS := .make
FRONT  := $(shell find frontend -type f -not -path '*/node_modules/*' 2>/dev/null)

.PHONY: demo test test-slow check bench docs messages screenshots format clean help

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

demo: $(STAMPS)/base  ## set up, index the synthetic museum, serve it (SERVE=0: search once, print JSON)
	@if [ -t 1 ] && [ "$${SERVE:-1}" != "0" ]; then \
		$(BIN)/bilderatlas demo; \
	else \
		$(BIN)/bilderatlas demo --no-serve --json; \
	fi

test: $(STAMPS)/dev $(STAMPS)/chromium  ## all tests, the fault and fuzz campaigns in small
	$(BIN)/pytest -n 2 --dist loadfile

test-slow: $(STAMPS)/dev $(STAMPS)/chromium  ## the fault and fuzz campaigns in full
	$(BIN)/pytest -n 2 --dist loadfile -m slow --timeout=3000

check: $(STAMPS)/dev  ## style, types, front end types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python frontend/build.py --check

bench: $(STAMPS)/dev  ## every benchmark; PAINTINGS=FOLDER adds those on real pictures
	$(BIN)/python benchmarks/run.py $(if $(PAINTINGS),--paintings $(PAINTINGS))

docs: $(STAMPS)/dev  ## write the generated pages of docs/
	$(BIN)/python docs/generate.py

messages: $(STAMPS)/dev  ## collect the texts of the interface for translation: src/bilderatlas/web/locale
	$(BIN)/python -m bilderatlas.web.messages

screenshots: $(STAMPS)/dev $(STAMPS)/chromium  ## every page, three widths, light and dark: screenshots/
	$(BIN)/bilderatlas demo --no-serve --library $(STAMPS)/museum
	$(BIN)/python docs/take_pictures.py $(STAMPS)/museum

format: $(STAMPS)/dev  ## format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:  ## remove the environment and everything built
	rm -rf .venv $(STAMPS) frontend/node_modules src/bilderatlas/web/static

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Bilderatlas needs Python 3.11 or newer; name one with: make PYTHON=python3.12 …")'
	@$(PYTHON) -m venv .venv

$(STAMPS)/base: pyproject.toml constraints.txt hatch_build.py $(FRONT) | $(BIN)/python
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/dev: $(STAMPS)/base
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[lab,dev]'
	@touch $@

# Playwright drives the system's Chromium; Debian and Ubuntu get it here, others install it by hand.
$(STAMPS)/chromium:
	@mkdir -p $(STAMPS)
	@if command -v chromium chromium-browser google-chrome >/dev/null 2>&1; then :; \
	elif command -v apt-get >/dev/null 2>&1; then \
		SUDO=$$([ "$$(id -u)" = 0 ] || echo sudo); \
		$$SUDO apt-get update -qq && $$SUDO apt-get install -y -qq --no-install-recommends chromium >/dev/null; \
	else echo "No Chromium found: install it, or the browser tests are skipped."; fi
	@touch $@
