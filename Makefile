# One command each: demo, test, bench, lint, install. Each installs what is missing first.

SHELL := /bin/bash
PACKAGES := libopenblas-dev liblapacke-dev libpng-dev libjpeg-dev libwebp-dev zlib1g-dev
FORMULAE := openblas lapack libpng jpeg-turbo webp zlib
SOURCES := Package.swift Sources Tests Benchmarks
PREFIX ?= /usr/local
# One build serves demo, test, bench and install.
BUILD := swift build -c release
CLASSES := 0 1 2 3 4 5 6 7 8 9
BINARY := .build/release/diffusion
RESOURCES := .build/release/swift-diffusion-engine_DiffusionPipelines.resources

# Both hold OpenBLAS below the processor where they are set.
unexport OPENBLAS_CORETYPE
unexport OPENBLAS_L2_SIZE

.PHONY: demo test bench lint install build dependencies clean

## Builds the engine and draws 64 handwritten digits into demo/.
demo: build
	@mkdir -p demo
	$(BINARY) generate $(CLASSES:%=--class %) --count 64 --steps 50 --seed 0 --out demo/digits.png >/dev/null
	@echo "The digits are in $(CURDIR)/demo: digits.png, and each one beside it."

## Builds and runs every test. SLOW_TESTS=1 adds the slow ones.
test: dependencies
	swift test -c release --disable-testable-imports --disable-xctest

## Times the engine's operations on this machine.
bench: dependencies
	$(BUILD) --product bench
	.build/release/bench gemm
	.build/release/bench conv
	.build/release/bench attention
	.build/release/bench train --preset reference

## Checks the style.
lint:
	swift format lint --strict --recursive $(SOURCES)

## Puts the command and its model under PREFIX (/usr/local).
install: build
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/diffusion
	install -m 755 $(BINARY) $(DESTDIR)$(PREFIX)/bin/diffusion
	cp -R $(RESOURCES)/. $(DESTDIR)$(PREFIX)/share/diffusion/

build: dependencies
	$(BUILD) --product diffusion

## Installs the libraries that are missing, or says what to type.
dependencies:
	@if command -v apt-get >/dev/null; then \
	  missing=""; \
	  for package in $(PACKAGES); do \
	    dpkg-query -W -f='$${Status}' $$package 2>/dev/null | grep -q 'install ok installed' \
	      || missing="$$missing $$package"; \
	  done; \
	  if [ -n "$$missing" ]; then \
	    install="apt-get install -y --no-install-recommends$$missing"; \
	    if [ "$$(id -u)" = 0 ]; then apt-get update && $$install; \
	    elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then \
	      sudo apt-get update && sudo $$install; \
	    else \
	      echo "Libraries are missing and installing them needs root. Type this, then make again:"; \
	      echo "  sudo apt-get update && sudo $$install"; \
	      exit 1; \
	    fi; \
	  fi; \
	elif command -v brew >/dev/null; then \
	  brew list $(FORMULAE) >/dev/null 2>&1 || brew install $(FORMULAE); \
	else \
	  echo "Neither apt-get nor brew is here: install OpenBLAS, LAPACKE, libpng, libjpeg-turbo, libwebp and zlib with their headers."; \
	  exit 1; \
	fi

clean:
	rm -rf .build demo
