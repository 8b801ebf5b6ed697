# SPDX-License-Identifier: MIT
# Sourced by app/run, tests/run and tests/bench/run: installs what is missing, builds a preset.

root=$(readlink -f "$(dirname "${BASH_SOURCE[0]}")/..")
build_packages=(g++ cmake ninja-build pkg-config qt6-base-dev qcoro-qt6-dev libhiredis-dev
    libpq-dev libjsoncpp-dev)

# On standard error: standard output belongs to what is run in the end.
say() { printf '%s: %s\n' "$(realpath --relative-to="$root" "$0")" "$*" >&2; }

# quietly COMMAND...: its output only if it fails
quietly() {
    local log status=0
    log=$(mktemp)
    "$@" >"$log" 2>&1 </dev/null || status=$?
    [ $status -eq 0 ] || cat "$log" >&2
    rm -f "$log"
    return $status
}

# install_missing PACKAGE...: no apt call at all if they are all there
install_missing() {
    if ! command -v apt-get >/dev/null; then
        say "no apt here, so this had better be installed: $*"
        return
    fi
    local missing as_root=()
    missing=$(comm -23 <(printf '%s\n' "$@" | sort) <(
        dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null |
            sed -n 's/^installed //p' | sort -u))
    [ -n "$missing" ] || return 0
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || {
            say "as root, please: apt-get install --no-install-recommends" $missing
            return 1
        }
        as_root=(sudo)
        sudo -v # asks for the password before the output is hidden
    fi
    say "installing" $missing
    # Nothing that is installed here may start a server of its own, now or at the next boot.
    quietly "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive bash -ec '
        policy=/usr/sbin/policy-rc.d
        if [ ! -e $policy ]; then
            trap "rm -f $policy" EXIT
            printf "#!/bin/sh\nexit 101\n" >$policy
            chmod 755 $policy
        fi
        apt-get -q -o DPkg::Lock::Timeout=600 update
        apt-get -q -y -o DPkg::Lock::Timeout=600 install --no-install-recommends "$@"
        for service in redis-server postgresql pgbouncer; do
            case " $* " in
                *" $service "*) update-rc.d $service disable ;;
            esac
        done' bash $missing
}

# build PRESET [TARGET...]
build() {
    local preset=$1 quiet=()
    shift
    if command -v ccache >/dev/null; then
        export CMAKE_CXX_COMPILER_LAUNCHER=ccache CCACHE_BASEDIR=$root CCACHE_NOHASHDIR=1
        export CCACHE_SLOPPINESS=pch_defines,time_macros # what precompiled headers ask for
    fi
    say "building ${*:-everything} in build/$preset"
    [ -t 2 ] || quiet=(-- --quiet) # no line a step in a log
    (cd "$root" && quietly cmake --preset "$preset" &&
        cmake --build --preset "$preset" --parallel "$(nproc)" ${1:+--target "$@"} \
            "${quiet[@]}" >&2)
}

# install_medusa: Medusa's packages in tests/interop, as the lock file pins them, and $node to run
# them: the machine's if it is new enough, else one from the same lock file
install_medusa() {
    local folder=$root/tests/interop optional=()
    local own=$folder/node_modules/node-linux-$(uname -m | sed 's/x86_64/x64/; s/aarch64/arm64/')
    local stamp=$folder/node_modules/.package-lock.json
    node=$(command -v node || command -v nodejs || true)
    if [ -n "$node" ] && "$node" -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)'; then
        optional=(--omit=optional)
    else
        node=$own/bin/node
    fi
    if [ -x "$node" ] && [ "$stamp" -nt "$folder/package-lock.json" ]; then
        return
    fi
    command -v npm >/dev/null || install_missing npm
    say "installing Medusa's packages in tests/interop"
    (cd "$folder" &&
        quietly npm ci --ignore-scripts --no-audit --no-fund "${optional[@]}")
}
