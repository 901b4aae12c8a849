# make demo    carry a small DNA encoder to 16x: before, fine-tune, after; a table and a picture
# make test    every test (PYTEST_ARGS="-m 'not slow'" for the quick ones)
# make lint    ruff
# make bench   speed and memory against upstream's encoder
# make readme  the numbers and the picture of README.md, from committed results

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV ?= .venv
BIN := $(VENV)/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: setup demo test lint bench readme pretrain-tiny clean

setup: $(VENV)/installed

# torch first, in a command of its own: with the rest pip takes the CUDA build where there is a CPU
# one. The lock is complete, so nothing is left to resolve; `pip check` proves it.
$(VENV)/installed: constraints.txt pyproject.toml
	$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(None if v == (3, 11) else f"Python 3.11 is needed, {v[0]}.{v[1]} was found. Say where it is: make PYTHON=/path/to/python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt torch==2.13.0
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps -r constraints.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	$(BIN)/pip check
	touch $@

demo: setup
	$(BIN)/python experiments/long_context/demo/demo.py

test: setup
	$(BIN)/python -m pytest $(PYTEST_ARGS)

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

bench: setup
	$(BIN)/python benchmarks/encoder.py

readme: setup
	$(BIN)/python experiments/long_context/fill_readme.py

pretrain-tiny: setup
	bash experiments/long_context/pretrain_tiny/run.sh

clean:
	rm -rf $(VENV) build dist
