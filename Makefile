# Thin: the CMake presets do the work, and cmake/install-packages.sh installs what they need.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := build
MAKEFLAGS += --no-print-directory

PREFIX ?= /usr
DESTDIR ?=
ARGS ?=
FUZZ_SECONDS ?= 60

packages := cmake/install-packages.sh
# Debian's own Python, which python3-pytest belongs to, whatever else is first in the PATH.
# Two tests at a time: they wait more than they work (ARGS=-n0 for one after the other).
pytest := /usr/bin/python3 -m pytest -n 2
crashes := tests/e2e/test_continuity.py
# ThreadSanitizer of g++ 12 cannot place its shadow where the kernel randomises addresses widely.
fixed_addresses := $(shell setarch -R true 2>/dev/null && echo setarch -R)

.PHONY: build run test test-long bench bench-continuity bench-checks format lint install asan tsan fuzz clean help

build: ## Build build/release/holdfast and the tests
	@$(packages) build
	@cmake --preset release
	@cmake --build --preset release

run: ## Build, then see a backend and the balancer itself die without a request failing (ARGS="--duration 30s")
	@$(packages) build
	@cmake --preset release
	@cmake --build --preset release --target holdfast
	@build/release/holdfast demo $(ARGS)

test: ## Build, then run every unit, integration and end-to-end test (ARGS go to pytest)
	@$(packages) build test
	@cmake --preset release
	@cmake --build --preset release
	@cmake --preset faults
	@cmake --build --preset faults
	@ctest --preset release
	@$(pytest) tests/e2e $(ARGS)

test-long: ## The same with the whole load, many more events and every signal at every fault point
	@HOLDFAST_LONG=1 $(MAKE) test

bench: ## Build, then run the failure bench (twenty minutes; whole as root only), the micro and the check benchmarks
	@$(packages) build test
	@cmake --preset bench
	@cmake --build --preset bench
	@build/release/bench/bench_failover $(ARGS)
	@build/release/bench/micro_benchmarks
	@build/release/bench/bench_checks

bench-continuity: ## Build, then see what each balancer's own deaths, reloads and upgrades cost (half an hour)
	@$(packages) build test
	@cmake --preset bench
	@cmake --build --preset bench
	@build/release/bench/bench_continuity $(ARGS)

bench-checks: ## Build, then see what checking a thousand backends costs (seven minutes)
	@$(packages) build
	@cmake --preset bench
	@cmake --build --preset bench --target bench_checks
	@build/release/bench/bench_checks $(ARGS)

format: ## Format every source file in place
	@$(packages) lint
	@cmake/lint.sh format

lint: ## Check the format, clang-tidy and shellcheck
	@$(packages) build lint
	@cmake --preset lint
	@cmake/lint.sh check

install: build ## Install below DESTDIR and PREFIX: binary, unit, a sample configuration if there is none
	@DESTDIR="$(DESTDIR)" cmake --install build/release --prefix "$(PREFIX)"

asan: ## Unit, integration and crash tests under AddressSanitizer and UndefinedBehaviorSanitizer
	@$(packages) build test
	@cmake --preset asan
	@cmake --build --preset asan
	@ctest --preset asan
	@HOLDFAST_BINARY=build/asan/holdfast $(pytest) $(crashes)

tsan: ## Unit, integration and crash tests under ThreadSanitizer
	@$(packages) build test
	@cmake --preset tsan
	@cmake --build --preset tsan
	@$(fixed_addresses) ctest --preset tsan
	@HOLDFAST_BINARY=build/tsan/holdfast $(fixed_addresses) $(pytest) $(crashes)

fuzz: ## What reads text from outside meets what nobody would write, FUZZ_SECONDS (60) for each
	@$(packages) build fuzz
	@cmake --preset fuzz
	@cmake --build --preset fuzz
	@tests/fuzz/run.sh build/fuzz $(FUZZ_SECONDS)

clean: ## Remove everything built
	@rm -rf build

help: ## Say what there is
	@grep -E '^[a-z-]+:.*## ' Makefile | sed -E 's/:.*## /\t/' | expand -t 18
