# turnwasm: what people run and what CI runs. `make help` lists the targets.

GO       ?= go
FUZZTIME ?= 30s
SEEDS    ?= 10000
SEED     ?=
BREAK    ?=
MUTANTS  ?= 300
ROUNDS   ?= 5
ONLY     ?=
JSON     ?=
# The tools' versions are pinned here and fetched by the Go command.
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOVULNCHECK := golang.org/x/vuln/cmd/govulncheck@v1.9.0

# A clone that another user owns has no version control status for Go to stamp.
export GOFLAGS := $(GOFLAGS) -buildvcs=false

TESTSUM := $(GO) run ./host/hosttest/testsum
TARGET  := $(MAKE) --no-print-directory

.DEFAULT_GOAL := all

.PHONY: all
all: build test-quick ## build everything, then test-quick (the default)

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: deps
deps: ## install what `make test` needs beside Go: coturn, sqlite3, curl, a C compiler, Node, Chromium, Python, Rust, a JDK with Maven (Debian, as root or with sudo)
	@sh .ci/deps

.PHONY: build
build: ## compile every package and program
	$(GO) build ./...

.PHONY: demo
demo: ## the story in one minute: needs Go alone
	@$(GO) run ./examples/demo

.PHONY: demo-browser
demo-browser: ## a page with a TURN client: a TURN server, a peer and a bridge on loopback; prints the address
	@node js/scripts/module.js
	@cd examples/browser && npm install --no-audit --no-fund --loglevel=error >&2 && node build.js
	@$(GO) run ./examples/bridge -dev -pages examples/browser/build $(DEMO_FLAGS)

.PHONY: test
test: deps ## everything, with the real servers; CI=true: a skip is a failure
	@$(TESTSUM) \
	  '$(TARGET) lint-here' \
	  '$(TARGET) lint-elsewhere' \
	  '$(TARGET) verify' \
	  '$(GO) test -json -timeout 15m ./...' \
	  '$(GO) test -json -timeout 15m -race ./client/... ./wasm/... ./host/...' \
	  '$(TARGET) test-js' \
	  '$(TARGET) bench' \
	  '$(TARGET) bench-js-quick' \
	  '$(TARGET) soak SEEDS=1000' \
	  '$(TARGET) close-matrix' \
	  '$(TARGET) interop' \
	  '$(TARGET) test-embedding'

.PHONY: js
js: ## what js/ needs: its development tools from npm, the module, what its tests start
	@cd js && npm install --no-audit --no-fund --loglevel=error >&2 && node scripts/module.js
	@cd examples/browser && npm install --no-audit --no-fund --loglevel=error >&2 && node build.js
	@$(GO) build -o js/build/ ./js/internal/peers ./examples/bridge ./examples/turnclient
	@$(GO) run ./wasm/internal/build -tags turntrap -o js/build/trap.wasm >&2

.PHONY: test-js
test-js: js ## the tests of js/ and of the page in Node, Deno, Bun and Chromium, as events of `go test -json`; ONLY=RUNTIME
	@cd js && npm run --silent check >&2 && TURNWASM_PEERS=$(CURDIR)/js/build/peers \
	  TURNWASM_BRIDGE=$(CURDIR)/js/build/bridge TURNWASM_TURNCLIENT=$(CURDIR)/js/build/turnclient \
	  node scripts/test.js $(ONLY)

.PHONY: bench-js-here
bench-js-here: js
	@cd js/bench && npm install --no-audit --no-fund --loglevel=error >&2
	@$(GO) build -o js/build/benchpeers ./host/hosttest/benchpeers

.PHONY: bench-js
bench-js: ROUNDS = 7
bench-js: bench-js-here ## js/ beside node:dgram, werift, Bun's and Deno's own sockets, ROUNDS=7 (10 minutes); ONLY=NAME,NAME, JSON=FILE
	@cd js && node bench/bench.js -rounds $(ROUNDS) $(if $(ONLY),-only '$(ONLY)') $(if $(JSON),-json '$(JSON)')

.PHONY: bench-js-quick
bench-js-quick: bench-js-here ## the same, one short round: does it still work
	@cd js && node bench/bench.js -quick

.PHONY: test-quick
test-quick: ## the tests that need Go alone; what is not installed is skipped
	@CI= $(TESTSUM) '$(GO) vet ./...' '$(GO) test -json -short ./...'

.PHONY: cover
cover: ## statement coverage of the machine; fails under 95 %
	@$(GO) test -coverprofile=client.cover ./client
	@$(GO) tool cover -func=client.cover | awk '{ last = $$3 } \
	  END { print "client: " last " of statements"; exit last + 0 < 95 }'

.PHONY: wasm
wasm: ## build wasm/turn.wasm
	$(GO) run ./wasm/internal/build

.PHONY: size
size: ## size of the module, as it is and compressed
	@wc -c < wasm/turn.wasm | awk '{ print "turn.wasm   " $$1 " bytes" }'
	@gzip -9 -c wasm/turn.wasm | wc -c | awk '{ print "  gzip -9   " $$1 " bytes" }'

.PHONY: gen
gen: ## regenerate what is generated
	$(GO) generate ./...

.PHONY: verify
verify: ## rebuild the module elsewhere and compare; go.mod and generated files are up to date
	$(GO) run ./wasm/internal/build -verify
	$(GO) mod tidy -diff
	@sh .ci/unchanged $(TARGET) gen

.PHONY: bench
bench: ## each benchmark once
	$(GO) test -run '^$$' -bench . -benchtime 1x ./client/... ./wasm/... ./host/...

.PHONY: bench-peers
bench-peers: ## the data path beside pion/turn and raw sockets, ROUNDS=5 (minutes); ONLY=NAME,NAME, JSON=FILE
	@$(GO) run ./host/hosttest/benchpeers -rounds $(ROUNDS) $(if $(ONLY),-only '$(ONLY)') $(if $(JSON),-json '$(JSON)')

.PHONY: fuzz
fuzz: ## each fuzz target for FUZZTIME=30s
	@sh .ci/fuzz $(FUZZTIME)

.PHONY: soak
soak: ## the simulation: SEEDS=10000, or one SEED=n; BREAK=name plants a bug
	@$(GO) run ./client/turntest/soak -seeds $(SEEDS) \
	  $(if $(SEED),-seed $(SEED) -v) $(if $(BREAK),-break '$(BREAK)')

.PHONY: mutate
mutate: ## MUTANTS=300 sampled mutants of the machine against its tests; which rows of PROTOCOL.md killed none
	@$(GO) run ./client/turntest/mutate -n $(MUTANTS) -least 85

.PHONY: close-matrix
close-matrix: ## every close against every fault and server: who leaks
	@$(GO) run ./host/hosttest/closematrix

.PHONY: interop
interop: ## each feature against coturn and pion/turn, with every engine; COTURN_NEXT=PROGRAM adds another coturn, JSON=FILE
	@cd js && npm install --no-audit --no-fund --loglevel=error >&2 && node scripts/module.js
	@$(GO) run ./host/hosttest/interop $(if $(JSON),-json '$(JSON)')

CAPI     := host/capi/build
CWARN    := -std=c11 -Wall -Wextra -Werror -O1 -g -I$(CAPI) -L$(CAPI) -Wl,-rpath,'$$ORIGIN'

.PHONY: capi
capi: ## build host/capi/build/libturnwasm.so and turnwasm.h, the host as a C library
	@mkdir -p $(CAPI)
	CGO_ENABLED=1 $(GO) build -buildmode=c-shared -trimpath -ldflags '-s -w -extldflags "-Wl,-soname,libturnwasm.so -Wl,--version-script=$(CURDIR)/host/capi/turnwasm.map"' -o $(CAPI)/libturnwasm.so ./host/capi
	@rm $(CAPI)/libturnwasm.h # cgo's own: turnwasm.h is what people read
	@cp host/capi/turnwasm.h $(CAPI)/

.PHONY: capi-examples
capi-examples: capi ## build host/capi/examples/c, with AddressSanitizer and ThreadSanitizer
	$(CC) $(CWARN) -fsanitize=address $(addprefix host/capi/examples/c/,quickstart.c check.c tools.c leaks.c bad_input.c) -o $(CAPI)/quickstart -lturnwasm
	$(CC) $(CWARN) -fsanitize=thread host/capi/examples/c/threads.c -o $(CAPI)/threads -lturnwasm -lpthread

.PHONY: test-embedding
test-embedding: ## the hosts in C, Python, Rust and the JVM against coturn and pion, with transcripts, leaks, bad input; ONLY=NAME, JSON=FILE
	@$(GO) run ./host/hosttest/embedding $(if $(ONLY),-only '$(ONLY)') $(if $(JSON),-json '$(JSON)')

.PHONY: coturn-next
coturn-next: ## the client's address changes under traffic, against COTURN_NEXT=PROGRAM (see .ci/coturn-next) or the installed coturn
	@$(GO) run ./host/hosttest/moving

.PHONY: lint
lint: lint-here lint-elsewhere ## gofmt, vet (for other systems too), staticcheck, govulncheck

.PHONY: lint-here
lint-here: ## lint for this system and for the module
	@test -z "$$(gofmt -l client wasm host examples js/internal | tee /dev/stderr)"
	$(GO) vet ./...
	GOOS=wasip1 GOARCH=wasm $(GO) vet ./wasm/... ./client/...
	$(GO) run $(STATICCHECK) ./...
	@GO=$(GO) sh .ci/govulncheck $(GOVULNCHECK)

# Vet compiles what a package imports, for its types alone: unoptimised is enough.
VET_ELSEWHERE := $(GO) vet -gcflags='all=-N -l' ./...

.PHONY: lint-elsewhere
lint-elsewhere: ## vet for other systems (minutes, the first time: it compiles everything for each)
	GOOS=windows $(VET_ELSEWHERE)
	GOOS=darwin $(VET_ELSEWHERE)
	GOOS=freebsd $(VET_ELSEWHERE)
	GOOS=linux GOARCH=arm64 $(VET_ELSEWHERE)
	GOOS=linux GOARCH=386 $(VET_ELSEWHERE)

.PHONY: clean
clean: ## remove what the targets leave behind
	rm -f client.cover
	rm -rf js/build js/types js/turn.wasm js/LICENSE
	rm -rf host/capi/build examples/python/build examples/rust/target examples/jvm/target
