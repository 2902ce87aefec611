# Every target works from a bare checkout: the virtual environment, the build and the install are made as
# needed and remade when a source changes.

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
# What runs the compiled code, which the targets that build or choose it anew repeat; TESTS=tests repeats everything.
CORE := arrays chain circuit closure exp kernels log matrix memory polynomial polynomial_map regions_kernel semiring \
	sizes sparse special_values threads transform
# What takes the branches of the search for regions besides, which no choice of kernels changes.
REGIONS := regions regions_search
FRAMEWORK_TESTS := dask torch keras equinox symbols codegen pontryagin systems system_forms learned transformer scaling
TESTS ?= $(CORE:%=tests/tropical/test_%.py)
SIDE_BY_SIDE := -n auto --maxprocesses 4 --dist worksteal
CORE_TESTS = $(SIDE_BY_SIDE) -m "not slow" --hypothesis-profile=quick $(TESTS)
SOURCES := setup.py pyproject.toml $(shell find csrc tropical hjsym -type f -not -name '*.pyc')

.PHONY: demo paper test test-ceilings test-slow test-frameworks mutants lint bench train sanitize coverage valgrind wheel clean

demo: $(VENV)/installed-demo
	$(BIN)/hjsym compile examples/models/digits-relu.onnx --figures examples/output
	$(BIN)/hjsym inspect examples/models/digits-lse.npz --figures examples/output

# The experiments of arXiv:2605.28983 and a report of them; PAPER=--fast is a minute instead of ten or more.
paper: $(VENV)/installed-demo
	$(BIN)/hjsym paper --out examples/output/paper --jobs 2 $(PAPER)

test: $(VENV)/installed-test
	$(BIN)/pytest $(SIDE_BY_SIDE) -m "not slow"

# The tests of tropical on the kernels of older processors; laws are tried on fewer examples than by `make test`.
test-ceilings: $(VENV)/installed-test
	TROPICAL_CPU=baseline $(BIN)/pytest $(CORE_TESTS)
	TROPICAL_CPU=avx2 $(BIN)/pytest $(CORE_TESTS)

test-slow: $(VENV)/installed-test
	$(BIN)/pytest $(SIDE_BY_SIDE) -m slow

# The readers of torch, Keras and Equinox, code for torch and JAX, and dask, with those; installs about a gigabyte.
test-frameworks: $(VENV)/installed-frameworks
	$(BIN)/pytest $(SIDE_BY_SIDE) $(FRAMEWORK_TESTS:%=tests/hjsym/test_%.py)

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
	$(BIN)/python examples/train_lse.py

# The tests of the compiled core under AddressSanitizer and UndefinedBehaviorSanitizer.
sanitize: $(SOURCES)
	TROPICAL_SANITIZE=address,undefined $(MAKE) VENV=.venv-sanitize .venv-sanitize/installed-test-core
	LD_PRELOAD="$$(cc -print-file-name=libasan.so) $$(cc -print-file-name=libubsan.so)" \
	ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 \
	.venv-sanitize/bin/pytest --capture=sys $(CORE_TESTS)

# Every branch of csrc/ is taken by the tests of the core, or says why not.
coverage: $(SOURCES)
	TROPICAL_COVERAGE=1 $(MAKE) VENV=.venv-coverage .venv-coverage/installed-test-core
	find build-coverage -name '*.gcda' -delete
	.venv-coverage/bin/pytest $(CORE_TESTS) $(REGIONS:%=tests/tropical/test_%.py)
	.venv-coverage/bin/python tests/coverage.py

# The kernels under valgrind; SUBSET selects tests as pytest -k does.
valgrind: $(VENV)/installed-test
	$(BIN)/python tests/memcheck.py $(SUBSET)

wheel: $(VENV)/built
	mkdir -p dist
	cp $(VENV)/dist/*.whl dist

clean:
	rm -rf .venv .venv-* build build-coverage dist *.egg-info examples/output

$(VENV)/bin/pip:
	$(PYTHON) -m venv $(VENV)

# Built once, whatever is installed with it. What is left of removed or renamed files would be packed again.
$(VENV)/built: $(SOURCES) | $(VENV)/bin/pip
	rm -rf build build-coverage $(VENV)/dist
	$(BIN)/pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir $(VENV)/dist .
	touch $@

# One rule for the extras: installed-demo has what the demo needs, installed-test what the tests need.
$(VENV)/installed-%: $(VENV)/built
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --force-reinstall $(VENV)/dist/*.whl
	$(BIN)/pip install --quiet --disable-pip-version-check "$$(echo $(VENV)/dist/*.whl)[$*]"
	touch $@
