#!/usr/bin/env bash
# Answers: do all tests pass, and how many ran?
#
# Arguments go to `cargo test`; without any, the whole workspace runs, doc tests included. The last
# line is `N passed, N failed, N skipped`, summed over all test binaries. A test that cannot run
# here writes `SKIPPED <test>: <reason>` to standard error and returns; libtest counts it as
# passed, we count it as skipped, and ignored tests likewise.
set -euo pipefail
# shellcheck source=scripts/settings.sh
source "$(dirname "${BASH_SOURCE[0]}")/settings.sh"
cd "$root"

if [ $# = 0 ]; then set -- --workspace; fi
record=$(mktemp)
trap 'rm -f "$record"' EXIT
started=$SECONDS

# These tests start the programs of other packages, which only a run of the whole workspace builds.
case "$*" in *federation-tests*) cargo build --workspace --bins ;; esac

status=0
# --no-fail-fast: one run tells everything that is wrong.
cargo test --no-fail-fast "$@" 2>&1 | tee "$record" || status=$?

sum() { sed -n "s/.*test result: .* \([0-9][0-9]*\) $1.*/\1/p" "$record" | awk '{ n += $1 } END { print n + 0 }'; }
said_skipped=$(grep -oE 'SKIPPED [A-Za-z0-9_:]+: ' "$record" | sort -u | wc -l || true)
passed=$(($(sum passed) - said_skipped))
failed=$(sum failed)
skipped=$(($(sum ignored) + said_skipped))

printf '\n'
if [ "$said_skipped" != 0 ]; then
	grep -oE 'SKIPPED [A-Za-z0-9_:]+: .*' "$record" | sort -u
fi
if [ "$status" != 0 ] && [ "$failed" = 0 ]; then
	echo "cargo test failed without a failing test: something did not compile, or a test binary died."
fi
if [ "$status" = 0 ] && [ "$passed" = 0 ]; then
	echo "No test ran."
	status=1
fi
if [ "$failed" != 0 ] && [ "$status" = 0 ]; then status=1; fi
echo "Tests took $((SECONDS - started)) s, building included."
echo "$passed passed, $failed failed, $skipped skipped"
exit "$status"
