# The commands of the whole tree. Everything for the host is built with one
# profile (dev), so that `make demo` and `make test` share what they build.

SHELL := bash
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# xtask and the tests look for what was built under target/, so the caller's own
# choice of a folder must not move it.
export CARGO_TARGET_DIR := $(CURDIR)/target

# In a terminal Cargo shows its progress; in a log that would be a line a crate.
QUIET := $(shell [ -t 2 ] || echo --quiet)
XTASK := target/debug/xtask
GUESTS := --manifest-path skills/Cargo.toml
# What set-up found to be needed for guests, put into the environment.
WITH_ENV = set -a && . target/setup.env && set +a &&
SAY = @printf '==> %s\n'

.PHONY: help
help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-8s  %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup
setup: ## make this machine ready; what it has already is left alone
	$(SAY) 'setting up'
	@BAILIWICK_SETUP_DIR=target tools/setup

.PHONY: host
host: setup
	$(SAY) 'building the host (minutes the first time, seconds after that)'
	@cargo build $(QUIET) --workspace --all-targets

.PHONY: build
build: host ## build the host, the skills into target/skills/, the examples
	$(SAY) 'building the skills'
	@$(WITH_ENV) $(XTASK) guests

.PHONY: demo
demo: build ## show what skills and agents can do, and what they can't
	$(SAY) 'the demo'
	@$(WITH_ENV) $(XTASK) demo

.PHONY: test
test: build test-docs test-sdks test-fuzz ## build everything and run every test
	$(SAY) 'running the tests'
	@$(WITH_ENV) if command -v cargo-nextest >/dev/null; then \
	    cargo nextest run --workspace --no-fail-fast; \
	else \
	    cargo test --quiet --workspace --no-fail-fast --lib --bins --tests; \
	fi

# These go first, and quietly, because the test runner's summary comes last.
.PHONY: test-docs
test-docs: build
	$(SAY) 'running the examples in the documentation'
	@cargo test --quiet --workspace --doc >target/doc-tests.log 2>&1 || { cat target/doc-tests.log; exit 1; }

# The libraries for authors, by the test runners of their languages.
.PHONY: test-sdks
test-sdks: build
	$(SAY) 'testing the libraries for authors'
	@$(WITH_ENV) tools/test-sdks

# From the same corpus with the same seed each time, and two at a time.
.PHONY: test-fuzz
test-fuzz: build
	$(SAY) 'fuzzing for some seconds (make fuzz: for minutes)'
	@tools/fuzz --fresh --seconds 6 --jobs 2

# For how long each target runs.
FUZZ_SECONDS ?= 60

.PHONY: fuzz
fuzz: setup ## fuzz whatever reads untrusted text, each target for FUZZ_SECONDS=60
	$(SAY) 'fuzzing each target for $(FUZZ_SECONDS) s'
	@tools/fuzz --seconds $(FUZZ_SECONDS)

.PHONY: lint
lint: check-format clippy check-schemas ## check formatting, warnings and generated files

.PHONY: check-format
check-format:
	$(SAY) 'checking the formatting'
	@cargo fmt --all --check
	@cargo fmt --all --check $(GUESTS)

# `-D warnings` goes to clippy and not into RUSTFLAGS, which would hide the
# guests' sysroot and make the next build start from nothing.
.PHONY: clippy
clippy: setup
	$(SAY) 'checking the host with clippy'
	@cargo clippy $(QUIET) --workspace --all-targets -- -D warnings
	$(SAY) 'checking the skills with clippy'
	@$(WITH_ENV) cargo clippy $(QUIET) $(GUESTS) --workspace --release \
	    --target wasm32-wasip2 --target-dir target/guests -- -D warnings

.PHONY: bench
bench: build ## measure the host beside its floor and its peers
	$(SAY) 'running the benchmarks'
	@cargo bench $(QUIET) --workspace --bench '*'

.PHONY: schemas
schemas: host ## write the generated files anew
	$(SAY) 'writing the generated files'
	@$(XTASK) schemas

.PHONY: check-schemas
check-schemas: host
	$(SAY) 'comparing the generated files with what they are made from'
	@$(XTASK) schemas --check

.PHONY: clean
clean: ## remove everything that was built
	$(SAY) 'removing target/'
	@rm -rf target skills/target examples/skills/*/.build examples/skills/*/*.wasm
