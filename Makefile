# Two commands do everything on a fresh machine: `make app` and `make test`.

# the newest that TensorFlow supports and that runs: pyenv leaves names on the path that do not
PYTHON ?= $(shell for python in python3.13 python3.12 python3.11 python3; do \
	if $$python -c 'import ensurepip' >/dev/null 2>&1; then break; fi; done; echo $$python)
VENV := .venv
BIN := $(VENV)/bin
# whoever reaches the app can train and write with it: only this machine, unless told otherwise
HOST ?= localhost
PORT ?= 8501

.PHONY: app test test-all browser-test check format models clean

# with the texts that the shipped models were trained on: the page Write marks what they copy;
# `HOST=0.0.0.0 make app` opens it to the network, for a class
app: $(VENV)/app.done build/corpora/ko.txt build/corpora/en.txt
	$(BIN)/python -m textgen app --host $(HOST) --port $(PORT)

# every module in a few minutes, with as many workers as there are cores; XLA compiles with less
# effort, which takes most of the time of a tiny training
PYTEST := $(BIN)/pytest -n auto --maxprocesses 8 --dist worksteal
FAST := -m "not slow and not browser"
test: export XLA_FLAGS := --xla_backend_optimization_level=0 --xla_cpu_parallel_codegen_split_count=1
test: $(VENV)/dev.done
	$(PYTEST) $(FAST)

# everything but what needs a browser, in parts, so that no worker takes more than 1.5 GB: TensorFlow
# gives a compiled program's memory back only when its process ends. The models that tests share are
# trained once for all parts. What `make test` takes comes first: it must touch every module.
FAST_PARTS := 1 2 3 4
SLOW_PARTS := 1 2 3 4 5 6 7 8 9 10 11 12
MODELS := build/tests/models
test-all: $(VENV)/dev.done
	rm -rf build/tests; mkdir -p build/tests
	$(BIN)/coverage erase
	set -e; for part in $(FAST_PARTS); do \
		$(PYTEST) $(FAST) --part=$$part/$(words $(FAST_PARTS)) --models=$(MODELS) \
			--cov=textgen --cov-append --cov-report=; \
	done
	$(BIN)/coverage json -q -o build/tests/coverage.json
	$(BIN)/python tests/untouched.py build/tests/coverage.json
	set -e; for part in $(SLOW_PARTS); do \
		$(PYTEST) -m "slow and not browser" \
			--part=$$part/$(words $(SLOW_PARTS)) --models=$(MODELS); \
	done

# BROWSER names a Chromium
browser-test: $(VENV)/dev.done
	BROWSER=$${BROWSER:-$$(command -v chromium || command -v google-chrome)} $(BIN)/pytest -m browser

check: $(VENV)/dev.done
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/dev.done
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# every shipped model anew: texts from corpora/, settings from recipes/, and the two of a wave; only
# what is needed to write is kept
KEPT := config.json model.safetensors history.csv README.md
# of the run $(1) in the folder $(2)
keep = mkdir -p $(2); rm -f $(2)/*; cp $(addprefix $(1)/,$(KEPT) tokenizer.*) $(2)/
models: $(VENV)/app.done build/corpora/ko.txt build/corpora/en.txt build/corpora/wave.txt
	set -e; for recipe in recipes/*.toml; do \
		name=$$(basename $$recipe .toml); run=build/models/$$name; rm -rf $$run; \
		$(BIN)/textgen train --config $$recipe --out $$run; \
		$(call keep,$$run,models/$$name); \
	done
	set -e; for cell in rnn lstm; do \
		run=build/models/wave-$$cell; rm -rf $$run; \
		$(BIN)/textgen train build/corpora/wave.txt --out $$run --cell $$cell --hidden-size 64 \
			--epochs 80 --patience 80; \
		$(call keep,$$run,waves/$$cell); \
	done

build/corpora/%.txt: corpora/generate.py corpora/grammar_%.toml | $(VENV)/app.done
	mkdir -p build/corpora
	$(BIN)/python corpora/generate.py --language $* --characters 240000 --seed 1 --out $@

build/corpora/wave.txt: textgen/data/wave.py | $(VENV)/app.done
	mkdir -p build/corpora
	$(BIN)/python -m textgen.data.wave > $@

clean:
	rm -rf $(VENV)

# the first python on the path may be too new or too old for TensorFlow: say so in one line
$(BIN)/python:
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v <= (3, 13) else \
		f"error: {sys.executable} is Python {v[0]}.{v[1]}: textgen needs 3.11 to 3.13; make PYTHON=/path/to/one")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/app.done: requirements.txt $(wildcard requirements/*.txt) pyproject.toml | $(BIN)/python
	$(BIN)/pip install --disable-pip-version-check --quiet -r requirements.txt
	$(BIN)/pip install --disable-pip-version-check --quiet --no-deps -e .
	touch $@

$(VENV)/dev.done: requirements-dev.txt $(VENV)/app.done
	$(BIN)/pip install --disable-pip-version-check --quiet -r requirements-dev.txt
	touch $@
