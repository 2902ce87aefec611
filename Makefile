# Every target works from a bare checkout: the virtual environment, the build and the install are made as
# needed and remade when a source changes.

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
# What runs the compiled code, which the targets that build or choose it anew repeat; TESTS=tests repeats everything.
CORE := arrays boundary chain circuit closure exp kernels log matrix memory polynomial polynomial_map regions_kernel \
	semiring sizes sparse special_values threads transform
# What of them runs all kernels anyway, or none that there are several of.
ALL_KERNELS := arrays memory regions_kernel sizes
# What takes the branches of the search for regions besides, which no choice of kernels changes.
REGIONS := regions regions_search
FRAMEWORK_TESTS := dask torch keras equinox symbols codegen pontryagin systems system_forms learned training \
	transformer scaling
# By the names of tests or files; the other tests have run without.
NEEDS_FRAMEWORK := torch or keras or equinox or jax or dask or zarr or dimension
TESTS ?= $(CORE:%=tests/tropical/test_%.py)
PIP = $(BIN)/pip install --quiet --disable-pip-version-check --no-compile
SIDE_BY_SIDE := -n auto --maxprocesses 4 --dist worksteal
QUICKLY = $(SIDE_BY_SIDE) -m "not slow" --hypothesis-profile=quick
SOURCES := setup.py pyproject.toml $(shell find csrc tropical hjsym -type f -not -name '*.pyc')

.PHONY: demo paper docs test test-ceilings test-slow test-page test-frameworks mutants lint bench train sanitize coverage \
	valgrind fuzz wheel test-wheel test-oldest clean

demo: $(VENV)/installed-demo
	$(BIN)/hjsym compile examples/models/digits-relu.onnx --figures examples/output
	$(BIN)/hjsym inspect examples/models/digits-lse.npz --figures examples/output

# The experiments of arXiv:2605.28983 and a report of them; PAPER=--fast is a minute instead of ten or more.
paper: $(VENV)/installed-demo
	$(BIN)/hjsym paper --out examples/output/paper --jobs 2 $(PAPER)

# The site, in docs/_build/html; tutorials run while it is built. DOCS="-D nb_execution_mode=off" leaves that out.
docs: $(VENV)/installed-docs
	rm -rf docs/_build
	$(BIN)/sphinx-build -b html --fail-on-warning --keep-going --quiet --jobs auto $(DOCS) docs docs/_build/html
	@echo docs/_build/html/index.html

test: $(VENV)/installed-test
	$(BIN)/pytest $(SIDE_BY_SIDE) -m "not slow"

# The tests of tropical on the kernels of older processors, but for those that name the kernels they run; laws are
# tried on fewer examples than by `make test`.
test-ceilings: TESTS := $(filter-out $(ALL_KERNELS:%=tests/tropical/test_%.py),$(TESTS))
test-ceilings: $(VENV)/installed-test
	TROPICAL_CPU=baseline $(BIN)/pytest $(QUICKLY) -k "not baseline and not avx" $(TESTS)
	TROPICAL_CPU=avx2 $(BIN)/pytest $(QUICKLY) -k "not baseline and not avx" $(TESTS)

test-slow: $(VENV)/installed-test
	$(BIN)/pytest $(SIDE_BY_SIDE) -m slow

# Pages in Chromium, which has to be installed (apt-get install chromium).
test-page: $(VENV)/installed-browser
	HJSYM_BROWSER=required $(BIN)/pytest tests/hjsym/test_page_browser.py

# The readers of torch, Keras and Equinox, code for torch and JAX, and dask, with those; installs about a gigabyte.
test-frameworks: $(VENV)/installed-frameworks
	$(BIN)/pytest $(SIDE_BY_SIDE) -k "$(NEEDS_FRAMEWORK)" $(FRAMEWORK_TESTS:%=tests/hjsym/test_%.py)

# Breaks the core on purpose and checks that the tests notice; tens of minutes. SOME chooses, see the script.
mutants: $(VENV)/installed-test
	$(BIN)/python tests/mutants.py $(SOME)

lint: $(VENV)/installed-lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

bench: $(VENV)/installed-demo
	$(BIN)/python benchmarks/run.py

# Trains the stored networks of examples/models again.
train: $(VENV)/installed-demo
	$(BIN)/python examples/train_relu.py
	$(BIN)/python examples/train_conv.py
	$(BIN)/python examples/train_moons.py
	$(BIN)/python examples/train_lse.py

# The tests of the compiled core under AddressSanitizer and UndefinedBehaviorSanitizer.
sanitize: build-sanitize/built $(VENV)/installed-test
	PYTHONPATH=$(CURDIR)/build-sanitize/site \
	LD_PRELOAD="$$(cc -print-file-name=libasan.so) $$(cc -print-file-name=libubsan.so)" \
	ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 \
	$(BIN)/pytest --capture=sys $(QUICKLY) $(TESTS)

# Every branch of csrc/ is taken by the tests of the core, or says why not.
coverage: build-coverage/built $(VENV)/installed-test
	find build-coverage -name '*.gcda' -delete
	PYTHONPATH=$(CURDIR)/build-coverage/site $(BIN)/pytest $(QUICKLY) $(TESTS) $(REGIONS:%=tests/tropical/test_%.py)
	$(BIN)/python tests/coverage.py

# The kernels under valgrind; SUBSET selects tests as pytest -k does.
valgrind: $(VENV)/installed-test
	$(BIN)/python tests/memcheck.py $(SUBSET)

# The readers of model files on changed ones, SECONDS for each reader; guided where atheris has a wheel for this Python.
SECONDS ?= 60
fuzz: $(VENV)/installed-test
	-$(BIN)/pip install --quiet --disable-pip-version-check --only-binary=:all: atheris
	$(BIN)/python tests/attacks/fuzz.py --seconds $(SECONDS)

wheel: $(VENV)/built
	mkdir -p dist
	cp $(VENV)/dist/*.whl dist

# The wheel alone in a new environment, and used from another folder; what it and the sdist hold; the stable ABI.
test-wheel: $(VENV)/installed-package
	$(BIN)/python tests/packages.py $(VENV)/dist/*.whl

# That wheel with the lowest versions of what it needs.
test-oldest: $(VENV)/built
	$(BIN)/python tests/packages.py $(VENV)/dist/*.whl --oldest

clean:
	rm -rf .venv build build-* dist *.egg-info examples/output docs/_build docs/measurements docs/project

$(VENV)/bin/pip:
	$(PYTHON) -m venv $(VENV)

# Built once, whatever is installed with it. What is left of removed or renamed files would be packed again.
$(VENV)/built: $(SOURCES) | $(VENV)/bin/pip
	@echo "Building the C core; nothing is printed for a minute or so"
	rm -rf build $(VENV)/dist
	$(BIN)/pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir $(VENV)/dist .
	touch $@

# Builds for a check, to stand before the installed one.
build-sanitize/built: export TROPICAL_SANITIZE = address,undefined
build-coverage/built: export TROPICAL_COVERAGE = 1
build-%/built: $(SOURCES) | $(VENV)/bin/pip
	rm -rf $(@D)
	$(PIP) --no-deps --target $(@D)/site .
	touch $@

# One rule for the extras: installed-demo has what the demo needs, installed-test what the tests need.
$(VENV)/installed-%: $(VENV)/built
	@echo "Installing with what [$*] needs"
	$(PIP) --no-deps --force-reinstall $(VENV)/dist/*.whl
	$(PIP) "$$(echo $(VENV)/dist/*.whl)[$*]"
	touch $@
