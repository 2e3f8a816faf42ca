.DEFAULT_GOAL := help
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
export FROM ?= mysql
export TO ?= mysql
export SEED DURATION

.PHONY: help
help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: ## build bin/wherry
	go build -trimpath -buildvcs=false -ldflags '-X wherry/cmd.version=$(VERSION)' -o bin/wherry .

.PHONY: test
test: ## run every test against private servers (ARGS='-run Name ./pkg/...' for some)
	scripts/test.sh $(ARGS)

.PHONY: fuzz
fuzz: ## feed random input to every parser and decoder (FUZZTIME=10s each)
	scripts/fuzz.sh $(ARGS)

.PHONY: demo
demo: ## watch a live move (FROM and TO are mysql or mariadb)
	scripts/demo.sh $(ARGS)

.PHONY: soak
soak: ## simulate moves with kills and crashes (SEED=n, DURATION=10m)
	scripts/soak.sh $(ARGS)

.PHONY: bench
bench: ## measure rows and changes per second
	scripts/bench.sh $(ARGS)

.PHONY: lint
lint: ## check style, formatting and the direction of imports
	scripts/lint.sh

.PHONY: fmt
fmt: ## format the code
	scripts/lint.sh fmt

.PHONY: clean
clean: ## stop the private servers; delete them, their data and bin/
	scripts/servers.sh down --purge
	rm -rf bin .servers
