# Names for the scripts; `make` prints them. What they do stands in the scripts.
.DEFAULT_GOAL := help
.PHONY: help demo test test-scaling soak bench bench-remote check install

help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: ## a team, one repository on a server, and a site with what they share
	scripts/demo

test: ## everything that must be green: checks and all tests
	scripts/test

test-scaling: ## four replicas start together, and a roll loses nothing
	scripts/test-scaling

soak: ## the simulation for long (DSG_SEEDS=20000)
	scripts/soak

bench: ## measured beside find, b3sum and rsync
	scripts/bench
	scripts/bench-server

bench-remote: ## over ssh, beside rsync over the same ssh
	scripts/bench-remote

check: ## format, lints, documentation, licences
	scripts/check

install: ## dsg, completions and manual below PREFIX (~/.local)
	scripts/install
