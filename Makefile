# Skyhaul: `make run` starts the server, `make test` passes every test, `make help` lists the rest.

.DEFAULT_GOAL := help
SHELL := /bin/bash

# One clear line for a missing tool.
need = @command -v $(1) >/dev/null || { echo "missing: $(1) ($(2))" >&2; exit 2; }

.PHONY: help
help: ## List the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: tools
tools:
	$(call need,cargo,install Rust from https://rustup.rs)
	$(call need,cc,install a C compiler: apt-get install build-essential)

.PHONY: run
run: build ## Start the server with the San Francisco scenario on http://127.0.0.1:8080
	./target/release/skyhaul serve

.PHONY: web-tools
web-tools:
	$(call need,npm,install Node 20 or newer: apt-get install nodejs npm)
	@node -e 'process.exit(Number(process.versions.node.split(".")[0] < 20))' || { echo "too old: node $$(node --version) (install Node 20 or newer)" >&2; exit 2; }

# Installed again only when the lock file changed.
web/node_modules/.package-lock.json: web/package-lock.json
	cd web && npm ci --no-audit --no-fund
	@touch $@

# Built again only when something in it changed: the program is compiled again after it.
web/dist/index.html: web/node_modules/.package-lock.json $(shell find web/src web/public web/client/src web/*.json web/*.ts web/*.html -type f)
	cd web && npm run --silent build

.PHONY: web
web: web-tools web/dist/index.html ## Build the page into web/dist

.PHONY: describe
describe: tools web-tools web/node_modules/.package-lock.json ## Write the messages' description, and the client's types from it
	SKYHAUL_DESCRIBE=1 cargo test --locked --lib asyncapi::
	cd web && npm run --silent generate --workspace client

.PHONY: build
build: tools web ## Build target/release/skyhaul, with the page inside
	cargo build --release --locked

# The page's tests need a browser; on a Debian-like system it is installed where that is allowed.
.PHONY: browser
browser:
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null \
	  || { [ "$$(id -u)" = 0 ] && apt-get update && apt-get install --yes --no-install-recommends chromium; } \
	  || { echo "missing: chromium (apt-get install chromium)" >&2; exit 2; }

# The store's tests start a PostgreSQL of their own; the package's own cluster is not wanted,
# unless whoever keeps this machine has said already what they want.
CREATE_CLUSTER := /etc/postgresql-common/createcluster.conf

.PHONY: postgres
postgres:
	@ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null \
	  || { [ "$$(id -u)" = 0 ] && mkdir -p $(dir $(CREATE_CLUSTER)) \
	       && { [ -e $(CREATE_CLUSTER) ] || echo 'create_main_cluster = false' > $(CREATE_CLUSTER); } \
	       && apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends postgresql; } \
	  || { echo "missing: PostgreSQL (apt-get install postgresql)" >&2; exit 2; }

# A message broker for the tests of `emit`: unpacked, not installed, so that none runs as a service.
.PHONY: nats
nats:
	@command -v nats-server >/dev/null || [ -x /usr/sbin/nats-server ] || [ -x target/nats/usr/sbin/nats-server ] \
	  || { mkdir -p target/nats && cd target/nats \
	       && { apt-get download nats-server || { [ "$$(id -u)" = 0 ] && apt-get update && apt-get download nats-server; }; } \
	       && dpkg -x nats-server_*.deb .; } \
	  || { echo "missing: nats-server (apt-get install nats-server)" >&2; exit 2; }

# Another load generator, to hold ours against: unpacked with what it needs, not installed.
H2LOAD := nghttp2-client libnghttp2-14 libev4 libjemalloc2

.PHONY: h2load
h2load:
	@command -v h2load >/dev/null || [ -x target/h2load/usr/bin/h2load ] \
	  || { mkdir -p target/h2load && cd target/h2load \
	       && { apt-get download $(H2LOAD) || { [ "$$(id -u)" = 0 ] && apt-get update && apt-get download $(H2LOAD); }; } \
	       && for package in *.deb; do dpkg -x $$package .; done; } \
	  || { echo "missing: h2load (apt-get install nghttp2-client)" >&2; exit 2; }

.PHONY: test
test: tools build browser postgres nats ## Run every test
	$(call need,python3,install Python 3: apt-get install python3)
	cargo test --locked
	tests/clients/run target/release/skyhaul
	cd web && SKYHAUL_PROGRAM=$(CURDIR)/target/release/skyhaul npm test --silent --workspace client
	cd web && SKYHAUL_PROGRAM=../target/release/skyhaul npm test --silent

# Twenty-four minutes of lunch over San Francisco, recorded.
DEMO := scenarios/demo.mcap

# When scenarios/demo.toml changes or what a recording is made of (tests say so), or what worlds do.
.PHONY: record-demo
record-demo: build ## Record anew what `make demo` plays
	./target/release/skyhaul run $(DEMO:.mcap=.toml) --record $(DEMO).new
	@mv $(DEMO).new $(DEMO)

.PHONY: demo
demo: build ## Play a recorded lunch over San Francisco in a loop, for a stand
	@echo "open http://127.0.0.1:8080/?kiosk to follow one delivery after the other, or http://127.0.0.1:8080 to look around"
	./target/release/skyhaul replay $(DEMO) --from 00:01:00 --loop

.PHONY: screenshots
screenshots: build browser ## Make the pictures in docs/ anew
	cd web && SKYHAUL_PROGRAM=../target/release/skyhaul npm run --silent screenshots

# Of each story, in each place.
CRASHES ?= 200

.PHONY: crash
crash: tools postgres ## Kill and restart a running server two hundred times, in a folder and in PostgreSQL
	SKYHAUL_CRASHES=$(CRASHES) cargo test --locked --test journeys crash:: -- --nocapture

# Simulated, and real ones with an audience; 0 leaves out either.
SOAK_DAYS ?= 14
SOAK_MINUTES ?= 60

.PHONY: soak
soak: build ## Let two simulated weeks and one real hour with an audience go by, and see that nothing grows
	$(call need,python3,install Python 3: apt-get install python3)
	python3 benches/soak.py --days $(SOAK_DAYS) --minutes $(SOAK_MINUTES)

# Seconds for each target.
FUZZ_SECONDS ?= 600
FUZZ_TARGETS := client_json client_msgpack tokens last_event_id

.PHONY: fuzz
fuzz: tools ## Throw what nobody would send at everything that reads what strangers send
	$(call need,cargo-fuzz,cargo install cargo-fuzz)
	@rustc +nightly --version >/dev/null 2>&1 || { echo "missing: a nightly Rust (rustup toolchain install nightly)" >&2; exit 2; }
	@set -e; for target in $(FUZZ_TARGETS); do \
	  mkdir -p fuzz/corpus/$$target; \
	  cargo +nightly fuzz run $$target fuzz/corpus/$$target fuzz/seeds/$$target -- \
	    -max_total_time=$(FUZZ_SECONDS) -rss_limit_mb=2048 -print_final_stats=1; \
	done

# Seconds.
SCHEMA_SECONDS ?= 600

.PHONY: schema
schema: build ## Try whatever the OpenAPI description allows, for SCHEMA_SECONDS
	$(call need,python3,install Python 3: apt-get install python3)
	SKYHAUL_SCHEMA_SECONDS=$(SCHEMA_SECONDS) tests/clients/run target/release/skyhaul test_schema.py

.PHONY: bench
bench: tools postgres ## Measure the sky, the tick, the accept path and memory
	cargo bench --locked

# BlueSky, the open simulator of air traffic, for the bench that flies beside it.
target/peers/bin/python: benches/peers/requirements.txt
	$(call need,python3,install Python 3 with venv: apt-get install python3-venv)
	python3 -m venv target/peers
	target/peers/bin/pip install --quiet --disable-pip-version-check -r $<
	@touch $@

.PHONY: peers
peers: tools target/peers/bin/python ## Fly beside BlueSky: aircraft steps a second of both, in one run
	cargo bench --locked --bench peers

.PHONY: agree
agree: build h2load ## See whether `skyhaul load` finds what another load generator finds
	$(call need,python3,install Python 3: apt-get install python3)
	python3 benches/peers/agree.py

.PHONY: bench-all
bench-all: build nats h2load target/peers/bin/python ## Measure everything beside its peers, in 25 minutes: the README's table
	$(call need,python3,install Python 3: apt-get install python3)
	python3 benches/all.py --readme

.PHONY: growth
growth: build ## In six minutes, measure how cost grows with drones, watchers and requests: docs/growth.svg
	python3 benches/growth.py

.PHONY: lint
lint: tools ## Check formatting and lints
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings

.PHONY: fmt
fmt: tools ## Format the code
	cargo fmt

.PHONY: check
check: build ## Validate the shipped scenarios
	./target/release/skyhaul check scenarios/*.toml scenarios/capacity/*.toml

# One after the other, each against a server of its own that holds the same world.
CAPACITY ?= smoke lunch-rush
CAPACITY_LISTEN ?= 127.0.0.1:8097

.PHONY: capacity
capacity: build ## Put a server under load: the short capacity scenarios (CAPACITY="smoke storm" for others)
	@set -e; for name in $(CAPACITY); do \
	  scenario=scenarios/capacity/$$name.toml; \
	  echo "== $$name"; \
	  RUST_LOG=warn ./target/release/skyhaul serve --scenario $$scenario --data :memory: --no-demand --listen $(CAPACITY_LISTEN) & \
	  server=$$!; trap "kill $$server 2>/dev/null" EXIT; \
	  for _ in $$(seq 600); do (exec 3<>/dev/tcp/$(subst :,/,$(CAPACITY_LISTEN))) 2>/dev/null && break; sleep 0.2; done; \
	  ./target/release/skyhaul load $$scenario --target http://$(CAPACITY_LISTEN); \
	  kill $$server; wait $$server || true; trap - EXIT; \
	done
