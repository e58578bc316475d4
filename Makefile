# Every target is what a contributor types; .ci/run calls the same ones.

STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.7.0
GOVULNCHECK = golang.org/x/vuln/cmd/govulncheck@v1.9.0
# A number of inputs, not a time: the fuzzer reports its own deadline as a failure now and then.
FUZZTIME ?= 2000x
ROUNDS ?= 100
GORELEASER = v2.13.3

.PHONY: help
help: ## Show what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  make %-10s %s\n", $$1, $$2 }'

.PHONY: build
build: ## Build ./bellwire, one static binary
	CGO_ENABLED=0 go build -trimpath -buildvcs=auto -o bellwire ./cmd/bellwire

.PHONY: demo
demo: ## Show real deliveries being verified, on a temporary database
	go run ./cmd/bellwire demo --once

.PHONY: test
test: ## Run all tests, and install what they need (needs Go and a C compiler)
	test/run

.PHONY: short
short: ## Run the quick tests, which need Go only
	GOGC=400 go test -short -vet=off work # collects garbage less often; make lint vets

# The checks need the packages as make build compiles them, so .ci/run compiles them once.
.PHONY: lint
lint: ## Check form, vet and lint
	@unformatted=$$(gofmt -l .); if [ -n "$$unformatted" ]; then echo "not gofmt-ed:"; echo "$$unformatted"; exit 1; fi
	CGO_ENABLED=0 go vet -trimpath work
	CGO_ENABLED=0 GOFLAGS="$$(go env GOFLAGS) -trimpath" go run $(STATICCHECK) work

.PHONY: tidy
tidy: ## Tidy the go.mod of all modules, though client and receive may have no release yet
	cd client && GOWORK=off go mod tidy
	cd receive && GOWORK=off go mod tidy
	go mod edit -replace github.com/bellwire/bellwire/client=./client -replace github.com/bellwire/bellwire/receive=./receive
	GOWORK=off go mod tidy; code=$$?; \
	go mod edit -dropreplace github.com/bellwire/bellwire/client -dropreplace github.com/bellwire/bellwire/receive; exit $$code

.PHONY: vulncheck
vulncheck: ## Look for known vulnerabilities in what is linked (docs/dependencies.md)
	@set -e; db=$$(mktemp -d); trap 'rm -rf "$$db"' EXIT; \
	data=$$(go mod download -json golang.org/x/vulndb@latest | sed -n 's/^\t"Dir": "\(.*\)".*/\1/p')/data/osv; \
	go run golang.org/x/vulndb/cmd/indexdb@latest -vulns "$$data" -out "$$db"; \
	go run $(GOVULNCHECK) -db "file://$$db" work

.PHONY: docs
docs: ## Write docs/api.md and docs/limits.md from the code
	go test ./internal/api -run '^TestReference$$' -update
	go test ./internal/limits -run '^TestPage$$' -update

.PHONY: web
web: web/node_modules ## Build the console and the portal into web/dist (needs Node)
	cd web && npm run types && npm run build && npm test

.PHONY: web-dev
web-dev: web/node_modules ## Show the console as you change it, against the server at BELLWIRE_URL
	cd web && npm run dev

.PHONY: screenshots
screenshots: web/node_modules ## Take the pictures of the README again
	cd web && BELLWIRE_SCREENSHOTS=../docs/images npx vitest run --project e2e e2e/screenshots.test.ts

web/node_modules: web/package-lock.json
	cd web && npm ci --ignore-scripts
	touch $@

# Compiled as make build compiles, so that what both need is compiled once.
.PHONY: packages
packages: ## Test the packages, the image and the chart (needs Debian's packages dpkg, rpm and systemd)
	cd deploy && export GOWORK=off CGO_ENABLED=0 && go vet -trimpath . && go test -trimpath -vet=off -count=1 .

.PHONY: snapshot
snapshot: ## Build a release into dist/ without publishing it, and check it
	git remote get-url origin >/dev/null 2>&1 || \
	export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=remote.origin.url GIT_CONFIG_VALUE_0=https://github.com/bellwire/bellwire; \
	go run github.com/goreleaser/goreleaser/v2@$(GORELEASER) release --snapshot --clean
	deploy/check-release

.PHONY: fresh
fresh: snapshot web/node_modules ## Follow the tutorial on a new Debian with the package (needs root, debootstrap, Chromium)
	BELLWIRE_FRESH=$$(ls $(CURDIR)/dist/bellwire_*_$$(go env GOARCH).deb) go test -count=1 -run '^TestTutorial$$' -v ./test

.PHONY: release
release: ## Publish a release of the tag that is checked out, with ARGS for goreleaser (the workflow does)
	go run github.com/goreleaser/goreleaser/v2@$(GORELEASER) release --clean $(ARGS)

.PHONY: fuzz
fuzz: ## Run every fuzz target for FUZZTIME (2000x inputs; 2m is two minutes)
	@FUZZTIME=$(FUZZTIME) test/fuzz

.PHONY: chaos
chaos: ## Kill and end the server ROUNDS (100) times under load, and see that nothing is lost
	BELLWIRE_CHAOS_ROUNDS=$(ROUNDS) go test -count=1 -timeout 60m -run '^TestChaos' -v ./test

DURATION ?= 4h

.PHONY: soak
soak: ## Run nodes for DURATION (4h) under load and faults, and see that nothing is lost or grows
	BELLWIRE_SOAK=$(DURATION) go test -count=1 -timeout 0 -run '^TestSoak$$' -v ./test

.PHONY: bench-compare
bench-compare: ## Measure the build of the revision OLD beside this one, PAIRS (5) times, with ARGS for bellwire bench
	@test/bench-compare "$(OLD)" $(ARGS)

.PHONY: clean
clean: ## Remove what was built here
	rm -rf bellwire build dist test/npm/node_modules web/node_modules
