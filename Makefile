# The one list of commands. CI runs `make check` through .ci/run.
# 常用命令：make demo（演示）、make test（测试）、make check（提交前检查）。

.DEFAULT_GOAL := help
.PHONY: help setup demo test check fmt lint doc proto-lint proto-baseline bench law-speed law-load rules-off compare-etcd \
	sim replay shrink mutations nightly faults

export PATH := $(PATH):$(HOME)/.cargo/bin

SEEDS ?= 1..50
SEED ?=
ARGS ?=

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  make %-16s %s\n", $$1, $$2 }'

setup: ## system packages, Rust, RocksDB: what is missing, once
	@scripts/setup.sh

demo: setup ## the whole walk over three domains, then the end (ARGS=... for `luqiao dev`)
	cargo build --package luqiao $(if $(findstring --processes,$(ARGS)),--package catalog-node --package gateway)
	@scripts/third_party.sh save || true
	cargo run --quiet --package luqiao -- dev --exit $(ARGS)

test: ## all tests; the last line counts them (ARGS=... for `cargo test`)
	@scripts/setup.sh --with-python
	@scripts/test.sh $(ARGS); status=$$?; scripts/third_party.sh save >&2 || true; exit $$status

check: ## everything CI runs
	@.ci/run

fmt: ## format the Rust code
	cargo fmt --all

lint: setup ## formatting and clippy, warnings are errors
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings

doc: setup ## the documentation, warnings are errors
	RUSTDOCFLAGS=-Dwarnings cargo doc --no-deps --workspace

proto-lint: ## protocol files: style, and compatibility with proto/baseline.binpb
	scripts/buf.sh lint proto
	scripts/buf.sh breaking proto --against proto/baseline.binpb

proto-baseline: ## renew the promise of compatibility; needs a line in CHANGELOG.md
	scripts/buf.sh lint proto
	scripts/buf.sh build proto --output proto/baseline.binpb
	@echo 'proto/baseline.binpb is renewed. Say in CHANGELOG.md what changed for callers, and commit both together.'

bench: setup ## the table of speed and memory (release build; results in bench-results/)
	cargo build --release --package luqiao --package catalog-node --package gateway --package federation-tests
	cargo run --release --package federation-tests --bin bench -- $(ARGS)

law-speed: setup ## how long the law takes: one request, a draft against 100,000 cases (release build)
	cargo run --release --package simulations --features law-speed --bin law_speed -- $(ARGS)

law-load: setup ## cases, deadlines, calendar and proofs on three processes (release build; ARGS=--rows=...)
	cargo build --release --package catalog-node --package simulations --features simulations/law-load --bin catalog-node --bin law_load
	"$${CARGO_TARGET_DIR:-target}/release/law_load" $(ARGS)

compare-etcd: setup ## side by side with etcd on this machine, as ratios (ARGS=--quick; results in bench-results/)
	cargo build --release --package catalog-node
	cargo run --release --package simulations --features load --bin compare_etcd -- $(ARGS)

faults: setup ## real processes killed, stopped, cut off, without disk; histories in fault-results/
	@scripts/faults.sh

sim: setup ## simulated clusters: make sim SEEDS=1..200
	cargo run --package simulations --bin simulate -- run --seeds $(SEEDS) $(ARGS)

replay: setup ## one simulated cluster again, told in full: make replay SEED=17
	@test -n '$(SEED)' || { echo 'Which seed? make replay SEED=17' >&2; exit 2; }
	cargo run --package simulations --bin simulate -- replay --seed $(SEED) $(ARGS)

shrink: setup ## the least that still goes wrong in a seed: make shrink SEED=17
	@test -n '$(SEED)' || { echo 'Which seed? make shrink SEED=17' >&2; exit 2; }
	cargo run --package simulations --bin simulate -- shrink --seed $(SEED) $(ARGS)

mutations: setup ## does the simulation notice each fault put into the code? the table, from the seeds on file
	cargo run --package simulations --features mutations --bin simulate -- mutations $(ARGS)

rules-off: setup ## takes each rule out of the pack in turn, and prints which story notices
	cargo test --quiet --package catalog-state switching_a_rule_off_is_noticed -- --nocapture

nightly: setup ## thousands of seeds, and for every mutation a seed that catches it, searched anew
	cargo run --release --package simulations --bin simulate -- run --seeds 1..5000 $(ARGS)
	cargo run --release --package simulations --bin simulate -- run --scenario harsh --seeds 1..1000 $(ARGS)
	cargo run --release --package simulations --features mutations --bin simulate -- mutations --search
	@scripts/faults.sh
