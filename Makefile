# Thin names over the package scripts; `make help` lists them.
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)
SHELL := bash
.DEFAULT_GOAL := help

.PHONY: help
help: ## This list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-11s %s\n", $$1, $$2}'

# npm writes this file last, so it is older than the lock exactly when the modules are stale.
node_modules/.package-lock.json: package-lock.json package.json .npmrc
	npm ci --no-progress --loglevel=error
	@touch $@

.PHONY: up
up: node_modules/.package-lock.json ## Run the whole platform on this machine
	@node local/main.ts up $(ARGS)

.PHONY: down
down: node_modules/.package-lock.json ## Stop it and leave nothing behind (ARGS=--purge: caches too)
	@node local/main.ts down $(ARGS)

.PHONY: destroy
destroy: node_modules/.package-lock.json ## Remove the platform, keep the cluster
	@node local/main.ts destroy $(ARGS)

.PHONY: tools
tools: node_modules/.package-lock.json ## Compile the cluster's programs without starting it
	@node local/tools/main.ts

.PHONY: test
test: node_modules/.package-lock.json ## Every test, against the real parts
	@node test/runner/main.ts $(ARGS)

.PHONY: mutations
mutations: node_modules/.package-lock.json ## Put known bugs of audit logs in, and see each turn its test red (ARGS=07 tries one)
	@vitest run --project postgres test/mutations/ $(if $(ARGS),-t "not applied|$(ARGS)")

.PHONY: soak
soak: node_modules/.package-lock.json ## Kill the operator 100 times (ARGS="--kills N --seed S"; --audit: gateways and sealers; --flood)
	@node test/soak/main.ts $(ARGS)

.PHONY: bench
bench: node_modules/.package-lock.json ## Measure the gateway beside bare Fastify, on a quiet machine
	@node bench/gateway/main.ts $(ARGS)

.PHONY: bench-audit
bench-audit: node_modules/.package-lock.json ## Measure the audit log beside Tessera and immudb, on a quiet machine
	@node bench/audit/main.ts $(ARGS)

.PHONY: check
check: node_modules/.package-lock.json ## Types, lint and unit tests
	@npm run --silent check

.PHONY: gen
gen: node_modules/.package-lock.json ## Write CRDs, OpenAPI, reference pages, admission policies and dashboards
	@npm run --silent gen
