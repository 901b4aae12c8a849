# make demo    carry a small DNA encoder to 16x: six methods zero-shot, one fine-tuned; tables, pictures, a page
# make study   every method, zero-shot and fine-tuned, three seeds: hours on two cores; resumable
# make test    every test, two files at a time (PYTEST_ARGS="-m 'not slow'" for the quick ones)
# make lint    ruff
# make docs    the documentation site, in build/site; a warning is an error
# make monitor-demo  a tiny run and its live page
# make bench   speed and memory against upstream's encoder
# make depmap-demo  dependency maps of sequences whose answer is known, on a CPU
# make readme  the numbers and the picture of README.md and the report's page, from committed results

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV ?= .venv
BIN := $(VENV)/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: setup demo study monitor-demo test lint docs bench readme pretrain-tiny depmap-demo clean

setup: $(VENV)/installed

# torch first, in a command of its own: with the rest pip takes the CUDA build where there is a CPU
# one. The lock is complete, so nothing is left to resolve; `pip check` proves it.
$(VENV)/installed: constraints.txt pyproject.toml
	$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(None if v == (3, 11) else f"Python 3.11 is needed, {v[0]}.{v[1]} was found. Say where it is: make PYTHON=/path/to/python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --no-compile --disable-pip-version-check -c constraints.txt torch==2.13.0
	$(BIN)/pip install --quiet --no-compile --disable-pip-version-check --no-deps -r constraints.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	$(BIN)/pip check
	touch $@

demo: setup
	$(BIN)/mgen-lc study experiments/long_context/demo/demo.yaml --output runs/demo --jobs 2
	$(BIN)/mgen-lc report runs/demo --output runs/demo/report

study: setup
	$(BIN)/mgen-lc study experiments/long_context/sweep/tiny.yaml --jobs 2
	$(BIN)/mgen-lc report experiments/long_context/sweep/results/tiny --output report

monitor-demo: setup
	bash experiments/long_context/monitor_demo/run.sh

# A thread each: two files at a time fill two cores.
test: setup
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile $(PYTEST_ARGS)

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

docs: setup
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

bench: setup
	$(BIN)/python benchmarks/encoder.py
	$(BIN)/python benchmarks/training.py

readme: setup
	$(BIN)/python experiments/long_context/fill_readme.py
	$(BIN)/mgen-lc report experiments/long_context/sweep/results/tiny experiments/long_context/helix/results/ablations/*/helix*.json --output build/report
	cp build/report/report.html docs/report.html

depmap-demo: setup
	$(BIN)/python experiments/long_context/depmap/demo.py

pretrain-tiny: setup
	bash experiments/long_context/pretrain_tiny/run.sh

clean:
	rm -rf $(VENV) build dist
