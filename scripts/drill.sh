#!/usr/bin/env bash
# Every drill that this machine can hold, on three domains with real processes, one after the other.
# Reports and last lines are kept in drill-results/; the last lines are printed at the end.
# 在本机以独立进程逐一执行可用的演练，结果保存在 drill-results/，最后打印各演练的末行。
set -euo pipefail
cd "$(dirname "$0")/.."

luqiao=${LUQIAO:-${CARGO_TARGET_DIR:-target}/debug/luqiao}
results=drill-results
mkdir -p "$results"
failed=0
lines=()

plans=$("$luqiao" drill list --output json |
  python3 -c 'import json,sys; [print(p["name"], int(p["runs"])) for p in json.load(sys.stdin)["plans"]]')
while read -r plan runs; do
  if [ "$runs" = 0 ]; then
    lines+=("$plan: cannot be run yet; \`luqiao drill plan $plan\` says what is missing")
    continue
  fi
  echo "== $plan" >&2
  data=$(mktemp -d)
  line=""
  if ! line=$("$luqiao" drill run "$plan" --town --data "$data/city" --results "$results" \
    --why "make drill" --output json </dev/null | tail -n 1); then
    failed=1
  fi
  lines+=("${line:-$plan: no result}")
  # The newest report of the plan, checked as a regulator would: with the anchor and nothing else.
  report=$(find "$results" -path "$results/$plan-*/report.json" -newer "$data" | sort | tail -n 1)
  if [ -n "$report" ]; then
    "$luqiao" drill verify "$report" --trust "$data/city/xiamen/trust.json" \
      --page "${report%.json}.html" >&2 || failed=1
  else
    failed=1
  fi
  rm -rf "$data"
done <<<"$plans"

printf '%s\n' "${lines[@]}"
exit $failed
