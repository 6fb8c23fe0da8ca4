#!/usr/bin/env bash
# Answers: are the protocol files well formed, and still what our callers were promised?
# Runs buf in its pinned version, fetched once from npm into the cache. Only these checks need it.
set -euo pipefail
# shellcheck source=scripts/settings.sh
source "$(dirname "${BASH_SOURCE[0]}")/settings.sh"

home=$cache/buf-$buf_version
if [ ! -x "$home/node_modules/.bin/buf" ]; then
	if ! command -v npm >/dev/null; then
		refuse "buf $buf_version comes from npm, and npm is not here. Please install Node.js with npm (Debian: apt-get install -y npm)." \
			"buf $buf_version 通过 npm 安装，但本机没有 npm。请安装 Node.js 与 npm（Debian：apt-get install -y npm）。"
	fi
	mkdir -p "$cache"
	staging=$(mktemp -d "$cache/buf.XXXXXX")
	# The program ships inside the package; its install script would only look for it elsewhere.
	if ! npm install --prefix "$staging" --ignore-scripts --no-audit --no-fund --no-save \
		"@bufbuild/buf@$buf_version" >"$cache/buf.log" 2>&1; then
		tail -n 15 "$cache/buf.log" >&2
		rm -rf "$staging"
		refuse "buf could not be installed (full log: $cache/buf.log)." "buf 安装失败（完整日志：$cache/buf.log）。"
	fi
	rm -rf "$home"
	mv "$staging" "$home"
fi
cd "$root"
exec "$home/node_modules/.bin/buf" "$@"
