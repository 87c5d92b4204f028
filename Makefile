# make demo       everything once, on synthetic scenes
# make test       lint and all tests
# make test-fast  lint and the tests that are quick
# make test-min   all tests with the lowest versions of the dependencies
# make test-upstream   all tests with the original packages instead of the maintained forks
# make lint       ruff, mypy and the import rules; `make format` repairs what ruff can
# make dist       sdist and wheel
PYTHON ?= python3
VENV := .venv
REQUIREMENTS := requirements.txt
BIN := $(VENV)/bin
READY := $(VENV)/ready

.PHONY: demo test test-fast test-min test-upstream lint format env dist clean

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

# The tests with the original packages of OpenMMLab. mmcv is built on the first call, which takes half an hour on two cores, and
# its wheel is kept in the user's cache for this Python and torch. RECORD=FILE.json keeps what passed, failed and was skipped.
UPSTREAM := .venv-upstream
UPSTREAM_PIP := $(UPSTREAM)/bin/python -m pip --disable-pip-version-check
CACHE := $(or $(REPVGG_SEG_CACHE),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/repvgg_seg)

test-upstream:
	test -d $(UPSTREAM) || $(PYTHON) -m venv $(UPSTREAM)
	$(UPSTREAM_PIP) install -q $$(grep -E '^(torch|setuptools|wheel|ninja|psutil)==' requirements-upstream.txt)
	wheels=$(CACHE)/wheels/$$($(UPSTREAM)/bin/python -c 'import sys, torch; print(sys.implementation.cache_tag, torch.__version__, sep="-torch-")') && \
	mmcv=$$(grep '^mmcv==' requirements-upstream.txt) && \
	{ $(UPSTREAM_PIP) download -q --no-deps --no-index --find-links $$wheels --dest $(UPSTREAM)/found $$mmcv 2> /dev/null || \
	  MMCV_WITH_OPS=1 $(UPSTREAM_PIP) wheel --no-build-isolation --no-deps --no-binary mmcv --wheel-dir $$wheels $$mmcv; } && \
	$(MAKE) env VENV=$(UPSTREAM) REQUIREMENTS=requirements-upstream.txt PIP_FIND_LINKS=$$wheels PIP_ONLY_BINARY=mmcv
	OMP_NUM_THREADS=1 $(UPSTREAM)/bin/python -m pytest -q -n 2 --dist loadfile $(if $(RECORD),--record=$(RECORD))

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
	rm -rf $(VENV) .venv-min $(UPSTREAM) demo build dist *.egg-info
