# Every target works from a bare checkout: the virtual environment, the build and the install are made as
# needed and remade when a source changes.

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
SOURCES := setup.py pyproject.toml $(shell find csrc tropical hjsym -type f -not -name '*.pyc')

.PHONY: demo test test-ceilings test-slow test-frameworks mutants lint bench train sanitize wheel clean

demo: $(VENV)/installed-demo
	$(BIN)/hjsym compile examples/models/digits-relu.onnx --figures examples/output
	$(BIN)/hjsym inspect examples/models/digits-lse.npz --figures examples/output

test: $(VENV)/installed-test
	$(BIN)/pytest -m "not slow"

# The tests of tropical on the kernels of older processors.
test-ceilings: $(VENV)/installed-test
	TROPICAL_CPU=baseline $(BIN)/pytest -m "not slow" tests/tropical
	TROPICAL_CPU=avx2 $(BIN)/pytest -m "not slow" tests/tropical

test-slow: $(VENV)/installed-test
	$(BIN)/pytest -m slow

# The readers of torch, Keras and Equinox against those frameworks; installs about a gigabyte.
test-frameworks: $(VENV)/installed-frameworks
	$(BIN)/pytest tests/hjsym/test_torch.py tests/hjsym/test_keras.py tests/hjsym/test_equinox.py

# Breaks the kernels on purpose and checks that the tests notice; some minutes.
mutants: $(VENV)/installed-test
	$(BIN)/python tests/mutants.py

lint: $(VENV)/installed-lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

bench: $(VENV)/installed-demo
	$(BIN)/python benchmarks/run.py

# Trains the stored networks of examples/models again.
train: $(VENV)/installed-demo
	$(BIN)/python examples/train_relu.py
	$(BIN)/python examples/train_lse.py

# The tests of the compiled core under AddressSanitizer and UndefinedBehaviorSanitizer.
sanitize: $(SOURCES)
	TROPICAL_SANITIZE=address,undefined $(MAKE) VENV=.venv-sanitize .venv-sanitize/installed-test
	LD_PRELOAD="$$(cc -print-file-name=libasan.so) $$(cc -print-file-name=libubsan.so)" \
	ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 \
	.venv-sanitize/bin/pytest -m "not slow" --capture=sys tests/tropical

wheel: $(VENV)/bin/pip
	$(BIN)/pip wheel --no-deps --wheel-dir dist .

clean:
	rm -rf .venv .venv-sanitize build dist *.egg-info examples/output

$(VENV)/bin/pip:
	$(PYTHON) -m venv $(VENV)

# One rule for the extras: installed-demo has what the demo needs, installed-test what the tests need.
$(VENV)/installed-%: $(SOURCES) | $(VENV)/bin/pip
	rm -rf build  # what is left of removed or renamed files would be packed again
	$(BIN)/pip install --quiet --disable-pip-version-check ".[$*]"
	touch $@
