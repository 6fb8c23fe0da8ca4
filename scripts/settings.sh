# Sourced by the other scripts. Answers: where do things lie, in which versions, and in which
# language do we speak?
# shellcheck shell=bash disable=SC2034

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${LUQIAO_CACHE:-$HOME/.cache/luqiao}

# Bound to `rocksdb` in the root Cargo.toml: this crate version and these features, or the static
# library and the generated bindings do not belong together.
rocksdb_version=0.25.0
librocksdb_sys_version=0.19.0
librocksdb_sys_features='"lz4", "bindgen-runtime"'
rocksdb_home=$cache/rocksdb-$rocksdb_version

buf_version=1.75.0
grpcio_version=1.85.1
cryptography_version=48.0.0
# A server that speaks S3 and is not ours, for the tests of backups.
moto_version=5.2.5

# The toolchain this repository is pinned to; rustup reads the same line.
rust_channel=$(sed -n 's/^channel *= *"\(.*\)"/\1/p' "$root/rust-toolchain.toml")

# Where rustup puts cargo, for shells that have not read its profile.
export PATH=$PATH:$HOME/.cargo/bin

# 说中文还是英文：看 LUQIAO_LANG，再看系统的语言设置。
case "${LUQIAO_LANG:-${LC_ALL:-${LC_MESSAGES:-${LANG:-}}}}" in
zh*) speak_chinese=1 ;;
*) speak_chinese=0 ;;
esac

# say ENGLISH CHINESE: talk goes to stderr, as in the command line itself.
say() {
	if [ "$speak_chinese" = 1 ]; then printf '%s\n' "$2" >&2; else printf '%s\n' "$1" >&2; fi
}

# refuse ENGLISH CHINESE: what could not be done and what the reader can do; then the end. Both
# languages, because whoever must act on it may not be who started it.
refuse() {
	printf '\n%s\n%s\n' "$1" "$2" >&2
	exit 1
}
