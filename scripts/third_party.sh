#!/usr/bin/env bash
# Answers: must a fresh clone compile three hundred foreign crates again? No: it copies them.
#
#   scripts/third_party.sh save   keep this clone's compiled third-party crates in the cache
#   scripts/third_party.sh load   give them to a clone that has built nothing yet
#
# Why a copy and not one shared target folder: cargo names the units of workspace crates by their
# path *within* the workspace and judges them by modification time, so two clones with one folder
# can run each other's binaries. Foreign crates are named by registry, version, features, profile
# and compiler; a copy that does not fit is simply not used. Our own crates are never copied.
set -euo pipefail
# shellcheck source=scripts/settings.sh
source "$(dirname "${BASH_SOURCE[0]}")/settings.sh"
cd "$root"

target=${CARGO_TARGET_DIR:-target}/debug
store=$cache/third-party-$rust_channel
# Beyond this, old versions have piled up: better to start anew than to carry them along.
most_megabytes=8192

# What decides which foreign crates are built how: versions, features, profiles.
recipe() { cat Cargo.lock Cargo.toml rust-toolchain.toml | sha256sum | cut -d ' ' -f 1; }
# A demo builds fewer units than the tests; the richer copy is kept.
units() { find "$1/.fingerprint" -mindepth 1 -maxdepth 1 | wc -l; }

# Names of our packages and of all their targets, as they begin file names (`-` and `_` both).
our_names() {
	cargo metadata --no-deps --format-version 1 --offline | python3 -c '
import json, sys
names = set()
for package in json.load(sys.stdin)["packages"]:
    names.add(package["name"])
    names.update(target["name"] for target in package["targets"])
names |= {name.replace("-", "_") for name in names} | {"build_script_build", "build-script-build"}
print("\n".join(sorted(names)))'
}

save() {
	[ -d "$target/.fingerprint" ] || return 0
	[ -f Cargo.lock ] || return 0
	if [ "$(cat "$store/recipe" 2>/dev/null)" = "$(recipe)" ] &&
		[ "$(cat "$store/units")" -ge "$(units "$target")" ]; then return 0; fi
	command -v python3 >/dev/null || return 0
	local pattern new=$store.new
	pattern=$(our_names | sed 's/[.]/\\./g' | paste -sd '|')
	exec 9>"$cache/setup.lock"
	flock 9
	rm -rf "$new"
	mkdir -p "$new/debug"
	# The fingerprints decide: a unit without one is built, whatever else lies around.
	(
		cd "$target"
		find .fingerprint build -mindepth 1 -maxdepth 1 -type d
		find deps -maxdepth 1 -type f \
			\( -name '*.rlib' -o -name '*.rmeta' -o -name '*.so' -o -name '*.d' \)
	) | grep -Ev "^[^/]*/(lib)?($pattern)-[0-9a-f]{16}(\.|$)" >"$new/list" || true
	tar -C "$target" -cf - -T "$new/list" | tar -C "$new/debug" -xf -
	rm "$new/list"
	recipe >"$new/recipe"
	units "$target" >"$new/units"
	rm -rf "$store"
	if [ "$(du -sm "$new" | cut -f 1)" -gt "$most_megabytes" ]; then
		rm -rf "$new"
		return 0
	fi
	mv "$new" "$store"
}

load() {
	[ ! -e "$target" ] && [ -d "$store/debug" ] || return 0
	say "Copying compiled third-party crates from the cache" "正在从缓存复制已编译的第三方 crate"
	rm -rf "$target.new"
	mkdir -p "$(dirname "$target")"
	cp -a --reflink=auto "$store/debug" "$target.new"
	mv "$target.new" "$target"
}

case "${1:-}" in
save) save ;;
load) load ;;
*) refuse "Say 'save' or 'load'." "请用 save 或 load。" ;;
esac
