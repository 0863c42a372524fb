# Aliases to `go run ./tasks`, which does the work. `make help` lists them.
TASKS := go run ./tasks

.DEFAULT_GOAL := help
.PHONY: help run build test lint fmt gen check bench fuzz graph doctor

help: ## list the targets
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1|\2/' | column -t -s '|' 2>/dev/null || grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST)

run: build ## watch a real heartbeat, real log lines and real snapshots arrive (root for the snapshots; Ctrl-C ends it)
	@go build -o bin/quickstart ./test/quickstart
	@bin/quickstart

build: ## build bin/vigil, stripped and static
	@$(TASKS) build

test: ## run every test under the race detector (kernel tests need root)
	@$(TASKS) test

lint: ## run the pinned linters
	@$(TASKS) lint

fmt: ## format the code
	@$(TASKS) fmt

gen: ## regenerate the committed generated files
	@$(TASKS) gen

check: ## hold the rules of the house: layering, tidy, generated, file size
	@$(TASKS) check

bench: ## list the benchmarks of the whole agent
	@$(TASKS) bench

fuzz: ## fuzz every decoder for a while
	@$(TASKS) fuzz

graph: ## show the modules and the component graph
	@$(TASKS) graph

doctor: ## say what this machine lacks for developing
	@$(TASKS) doctor
