#!/usr/bin/env bash
# Answers: against which etcd do we measure? Prints the path of one, building it where there is none.
#
# Only `make compare-etcd` needs it. Where Go is, the pinned version is built in a scratch module in
# the cache; where it is not, the system's etcd is taken, and the version stands in the record.
set -euo pipefail
# shellcheck source=scripts/settings.sh
source "$(dirname "${BASH_SOURCE[0]}")/settings.sh"

etcd_version=3.7.3
home=$cache/etcd-$etcd_version

if [ -x "$home/etcd" ]; then
	echo "$home/etcd"
	exit 0
fi
go=$(command -v go || true)
if [ -z "$go" ] && [ -x /usr/local/go/bin/go ]; then go=/usr/local/go/bin/go; fi
if [ -n "$go" ]; then
	say "Building etcd $etcd_version for the comparison" "正在为对比测试构建 etcd $etcd_version"
	mkdir -p "$home/module"
	cd "$home/module"
	{
		[ -f go.mod ] || "$go" mod init scratch
		"$go" get "go.etcd.io/etcd/server/v3@v$etcd_version"
		"$go" build -o "$home/etcd.new" go.etcd.io/etcd/server/v3
	} >&2
	mv "$home/etcd.new" "$home/etcd"
	echo "$home/etcd"
	exit 0
fi
if found=$(command -v etcd); then
	say "No Go here: measuring against $found" "未找到 Go：改用 $found 进行对比"
	echo "$found"
	exit 0
fi
refuse "Neither Go nor etcd is here: install golang-go or etcd-server." \
	"未找到 Go 或 etcd：请安装 golang-go 或 etcd-server。"
