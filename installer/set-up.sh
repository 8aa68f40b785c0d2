# Sourced by installer/run and installer/test: brings a Debian 12 or 13 machine to what the lock files say. Never starts the product, never touches a person's data.
#   set_up GROUP LOCK     GROUP product | practice | test        LOCK product | test
# A stamp in .venv says what stands; with a fitting stamp nothing is done at all.
# shellcheck shell=sh

venv=$top/.venv
log=

say() { printf '%s\n' "$*" >&2; }

fail() {  # fail SENTENCE: one clear sentence with the remedy, then the end
    if [ -n "$log" ] && [ -s "$log" ]; then
        say "--- last lines of $log"
        tail -n 15 "$log" >&2
        say "---"
    fi
    say "$me: $*"
    exit 1
}

no_space() { grep -qE 'No space left on device|You don.t have enough free space|Errno 28' "$log"; }

no_network() { grep -qE 'Temporary failure|NewConnectionError|ConnectTimeout|Network is unreachable|Could not resolve|Could not connect|Failed to fetch|Unable to connect|Name or service not known|ProxyError' "$log"; }

need_room() {  # need_room FOLDER MEGABYTES: with less, apt waits for ever instead of saying so
    free=$(df -Pm "$1" 2>/dev/null | awk 'NR == 2 { print $4 }')
    case $free in '' | *[!0-9]*) return 0 ;; esac
    [ "$free" -ge "$2" ] || fail "the disk is full: $free MB are free where $1 lies and $2 MB are needed; free some space, then start again."
}

groups_of() {
    case $1 in
        product) echo product ;;
        practice) echo product practice ;;
        test) echo product practice test ;;
    esac
}

release() { sed -n 's/^VERSION_ID="\{0,1\}\([0-9]*\).*/\1/p' /etc/os-release 2>/dev/null || true; }

missing_packages() {  # missing_packages GROUP: names of packages that are not installed
    release=$(release)
    case $release in 12 | 13) ;; *) release=13 ;; esac
    for group in $(groups_of "$1"); do
        awk -v g="$group" -v r="$release" '$1 == g && ($2 == "*" || $2 == r) { print $3 }' "$top/installer/packages.txt"
    done | while read -r package; do
        case $(dpkg-query -W -f='${db:Status-Abbrev}' "$package" 2>/dev/null) in ?i*) ;; *) echo "$package" ;; esac
    done
}

install_packages() {
    command -v dpkg-query >/dev/null && command -v apt-get >/dev/null ||
        fail "this machine has no apt; install what installer/packages.txt lists by its own means, make .venv with Python 3.11+ and installer/locks/$lock.txt, then use .venv/bin/hall-intake."
    missing=$(missing_packages "$1" | tr '\n' ' ')
    [ -n "$missing" ] || return 0
    as_root=
    if [ "$(id -u)" != 0 ]; then
        as_root=sudo
        remedy="ask an administrator to run: apt-get install $missing"
        command -v sudo >/dev/null || fail "system packages are missing and there is no sudo; $remedy"
        [ -t 0 ] || as_root='sudo -n'
        $as_root true 2>/dev/null || fail "system packages are missing and sudo did not let you in; $remedy"
    fi
    need_room /var/lib/apt/lists 150
    need_room /var/cache/apt 300
    need_room /usr 700
    say "installing $(echo "$missing" | wc -w) system packages ..."
    log=$(mktemp "${TMPDIR:-/tmp}/hall-intake-apt.XXXXXX")
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -o APT::Update::Error-Mode=any update >"$log" 2>&1 ||
        if no_space; then fail "the disk is full; free about 1.5 GB, then start again."
        elif no_network; then fail "the package servers cannot be reached; check the network (and the proxy of apt), then start again."
        else fail "apt-get update failed; mend the package sources of this machine (see above), then start again."; fi
    # shellcheck disable=SC2086
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 --no-install-recommends install $missing >>"$log" 2>&1 </dev/null ||
        if no_space; then fail "the disk is full; free about 1.5 GB, then start again."
        elif grep -q 'Could not get lock' "$log"; then fail "another installation of system packages is running; wait until it is done, then start again."
        elif no_network; then fail "the package servers cannot be reached; check the network (and the proxy of apt), then start again."
        else fail "apt could not install: ${missing}- see above, mend it (often: sudo apt-get -f install), then start again."; fi
    rm -f "$log"
    log=
}

find_python() {  # prints the first interpreter that is new enough and can make environments
    for candidate in /usr/bin/python3 python3.13 python3.12 python3.11 python3; do
        path=$(command -v "$candidate") || continue
        "$path" -I -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$path"; return 0; }
    done
    return 1
}

pip_install() {  # pip_install WHAT ARGUMENTS...
    what=$1
    shift
    PATH="$venv/bin:$PATH" "$venv/bin/python" -m pip install -q --no-input --disable-pip-version-check "$@" >>"$log" 2>&1 </dev/null && return 0
    if grep -q 'DO NOT MATCH THE HASHES' "$log"; then fail "a downloaded package is not the one that the lock file names; do not use it, check where your package index points."; fi
    if no_space; then fail "the disk is full (the environment takes about 1 GB); free some space, or put the checkout on a larger disk, then start again."; fi
    if no_network; then fail "Python packages cannot be fetched; check the network (and the proxy or index that pip is told to use), then start again."; fi
    fail "$what could not be installed; see above."
}

make_environment() {
    python=$(find_python) || fail "Python 3.11 or newer with its venv module is needed (/usr/bin/python3 is $(/usr/bin/python3 -V 2>&1 || echo missing)); use Debian 12 or 13, or put a newer python3 first in the path."
    "$python" -I -c 'import os, sys, sysconfig; sys.exit(not os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")))' ||
        fail "the headers of $python are missing (Python.h); install the development package of that Python, then start again."
    log=$(mktemp "${TMPDIR:-/tmp}/hall-intake-pip.XXXXXX")
    if ! "$venv/bin/python" -I -m pip --version >/dev/null 2>&1; then
        need_room "$top" 1000
        say "making the environment .venv with $("$python" -V) ..."
        "$python" -m venv --clear "$venv" >"$log" 2>&1 || fail "the environment $venv could not be made; see above (is the folder writable, is the disk full?)."
    fi
    say "installing Python packages from installer/locks/$lock.txt ..."
    pip_install "the build tool" --require-hashes --only-binary=:all: -r "$top/installer/locks/build.txt"
    # nothing is fetched behind the lock's back: no build isolation, and only pyscard is built here
    pip_install "a Python package" --require-hashes --no-build-isolation --only-binary=:all: --no-binary=pyscard -r "$top/installer/locks/$lock.txt"
    pip_install "the program" --no-deps --no-build-isolation --no-index -e "$top"
    rm -f "$log"
    log=
}

fingerprint() { { release; cat "$top/installer/packages.txt" "$top/pyproject.toml" "$top/installer/locks/"*.txt "$top/installer/set-up.sh"; readlink -f "$venv/bin/python"; } | sha256sum | cut -c1-64; }

stands() { [ -x "$venv/bin/python" ] && [ "$(cat "$venv/stands-$1" 2>/dev/null)" = "$(fingerprint)" ]; }

set_up() {  # set_up GROUP LOCK
    lock=$2
    unset PYTHONHOME PYTHONPATH
    export PYTHONNOUSERSITE=1
    if stands "$1"; then return 0; fi
    [ -w "$top" ] || fail "the folder $top cannot be written; copy the checkout to a folder of your own and start there."
    exec 9>"$top/.set-up.lock"
    if command -v flock >/dev/null && ! flock -n 9; then
        say "another start is setting up; waiting for it ..."
        flock 9
    fi
    if ! stands "$1"; then
        install_packages "$1"
        make_environment
        for group in $(groups_of "$1"); do
            fingerprint >"$venv/stands-$group"
        done
        say "set up."
    fi
    exec 9>&-
}

need_namespaces() {
    "$top/installer/alone" true 2>/dev/null ||
        fail "this account may not make namespaces, which keep practice and tests apart from the machine; as root: sysctl -w kernel.unprivileged_userns_clone=1 (or user.max_user_namespaces=10000), or start as root."
}
