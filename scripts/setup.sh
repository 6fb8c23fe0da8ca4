#!/usr/bin/env bash
# Answers: is everything here that the build needs, and if not, can we get it?
#
#   scripts/setup.sh                 what building, `make demo` and plain tests need
#   scripts/setup.sh --with-python   also the foreign client's Python (for `make test`)
#
# Safe to run at any time: what is in place is left alone, and a run that finds everything takes
# well under a second. It installs system packages (Debian and its relatives), checks Rust,
# compiles RocksDB once per machine, and writes .cargo/config.toml, so that bare cargo and make
# agree. It never sets RUSTFLAGS: that would compile everything a second time.
set -euo pipefail
# shellcheck source=scripts/settings.sh
source "$(dirname "${BASH_SOURCE[0]}")/settings.sh"

with_python=0
for argument in "$@"; do
	case "$argument" in
	--with-python) with_python=1 ;;
	*) refuse "setup.sh does not know '$argument'." "setup.sh 不认识参数 $argument。" ;;
	esac
done

# --- System packages --------------------------------------------------------------------------

has_libclang() {
	local found
	[ -n "${LIBCLANG_PATH:-}" ] && return 0
	found=$(compgen -G '/usr/lib/llvm-*/lib/libclang*.so*' ||
		compgen -G '/usr/lib/*/libclang*.so*' ||
		compgen -G '/usr/lib*/libclang.so*') || return 1
	grep -qv 'libclang-cpp' <<<"$found"
}

# bindgen needs clang's own headers (stdbool.h and its like) besides the library.
has_clang_headers() {
	[ -n "${BINDGEN_EXTRA_CLANG_ARGS:-}" ] ||
		compgen -G '/usr/lib/llvm-*/lib/clang/*/include/stdbool.h' >/dev/null ||
		compgen -G '/usr/lib*/clang/*/include/stdbool.h' >/dev/null
}

has_venv() { python3 -c 'import venv, ensurepip' 2>/dev/null; }

missing_packages() {
	command -v g++ >/dev/null || echo g++
	command -v gcc >/dev/null || echo gcc
	command -v make >/dev/null || echo make
	[ -e /usr/include/stdlib.h ] || echo libc6-dev
	if ! has_libclang || ! has_clang_headers; then
		# Bookworm's small pair; elsewhere the release's own default, which brings both parts.
		if grep -qs '^VERSION_CODENAME=bookworm' /etc/os-release; then
			echo libclang1-14 libclang-common-14-dev
		else
			echo libclang-dev
		fi
	fi
	if [ "$with_python" = 1 ] && [ ! -x "$python_home/bin/python" ] && ! has_venv; then
		echo python3 python3-venv
	fi
	# Tests that cut networks and fill disks do so in namespaces of their own.
	if [ "$with_python" = 1 ]; then
		command -v unshare >/dev/null || echo util-linux
		[ -x /sbin/ip ] || [ -x /usr/bin/ip ] || echo iproute2
		[ -x /sbin/mkfs.ext4 ] || echo e2fsprogs
	fi
}

install_packages() {
	local packages=$1 as_root=()
	if ! command -v apt-get >/dev/null; then
		refuse "These packages are missing, and there is no apt-get here to install them: $packages
Please install what your system calls them, then run this again." \
			"缺少这些软件包，而本机没有 apt-get：$packages
请用本系统的方式安装对应的软件包，然后重新运行。"
	fi
	if [ "$(id -u)" != 0 ]; then
		if ! command -v sudo >/dev/null; then
			refuse "System packages are missing, and we are neither root nor have sudo. Please let an administrator run:
  apt-get install -y $packages" \
				"缺少系统软件包，而当前用户不是 root，也没有 sudo。请管理员执行：
  apt-get install -y $packages"
		fi
		as_root=(sudo)
	fi
	say "Installing system packages: $packages" "正在安装系统软件包：$packages"
	local log=$cache/packages.log
	# The list may be old or empty on a fresh machine; a failed update is judged by the install.
	"${as_root[@]}" apt-get update >"$log" 2>&1 || true
	# shellcheck disable=SC2086
	if ! "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
		apt-get install -y --no-install-recommends $packages >>"$log" 2>&1; then
		tail -n 15 "$log" >&2
		refuse "The packages could not be installed (full log: $log). Please run, as an administrator:
  apt-get update && apt-get install -y $packages" \
			"软件包安装失败（完整日志：$log）。请以管理员身份执行：
  apt-get update && apt-get install -y $packages"
	fi
}

# --- Rust -------------------------------------------------------------------------------------

rust_version() { (cd "$root" && rustc --version 2>/dev/null) | sed -n 's/^rustc \([0-9.]*\).*/\1/p'; }

# true when version $1 is at least $2
at_least() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]; }

check_rust() {
	if ! command -v cargo >/dev/null || ! command -v rustc >/dev/null; then
		refuse "Rust is missing. Please install Rust $rust_channel with rustup, then run this again." \
			"没有找到 Rust。请用 rustup 安装 Rust $rust_channel，然后重新运行。"
	fi
	if [ -z "$(rust_version)" ] && command -v rustup >/dev/null; then
		adopt_toolchain
	fi
	local found
	found=$(rust_version) || true
	if [ -z "$found" ] || ! at_least "$found" "$rust_channel"; then
		refuse "Rust $rust_channel or newer is needed, found: ${found:-none that starts}. Please run:
  rustup toolchain install $rust_channel --profile minimal --component clippy --component rustfmt" \
			"需要 Rust $rust_channel 或更新的版本，现有：${found:-无法启动}。请执行：
  rustup toolchain install $rust_channel --profile minimal --component clippy --component rustfmt"
	fi
}

# The pinned toolchain is not there under its own name. An installed one of exactly that version
# serves under it, without a download (a machine may have no way to rustup's server); otherwise ask.
adopt_toolchain() {
	local log=$cache/rustup.log home candidate host
	home=${RUSTUP_HOME:-$HOME/.rustup}/toolchains
	for candidate in "$home"/*; do
		[ -x "$candidate/bin/rustc" ] || continue
		if "$candidate/bin/rustc" --version | grep -q "^rustc $rust_channel "; then
			host=$("$candidate/bin/rustc" -vV | sed -n 's/^host: //p')
			# `rustup toolchain link` refuses names that look like versions.
			ln -sfn "$candidate" "$home/$rust_channel-$host"
			say "Using the installed toolchain ${candidate##*/} as $rust_channel" \
				"使用已安装的工具链 ${candidate##*/} 作为 $rust_channel"
			return
		fi
	done
	say "Asking rustup for Rust $rust_channel" "正在通过 rustup 安装 Rust $rust_channel"
	timeout 600 rustup toolchain install "$rust_channel" --profile minimal \
		--component clippy --component rustfmt >"$log" 2>&1 || tail -n 5 "$log" >&2
}

# --- RocksDB ----------------------------------------------------------------------------------

rocksdb_recipe="librocksdb-sys $librocksdb_sys_version, features $librocksdb_sys_features"

rocksdb_ready() {
	[ -s "$rocksdb_home/lib/librocksdb.a" ] &&
		[ "$(cat "$rocksdb_home/recipe" 2>/dev/null)" = "$rocksdb_recipe" ]
}

# Compiles the crate's own C++ sources by a manifest made for nothing else. The folder of objects
# is kept until the library lies in place, so that an interrupted set-up goes on where it stopped.
build_rocksdb() {
	local work=$cache/rocksdb-build log=$cache/rocksdb-build.log started pid out
	mkdir -p "$work/manifest/src"
	cat >"$work/manifest/Cargo.toml" <<-MANIFEST
		[package]
		name = "rocksdb-build"
		version = "0.0.0"
		edition = "2021"

		[workspace]

		[dependencies]
		librocksdb-sys = { version = "=$librocksdb_sys_version", default-features = false, features = [$librocksdb_sys_features] }
	MANIFEST
	: >"$work/manifest/src/lib.rs"

	say "Compiling RocksDB $rocksdb_version once for this machine (8 to 15 minutes on two cores; log: $log)" \
		"正在为本机编译 RocksDB $rocksdb_version（只需一次，双核约 8 至 15 分钟；日志：$log）"
	started=$SECONDS
	# From inside the manifest's folder, so that no .cargo/config.toml of a project is read; and
	# without the variables that would change what is built. The lock (9) stays ours.
	(
		cd "$work/manifest"
		unset ROCKSDB_LIB_DIR ROCKSDB_STATIC ROCKSDB_INCLUDE_DIR RUSTFLAGS CARGO_ENCODED_RUSTFLAGS \
			CARGO_BUILD_RUSTFLAGS CARGO_BUILD_TARGET CARGO_BUILD_BUILD_DIR
		command -v rustup >/dev/null && export RUSTUP_TOOLCHAIN=$rust_channel
		CARGO_TARGET_DIR=$work exec cargo build --release --message-format=json 9>&-
	) >"$work/messages.json" 2>"$log" &
	pid=$!
	trap 'kill "$pid" 2>/dev/null || true' EXIT
	while kill -0 "$pid" 2>/dev/null; do
		sleep 1
		if [ $(((SECONDS - started) % 10)) = 0 ]; then printf '.' >&2; fi
	done
	trap - EXIT
	printf '\n' >&2
	if ! wait "$pid"; then
		tail -n 30 "$log" >&2
		refuse "RocksDB did not compile (full log: $log). The usual causes: no network to the crate registry, a full disk, or libclang without its headers." \
			"RocksDB 编译失败（完整日志：$log）。常见原因：无法访问 crate 仓库、磁盘已满，或缺少 libclang 的头文件。"
	fi
	out=$(grep '"reason":"build-script-executed"' "$work/messages.json" |
		grep 'librocksdb-sys' | sed -n 's/.*"out_dir":"\([^"]*\)".*/\1/p' | tail -n 1)
	if [ ! -s "$out/librocksdb.a" ]; then
		refuse "RocksDB compiled, but its library is not where it should be: $out (log: $log)" \
			"RocksDB 已编译，但没有在预期位置找到静态库：$out（日志：$log）"
	fi
	# Beside its place first, then one rename: a half-copied library is never linked.
	rm -rf "$rocksdb_home.new"
	mkdir -p "$rocksdb_home.new/lib"
	cp "$out/librocksdb.a" "$rocksdb_home.new/lib/"
	printf '%s\n' "$rocksdb_recipe" >"$rocksdb_home.new/recipe"
	rm -rf "$rocksdb_home"
	mv "$rocksdb_home.new" "$rocksdb_home"
	rm -rf "$work"
	say "RocksDB is ready after $((SECONDS - started)) s: $rocksdb_home/lib" \
		"RocksDB 已就绪，用时 $((SECONDS - started)) 秒：$rocksdb_home/lib"
}

# --- cargo's settings for this clone ----------------------------------------------------------

write_cargo_config() {
	local file=$root/.cargo/config.toml wanted
	wanted="# Written by scripts/setup.sh; changes are overwritten. Tells every cargo call in this folder,
# and every tool that starts cargo, where the RocksDB of this machine lies.
[env]
ROCKSDB_LIB_DIR = \"$rocksdb_home/lib\"
ROCKSDB_STATIC = \"1\"
LUQIAO_PYTHON = \"$python_home/bin/python\""
	if [ "$(cat "$file" 2>/dev/null)" != "$wanted" ]; then
		mkdir -p "$root/.cargo"
		printf '%s\n' "$wanted" >"$file.new"
		mv "$file.new" "$file"
		say "Wrote .cargo/config.toml" "已写入 .cargo/config.toml"
	fi
}

# --- Python for the foreign client and for scripts/verify.py ----------------------------------

python_home=$cache/python-grpcio-$grpcio_version-cryptography-$cryptography_version-moto-$moto_version

build_python() {
	local log=$cache/python.log
	say "Preparing Python with grpcio $grpcio_version, cryptography $cryptography_version and moto $moto_version for the tests" \
		"正在准备测试用的 Python（grpcio $grpcio_version、cryptography $cryptography_version、moto $moto_version）"
	# A venv knows its own path, so it is made in place; the mark, not the folder, says it is whole.
	rm -rf "$python_home"
	if ! { python3 -m venv "$python_home" &&
		"$python_home/bin/python" -m pip install --disable-pip-version-check --quiet \
			"grpcio==$grpcio_version" "grpcio-tools==$grpcio_version" \
			"cryptography==$cryptography_version" "moto[s3,server]==$moto_version"; } >"$log" 2>&1; then
		tail -n 15 "$log" >&2
		refuse "grpcio, cryptography or moto could not be installed (full log: $log). The tests of foreign clients and of backups on S3 need them; is the package index reachable?" \
			"grpcio、cryptography 或 moto 安装失败（完整日志：$log）。外部客户端测试需要它们；请检查能否访问软件包仓库。"
	fi
	: >"$python_home/complete"
}

# --- All of it --------------------------------------------------------------------------------

mkdir -p "$cache"
# One set-up at a time per machine; the second waits and then finds everything done.
exec 9>"$cache/setup.lock"
if ! flock -n 9; then
	say "Another set-up is running; waiting for it" "另一个准备过程正在进行，等待其完成"
	flock 9
fi

packages=$(missing_packages | tr '\n' ' ')
[ -z "${packages// /}" ] || install_packages "$packages"
check_rust
rocksdb_ready || build_rocksdb
if [ "$with_python" = 1 ] && [ ! -e "$python_home/complete" ]; then build_python; fi
write_cargo_config
"$root/scripts/third_party.sh" load
