# make demo       everything once, on synthetic scenes
# make test       lint and all tests
# make test-fast  lint and the tests that are quick
# make test-min   all tests with the lowest versions of the dependencies
# make lint       ruff, mypy and the import rules; `make format` repairs what ruff can
# make dist       sdist and wheel
PYTHON ?= python3
VENV := .venv
REQUIREMENTS := requirements.txt
BIN := $(VENV)/bin
READY := $(VENV)/ready

.PHONY: demo test test-fast test-min lint format env dist clean

demo: $(READY)
	$(BIN)/python tools/demo.py

test: lint
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n 2 --dist loadfile

test-fast: lint
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n 2 --dist loadfile -m 'not slow'

# The tests with the lowest versions that setup.cfg claims, in a virtual environment of their own.
test-min:
	$(MAKE) env VENV=.venv-min REQUIREMENTS=requirements-min.txt
	OMP_NUM_THREADS=1 .venv-min/bin/python -m pytest -q -n 2 --dist loadfile

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

env: $(READY)

# One virtual environment for every target. It is updated when one of these files changes.
$(READY): $(REQUIREMENTS) setup.cfg pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { echo "Python 3.10 or newer is needed: make PYTHON=python3.11 $(MAKECMDGOALS)" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --disable-pip-version-check -r $(REQUIREMENTS)
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --editable .
	@touch $@

# The sdist, and the wheel made from it, with the setuptools of requirements.txt: nothing is fetched.
dist: $(READY)
	rm -rf build dist *.egg-info  # of an earlier build: setuptools would go on from them
	$(BIN)/python -m build --no-isolation --outdir dist .

clean:
	rm -rf $(VENV) .venv-min demo build dist *.egg-info
