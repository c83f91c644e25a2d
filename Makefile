# Two commands: `make sandbox` shows the bridge at work, `make test` checks all of it. Both set up what they need.
.PHONY: help sandbox self-test check unit-tests test tests tests-of-ntfy search lint bench fidelity monitoring dist deb sbom constraints new-platform clean

# most tests wait more than they compute: two workers a core
WORKERS ?= $(shell expr 2 \* $$(getconf _NPROCESSORS_ONLN))

help:
	@echo "make sandbox    set up and watch messages cross, no tokens needed (http://127.0.0.1:8090, or PORT=9000)"
	@echo "make self-test  the same without a page: a table of what crosses between which messengers"
	@echo "make check      format, lint, types, import rules and unit tests: before every commit, under a minute"
	@echo "make test       set up and run every check and test"
	@echo "make search     the property tests once more, with examples nobody has tried yet"
	@echo "make new-platform NAME=matrix  write the skeleton of an adapter (see docs/adding-a-platform.md)"
	@echo "make bench      measure speed and memory (see bench/README.md)"
	@echo "make fidelity   write docs/fidelity.md anew: what crosses between which messengers, and how"
	@echo "make monitoring  write the alert rules and the Grafana board of monitoring/ anew"
	@echo "make dist       build the wheel and the source package, with man page and completions, into dist/"
	@echo "make deb        build the Debian package, for the Python and the machine it is built on, into dist/"
	@echo "make sbom       write which packages it is built of (CycloneDX) into dist/"
	@echo "make constraints  renew the pinned versions and their hashes (of some packages alone: ONLY=\"aiohttp yarl\")"

sandbox:
	@scripts/setup.sh run
	@.venv/bin/messenger-bridge sandbox $(if $(PORT),--port $(PORT))

self-test:
	@scripts/setup.sh run
	@.venv/bin/messenger-bridge sandbox --self-test

lint:
	@scripts/setup.sh test
	.venv/bin/python scripts/environment.py
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/lint-imports

# The checks of the code run beside the tests: mypy uses one core for most of its time.
# Here: what needs no event loop, no process and no disk of its own: the decisions, the texts, the codecs.
check:
	@scripts/setup.sh test
	@$(MAKE) --no-print-directory -j2 lint unit-tests

unit-tests:
	.venv/bin/pytest -n auto -q -m "not asyncio and not slow" --hypothesis-profile=quick tests/bridge tests/adapters \
	    tests/layout/test_docs.py $(addprefix --ignore tests/bridge/,cli journal delivery)

test:
	@scripts/setup.sh test
	@$(MAKE) --no-print-directory -j3 lint tests tests-of-ntfy

tests:
	.venv/bin/pytest -n $(WORKERS) --dist worksteal

tests-of-ntfy:
	.venv-ntfy/bin/python -m pytest -n 1 -q --platform ntfy tests/conformance examples/ntfy

search: lint
	.venv/bin/pytest -n auto -m hypothesis --hypothesis-profile=search

bench:
	@scripts/setup.sh test
	.venv/bin/python -m bench

# docs/fidelity.md, from messages that are really sent; the tests fail when it is out of date
fidelity:
	@scripts/setup.sh test
	FIDELITY=write .venv/bin/pytest -q tests/fidelity

# the tests fail when these are out of date
monitoring:
	@scripts/setup.sh run
	@.venv/bin/messenger-bridge monitoring monitoring

dist:
	@scripts/setup.sh run
	@scripts/dist.sh

deb:
	@scripts/setup.sh run
	@scripts/deb.sh

sbom:
	@scripts/setup.sh run
	@scripts/sbom.sh

constraints:
	scripts/constraints.sh $(ONLY)

new-platform:
	@scripts/setup.sh test
	@.venv/bin/python scripts/new_platform.py $(if $(NAME),$(NAME),$(error NAME is missing: make new-platform NAME=matrix))
	@.venv/bin/ruff check -q --fix adapters/$(NAME)

clean:
	rm -rf .venv .venv-nextcord .venv-ntfy .node .debian .mypy_cache .ruff_cache .pytest_cache .hypothesis build *.egg-info
