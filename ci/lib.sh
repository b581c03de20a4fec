# shellcheck shell=bash
# What the scripts under ci/ share: where things lie, how to speak, how to wait.
# Sourced, never run.  Everything made lies under build/.

set -euo pipefail
umask 022
export LC_ALL=C.UTF-8

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
BUILD=$ROOT/build
# PAY_RUN: another stack beside the one of make up.
RUN=${PAY_RUN:-$BUILD/run}
VENV=$BUILD/venv
# Debian's own: another python3 on PATH has none of Debian's packages.
PYTHON=/usr/bin/python3
# Debian's, or those of another version (ci/postgres).
PGBIN=${PGBIN:-/usr/lib/postgresql/15/bin}
# nginx lives in sbin, which is not on every PATH.  The name NGINX would be taken
# by nginx itself, as a list of sockets to inherit.
NGINX_BIN=$(PATH=$PATH:/usr/sbin:/sbin command -v nginx || true)

export ROOT BUILD RUN VENV PYTHON PGBIN NGINX_BIN

say() {
    printf '%s\n' "$*"
}

die() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 1
}

# A short random text without anything that needs quoting.
random_hex() {
    openssl rand -hex "${1:-16}"
}

# wait_until SECONDS WHAT COMMAND…: polls until the command succeeds.
wait_until() {
    local limit=$1 what=$2 end=$((SECONDS + $1))
    shift 2
    until "$@" >/dev/null 2>&1; do
        if ((SECONDS >= end)); then
            say "gave up after $limit s waiting for $what" >&2
            return 1
        fi
        sleep 0.05
    done
}

is_root() {
    [[ $(id -u) -eq 0 ]]
}

# as USER COMMAND…: as that user when we are root, else as ourselves.
as() {
    local user=$1
    shift
    if is_root; then
        (cd / && exec runuser -u "$user" -- "$@")
    else
        (cd / && exec "$@")
    fi
}

# pid_of FILE WORD: the live process of a pid file whose command line has WORD.
pid_of() {
    local pid
    [[ -s $1 ]] || return 1
    read -r pid <"$1" || return 1
    [[ $pid =~ ^[0-9]+$ && -r /proc/$pid/cmdline ]] || return 1
    tr '\0' ' ' <"/proc/$pid/cmdline" | grep -qF -- "$2" || return 1
    printf '%s\n' "$pid"
}

gone() {
    [[ ! -d /proc/$1 ]] || grep -q '^State:[[:space:]]*Z' "/proc/$1/status"
}

# stop_pid FILE WORD SIGNAL SECONDS: asks a process to end and waits for it;
# KILL when it does not.  No process: nothing to do.
stop_pid() {
    local pid
    pid=$(pid_of "$1" "$2") || return 0
    kill -s "$3" "$pid" 2>/dev/null || return 0
    if ! wait_until "$4" "process $pid to end" gone "$pid"; then
        kill -s KILL "$pid" 2>/dev/null || true
        wait_until 5 "process $pid to be gone" gone "$pid"
        return 1
    fi
}
