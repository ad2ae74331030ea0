#!/bin/bash
# setup.sh: makes a bare Debian 12 machine able to build, run and test Cairn.
#
#   tools/setup.sh          what make demo and make test need
#   tools/setup.sh bench    the same and the peers that make bench measures against
#   tools/setup.sh check    installs nothing; prints what is missing; exit 1 if anything is
#
# Installs Debian packages by name (as root, or through sudo), unpacks the third-party sources that
# the WASM build compiles into third_party/ (checked against the sha256 below), and runs npm ci
# where a package-lock.json is newer than what is installed. Says what it does; asks nothing; starts
# no service; safe to run again; needs no network when everything is there.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
third_party=$root/third_party
mode=${1:-base}

packages_base="ca-certificates curl python3 make git procps
  cmake ninja-build pkg-config gcc g++ libc6-dev
  clang clang-14 lld llvm-14 libclang-rt-14-dev clang-format clang-tidy lcov
  libuv1-dev node-llhttp libmbedtls-dev libbearssl-dev nanopb libnanopb-dev libsqlite3-dev
  duktape-dev
  libcmocka-dev libjansson-dev libyaml-dev libcurl4-openssl-dev zlib1g-dev libzstd-dev zstd tzdata
  libsimdjson-dev protobuf-compiler python3-protobuf
  emscripten brotli wabt dpkg-dev tcl
  chromium fonts-noto-cjk"
packages_bench="wrk sqlite3 clickhouse-server clickhouse-client
  libjavascriptcoregtk-4.0-bin"

# name, Debian source package, upstream version, sha256 of the upstream tarball. The hash of the
# upstream tarball is what is pinned: Debian revisions move with security fixes.
sources="
nanopb  0.4.7  e1d89b166367a3c42d42311bdc2ed57ff78f86aede9a66828516e45490d48c81
bearssl 0.6+dfsg.1 102a625bd8f6155260867a50c508df8d8c3f796985dd744df1a68e5cd1a79004
sqlite3 3.40.1 aaa776260ab4dc976db34aa7891819484c8676b5b2783123ebc6301e2ca5d655
"
# Sources inside ordinary packages: what is compiled from them, and its sha256.
packaged_sources="
/usr/share/duktape/duktape.c 2fa5f54ae03b574b2e6cacfb412f3a02c7207b7833f75129a234326b48c17496
/usr/share/duktape/duktape.h 6ba93aea92510096c43ddd7c7f9e36f698225c9cd2af788bf414adf7c777deb2
/usr/share/llhttp/llhttp.c   af384dc4a9e83b4b2ef8a658117a42afa1ee1585344563818ac730604e150f5f
/usr/share/llhttp/api.c      6e5a4528cd67bb79c3b1c1e08bb8b4d9beeac4775877098d28be0a8f0d000897
/usr/share/llhttp/http.c     c55eda50972fb150c093d54ba4a92921906f1f51ee60a6b1e0d13f5b9877f539
"
npm_folders="wasm examples/web console tests/web"
node_major_min=18

say() { printf 'setup: %s\n' "$*"; }
fail() {
    printf 'setup: %s\n' "$*" >&2
    exit 1
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo --preserve-env=DEBIAN_FRONTEND "$@"
    else
        fail "not root and no sudo here; run as root: $*"
    fi
}

# --- Debian packages -----------------------------------------------------------------------------

missing_packages() {
    local package
    for package in "$@"; do
        [ "$(dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null)" = "ii " ] ||
            printf '%s ' "$package"
    done
}

# A node from elsewhere carries its own npm and conflicts with Debian's: leave it alone.
node_packages() {
    command -v node >/dev/null || printf 'nodejs '
    command -v npm >/dev/null || printf 'npm '
}

# While this runs, packages may not start services: a database that listens is not ours to start.
forbid_services() {
    [ -e /usr/sbin/policy-rc.d ] && return
    printf '#!/bin/sh\nexit 101\n' | as_root tee /usr/sbin/policy-rc.d >/dev/null
    as_root chmod 755 /usr/sbin/policy-rc.d
    trap 'as_root rm -f /usr/sbin/policy-rc.d' EXIT
}

install_packages() {
    [ $# -gt 0 ] || return 0
    say "installing Debian packages: $*"
    export DEBIAN_FRONTEND=noninteractive
    forbid_services
    # without a list of packages (a fresh machine) or with a stale one, the install would fail
    as_root apt-get update -q
    as_root apt-get install -q -y --no-install-recommends "$@"
}

# A peer that bench starts by hand must not start by itself at the next boot.
disable_services() {
    case " $* " in *" clickhouse-server "*) ;; *) return 0 ;; esac
    command -v systemctl >/dev/null || return 0
    as_root systemctl disable --quiet clickhouse-server || true
}

check_node() {
    local major
    major=$(node --version | sed 's/^v\([0-9]*\).*/\1/')
    [ "$major" -ge $node_major_min ] ||
        fail "node $(node --version) is too old: $node_major_min or newer is needed"
}

# --- third-party sources --------------------------------------------------------------------------

# Debian's source index, read through the machine's own package sources, with lists of its own:
# nothing under /etc/apt changes, and no root is needed.
apt_sources() {
    local apt=$third_party/.apt file
    mkdir -p "$apt/parts" "$apt/lists/partial" "$apt/cache/archives/partial"
    rm -f "$apt"/parts/*
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
        [ -f "$file" ] || continue
        sed -n 's/^deb[[:space:]]/deb-src /p' "$file" > "$apt/parts/$(basename "$file" .list).list"
    done
    for file in /etc/apt/sources.list.d/*.sources; do
        [ -f "$file" ] || continue
        sed 's/^Types:.*/Types: deb-src/' "$file" > "$apt/parts/$(basename "$file")"
    done
}

apt_here() {
    local apt=$third_party/.apt
    apt-get -q -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$apt/parts" \
        -o Dir::State::Lists="$apt/lists" -o Dir::Cache="$apt/cache" \
        -o APT::Sandbox::User="$(id -un)" -o APT::Get::List-Cleanup=false "$@"
}

unpack_source() { # package, version, sha256
    local package=$1 version=$2 sha256=$3 work tarball
    work=$third_party/.download/$package
    mkdir -p "$work"
    say "fetching the source of $package $version from Debian"
    (cd "$work" && apt_here source --download-only "$package" >/dev/null) ||
        fail "apt-get source $package failed: is there a network, and is this Debian 12?"
    tarball=$(find "$work" -name "${package}_${version}*.orig.tar.*" ! -name '*.asc' | head -1)
    [ -n "$tarball" ] || fail "$package $version is not what this Debian offers: $(ls "$work")"
    printf '%s  %s\n' "$sha256" "$tarball" | sha256sum --check --status ||
        fail "$tarball does not have the sha256 pinned in tools/setup.sh: refused"
    rm -rf "${third_party:?}/$package"
    (cd "$work" && dpkg-source --no-check -x ./*.dsc "$third_party/$package" >/dev/null)
    rm -rf "$work" "$third_party/${package}_${version}"* # dpkg-source leaves the tarballs beside
}

# Debian's SQLite source has no amalgamation; its Makefile makes one with tclsh.
make_sqlite_amalgamation() {
    say "making sqlite3.c (a few seconds)"
    mkdir -p "$third_party/sqlite3/build"
    (cd "$third_party/sqlite3/build" &&
        ../configure --disable-tcl --disable-readline >configure.log 2>&1 &&
        make sqlite3.c >make.log 2>&1) || fail "see $third_party/sqlite3/build/*.log"
    mv "$third_party/sqlite3/build/sqlite3.c" "$third_party/sqlite3/build/sqlite3.h" \
        "$third_party/sqlite3/"
    rm -rf "$third_party/sqlite3/build"
}

missing_sources() {
    local package version sha256
    while read -r package version sha256; do
        [ -z "$package" ] && continue
        [ "$(cat "$third_party/$package/.cairn-version" 2>/dev/null)" = "$version $sha256" ] ||
            printf '%s ' "$package"
    done <<< "$sources"
}

prepare_sources() {
    local wanted package version sha256
    wanted=$(missing_sources)
    [ -n "$wanted" ] || return 0
    apt_sources
    # one source without an index (a third-party repository) must not stop the others
    apt_here update >/dev/null 2>&1 || true
    while read -r package version sha256; do
        case " $wanted" in *" $package "*) ;; *) continue ;; esac
        unpack_source "$package" "$version" "$sha256"
        [ "$package" != sqlite3 ] || make_sqlite_amalgamation
        printf '%s %s\n' "$version" "$sha256" > "$third_party/$package/.cairn-version"
    done <<< "$sources"
    rm -rf "$third_party/.apt" "$third_party/.download"
}

# Sources that ordinary packages carry: linked, so that a build names one folder for all.
link_packaged_sources() {
    local path sha256
    while read -r path sha256; do
        [ -z "$path" ] || printf '%s  %s\n' "$sha256" "$path" | sha256sum --check --status ||
            fail "$path is not the one pinned in tools/setup.sh: look at what changed, pin it anew"
    done <<< "$packaged_sources"
    mkdir -p "$third_party"
    ln -sfn /usr/share/duktape "$third_party/duktape"
    ln -sfn /usr/share/llhttp "$third_party/llhttp"
}

# --- npm packages ---------------------------------------------------------------------------------

stale_npm_folders() {
    local folder
    for folder in $npm_folders; do
        [ -f "$root/$folder/package-lock.json" ] || continue
        [ "$root/$folder/node_modules/.package-lock.json" -nt "$root/$folder/package-lock.json" ] ||
            printf '%s ' "$folder"
    done
}

prepare_npm() {
    local folder
    for folder in $(stale_npm_folders); do
        say "npm ci in $folder"
        (cd "$root/$folder" && npm ci --no-audit --no-fund --loglevel=error) ||
            fail "npm ci failed in $folder: is there a network?"
        # npm keeps the date of the archive; the comparison above needs the date of the install
        touch "$root/$folder/node_modules/.package-lock.json"
    done
}

# --- the whole ------------------------------------------------------------------------------------

case $mode in
base | check) packages=$packages_base ;;
bench) packages="$packages_base $packages_bench" ;;
*) fail "unknown mode \"$mode\": base, bench or check" ;;
esac
# shellcheck disable=SC2086
missing="$(missing_packages $packages)$(node_packages)"

if [ "$mode" = check ]; then
    say "missing packages: ${missing:-none}"
    say "missing sources: $(missing_sources)"
    say "stale npm folders: $(stale_npm_folders)"
    [ -z "$missing$(missing_sources)$(stale_npm_folders)" ]
    exit
fi
# shellcheck disable=SC2086
install_packages $missing
# shellcheck disable=SC2086
disable_services $missing
check_node
prepare_sources
link_packaged_sources
prepare_npm
say "ready"
