#!/usr/bin/env bash
# Answers: does everything hold under every fault that this machine allows to be made?
#
#   scripts/faults.sh            every test with faults, stories and the upgrade; histories in fault-results/
#   scripts/faults.sh possible   exit code 0 if this machine lets tests have networks and disks of their own
#
# Where it does, no such test may be skipped: LUQIAO_FAULTS=required makes a skipped one fail.
set -euo pipefail
# shellcheck source=scripts/settings.sh
source "$(dirname "${BASH_SOURCE[0]}")/settings.sh"
cd "$root"

# Asked here apart from what the tests themselves find out: a mistake there must not skip them all.
possible() {
	local users=()
	[ "$(id -u)" = 0 ] || users=(--user --map-root-user)
	unshare --net --mount --propagation private "${users[@]}" -- sh -ec '
		mount -t tmpfs none /run
		ip link set lo up
		ip netns add first' >/dev/null 2>&1
}

case "${1:-}" in
possible) possible ;;
'')
	if possible; then export LUQIAO_FAULTS=required; fi
	rm -rf fault-results
	status=0
	scripts/test.sh --package linearizability || status=$?
	scripts/test.sh --package federation-tests --test it -- --test-threads=1 faults:: stories:: upgrade:: || status=$?
	echo
	cargo run --quiet --package linearizability --bin check-history -- fault-results/*.jsonl || status=$?
	exit "$status"
	;;
*) refuse "Say 'possible' or nothing." "请用 possible，或不带参数。" ;;
esac
