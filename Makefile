# The commands people type. Everything real is in CMakePresets.json and tools/; this only names it.
.PHONY: all setup build release wasm demo demo-data test test-long bench lint format clean help
.DEFAULT_GOAL := help

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

setup: ## install what is missing (Debian packages, third-party sources, npm packages)
	@tools/setup.sh

demo: setup ## build everything, start the edge with the example shop, print its address
	@tools/build.sh release web
	@exec tools/demo.sh

demo-data: setup ## import the CDNOW sample (or a generated set) and print two answers
	@tools/build.sh release
	@tools/demo_data.sh

test: setup ## every test: native, WASM under node, real Chromium, crash tests, 10 s of fuzzing each
	@tools/test.sh

test-long: setup ## the same and the long suites; 10 minutes of fuzzing per target
	@tools/test.sh long

bench: ## measure against the peers and print the table
	@tools/setup.sh bench
	@tools/build.sh release web
	@tools/bench.sh

lint: setup ## clang-format, clang-tidy, house rules (tools/tidy.py)
	@tools/lint.sh

format: ## let clang-format rewrite the sources
	@tools/lint.sh format

build: ## the dev build (ASan + UBSan)
	@tools/build.sh dev

release: ## the release build
	@tools/build.sh release

wasm: ## the WASM core, the npm package, the example shop and the console
	@tools/build.sh web

clean: ## remove every build product (not third_party/ and node_modules/)
	rm -rf build var wasm/dist console/dist examples/web/dist
