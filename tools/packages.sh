# How set-up gets packages of the system and of Debian; sourced by the scripts of tools/.

say() { printf 'setup: %s\n' "$*"; }

die() {
    printf 'setup: %s\n' "$*" >&2
    exit 1
}

# --- packages that are installed ---

# install_packages MISSING PACKAGES
install_packages() {
    local sudo=''
    command -v apt-get >/dev/null ||
        die "missing: $1. Install $2, as this system's package manager calls them"
    if [ "$(id -u)" != 0 ]; then
        sudo='sudo -n'
        $sudo true 2>/dev/null ||
            die "missing: $1. Run: sudo apt-get update && sudo apt-get install -y $2"
    fi
    say "missing $1, so installing $2"
    $sudo apt-get -qq update
    # shellcheck disable=SC2086 # Both are lists of words.
    $sudo env DEBIAN_FRONTEND=noninteractive \
        apt-get -qq install -y --no-install-recommends $2 >/dev/null
}

update_lists() {
    if [ "$(id -u)" = 0 ]; then
        apt-get -qq update >/dev/null 2>&1
    else
        sudo -n apt-get -qq update >/dev/null 2>&1
    fi
}

# --- packages of another suite, which are only unpacked ---
#
# They are downloaded from a mirror that this machine's apt is set up for, and
# checked by Debian's key. Everything is written under $work, the caller's.

# This suite has several releases of the Rust compiler side by side, and a
# wasi-libc that is new enough to know WASI 0.2.
readonly SUITE=${BAILIWICK_WASM_SUITE:-trixie-backports}
readonly KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg

# Debian's signature decides which of the machine's mirrors is one of Debian's.
choose_mirror() {
    local mirror
    mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/packages"
    for mirror in $(mirrors); do
        echo "deb [signed-by=$KEYRING] $mirror $SUITE main" >"$work/sources.list"
        if private apt-get update 2>"$work/update.log"; then
            say "sources: the suite $SUITE of the Debian mirror that apt is set up for"
            return
        fi
    done
    cat "$work/update.log" >&2 2>/dev/null || true
    die "no mirror in apt's configuration gives the suite $SUITE, signed by Debian"
}

mirrors() {
    # shellcheck disable=SC2016 # apt-get, and not the shell, fills these in.
    apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' |
        awk '$2 !~ /security/ && !seen[$1]++ { print $1 }'
}

# Runs one of apt's programs on the chosen suite alone, with all it writes under $work.
private() {
    local program=$1
    shift
    "$program" -qq \
        -o Dir::Etc::SourceList="$work/sources.list" -o Dir::Etc::SourceParts=/dev/null \
        -o Dir::State::Lists="$work/lists" -o Dir::State::Status=/dev/null \
        -o Dir::Cache="$work/cache" -o APT::Sandbox::User=root \
        -o APT::Update::Error-Mode=any -o Acquire::Retries=2 -o Acquire::http::Timeout=30 \
        "$@"
}

# unpack PACKAGE FOLDER…: only these folders of the package, under $work.
unpack() {
    local package=$1
    shift
    dpkg-deb --fsys-tarfile "$work/packages/${package}"_*.deb | tar -x -C "$work" "$@" ||
        die "the package $package has not all of: $*"
}
