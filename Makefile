.DEFAULT_GOAL := help
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
export FROM ?= mysql
export TO ?= mysql
export SEED DURATION

.PHONY: help
help: ## print this list, with how long each target takes
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: ## build bin/wherry (seconds; two minutes the first time)
	go build -trimpath -buildvcs=false -ldflags '-X wherry/cmd.version=$(VERSION)' -o bin/wherry .

.PHONY: test
test: ## run every test against private servers (ARGS='-run Name ./pkg/...' for some; 15 minutes)
	scripts/test.sh $(ARGS)

.PHONY: test-versions
test-versions: ## move between all versions of both families (30 minutes)
	scripts/test.sh --versions

.PHONY: fuzz
fuzz: ## feed random input to every parser and decoder (FUZZTIME=10s each; 4 minutes)
	scripts/fuzz.sh $(ARGS)

.PHONY: demo
demo: ## watch a live move (FROM is mysql or mariadb, TO also postgres; 1 minute)
	scripts/demo.sh $(ARGS)

.PHONY: soak
soak: ## simulate moves with kills and crashes (SEED=n, DURATION=10m; as long as that)
	scripts/soak.sh $(ARGS)

.PHONY: bench
bench: ## measure rows and changes per second (10 minutes)
	scripts/bench.sh $(ARGS)

.PHONY: lint
lint: ## check style, formatting and the direction of imports (2 minutes; some more the first time)
	scripts/lint.sh

.PHONY: fmt
fmt: ## format the code (seconds)
	scripts/lint.sh fmt

.PHONY: clean
clean: ## stop the private servers; delete them, their data and bin/ (seconds)
	scripts/servers.sh down --purge
	rm -rf bin .servers
