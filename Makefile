# One entry point. Everything happens in .venv; the system's Python only makes it.
#   make run     train and compare the lab's models, and say where the charts are
#   make test    run the tests
#   make test-oldest, test-newest    with the oldest packages that pyproject.toml admits, the newest
#   make test-corpus, coverage       the examiner's whole corpus; branch coverage, file by file
#   make test-install    build wheel and sdist, install both in empty environments, run them
#   make lint    style and types
#   make docs    build the site into build/site, with its examples executed, and check its links
#   make library write what follows from the files of the library
#   make bench   measure
#   make figures measure what docs/benchmarks.md and docs/times.json show, and write it there
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

# A scikit-learn cache that lies beside the checkout is used, unless the user names another.
BESIDE := $(abspath $(wildcard ../shared/scikit_learn_data))
ifneq ($(BESIDE),)
export SCIKIT_LEARN_DATA ?= $(BESIDE)
endif

.PHONY: run test test-oldest test-newest test-corpus test-install coverage check-version lint \
  format docs library bench figures clean

run: $(READY)
	@$(BIN)/derivable compare $(ARGS)

test: $(READY)
	@$(BIN)/python -m pytest $(ARGS)

# What touches other packages: Functions and every way to run them, the examiner, descents,
# compiled loops, files, tables, commands.
OLDEST := $(addprefix tests/test_,$(addsuffix .py, \
  function function_authors functions by_hand context elementwise layers losses network problem \
  examination examiner_targets examiner_jax descent flow spectral optimisers checkpoint formula \
  kernels saved table_files extras typed distribution package))

test-oldest: .venv-oldest/.ready
	@.venv-oldest/bin/python -m pytest $(or $(ARGS),$(OLDEST))

test-newest: .venv-newest/.ready
	@.venv-newest/bin/python -m pytest $(ARGS)

test-corpus: $(READY)
	@DERIVABLE_CORPUS=all $(BIN)/python -m pytest $(addprefix tests/test_,$(addsuffix .py,corpus \
	  found_inputs benchmarks distributed estimator examiner_device labs_sheets)) $(ARGS)

test-install: $(READY)
	@$(BIN)/python tools/try_install.py

coverage: $(READY)
	@$(BIN)/python tools/measure_coverage.py $(ARGS)

check-version: $(READY)
	@test "$$($(BIN)/derivable --version)" = "derivable, version $(VERSION)" || \
	  { echo "the tag says $(VERSION), and the package: $$($(BIN)/derivable --version)"; exit 1; }

lint: $(READY)
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy

format: $(READY)
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

# Sphinx would keep pages of source code with the navigation of the build that wrote them.
docs: .venv/.docs
	@rm -rf build/site/_modules
	@$(BIN)/python -m sphinx -b html -W --keep-going --quiet -d build/doctrees docs build/site
	@$(BIN)/python tools/check_site.py build/site
	@echo "The site: build/site/index.html"

library: $(READY)
	@$(BIN)/python tools/write_library.py

bench: $(READY)
	@for script in benchmarks/[!_]*.py; do echo; echo "$$script"; $(BIN)/python $$script; done

figures: $(READY)
	@$(BIN)/python benchmarks/descent.py --seeds 10 --write docs/benchmarks.md
	@$(BIN)/python benchmarks/losses.py --write docs/benchmarks.md
	@$(BIN)/python benchmarks/scaling.py --grid --write docs/benchmarks.md
	@$(BIN)/python benchmarks/own_functions.py --write docs/benchmarks.md
	@$(BIN)/python benchmarks/startup.py --write docs/benchmarks.md
	@$(BIN)/python benchmarks/large.py --write docs/benchmarks.md
	@$(BIN)/python benchmarks/tabular.py --write docs/benchmarks.md
	@$(BIN)/python benchmarks/many_rows.py --write docs/benchmarks.md
	@$(BIN)/python benchmarks/scale.py --write docs/scale.md
	@$(BIN)/python benchmarks/library.py --write docs/times.json

# A virtual environment in the folder of its target, with what is said in the first argument.
define environment
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "derivable needs Python 3.11 or newer; name one: make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 1; }
	@echo "Setting up $(@D) (the first time takes a few minutes)"
	@$(PYTHON) -m venv $(@D) || \
	  { echo "Python's venv module is missing; on Debian and Ubuntu: apt install python3-venv"; exit 1; }
	@$(@D)/bin/python -m pip install --quiet --disable-pip-version-check $(1) --editable '.[dev]'
	@touch $@
endef

# The versions are exact, so that every machine runs the same code: see constraints.txt.
$(READY): pyproject.toml constraints.txt
	$(call environment,--constraint constraints.txt)

.venv-oldest/.ready: pyproject.toml constraints-oldest.txt
	$(call environment,--constraint constraints-oldest.txt)

# On Linux, PyPI's newest PyTorch brings several gigabytes of CUDA packages.
.venv-newest/.ready: pyproject.toml
	$(call environment,--upgrade)

.venv/.docs: $(READY)
	@echo "Installing what builds the site"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check \
	  --constraint constraints.txt --editable '.[docs]'
	@touch $@

clean:
	rm -rf .venv .venv-* build docs/api docs/gallery dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
