# Read by the other scripts: packages and builds. Sets `root`, the top of the source tree.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# Debian's own tools first: a Python or Meson of another origin on PATH does not see Debian's packages.
PATH=/usr/bin:/bin:/usr/sbin:/sbin:$PATH
export PATH

say() { printf 'sgdmft: %s\n' "$*" >&2; }

wanted_packages() { sed -e 's/#.*//' -e 's/[[:space:]]//g' -e '/^$/d' "$root/scripts/packages.txt"; }

# The wanted packages that are not installed, on one line.
missing_packages()
{
    # dpkg-query fails when a name is unknown to it; what it prints is what counts.
    comm -23 <(wanted_packages | sort -u) \
        <(dpkg-query -W -f '${db:Status-Status} ${Package}\n' $(wanted_packages) 2>/dev/null |
            sed -n 's/^installed //p' | sort -u) | paste -s -d ' '
}

# How to run a command as root: directly, or through sudo, which must not ask where nobody can answer.
as_root=()
if [ "$(id -u)" -ne 0 ]; then
    as_root=(sudo)
    [ -t 0 ] || as_root=(sudo -n)
fi

install_missing_packages()
{
    if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
        say "this is not a Debian system, so no package is checked or installed; needed are the equivalents of:"
        say "  $(wanted_packages | paste -s -d ' ')"
        return 0
    fi
    local missing
    missing=$(missing_packages)
    [ -n "$missing" ] || return 0

    if [ ${#as_root[@]} -gt 0 ] && ! command -v sudo >/dev/null; then
        say "packages are missing, and there are no rights to install them (not root, no sudo). Ask an administrator for"
        say "  apt-get install $missing"
        exit 1
    fi
    say "installing: $missing"
    local log
    log=$(mktemp)
    # The update may fail (no network, a stale source) and the packages may still be available.
    "${as_root[@]}" apt-get -q -o DPkg::Lock::Timeout=300 update >"$log" 2>&1 </dev/null || true
    if ! "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends \
        -o DPkg::Lock::Timeout=300 install $missing >>"$log" 2>&1 </dev/null; then
        tail -n 20 "$log" >&2
        rm -f "$log"
        say "the packages could not be installed. Missing on this machine: $(missing_packages)"
        say "By hand:  sudo apt-get update && sudo apt-get install $missing"
        exit 1
    fi
    rm -f "$log"
}

# build_into DIR [meson options...]: configures $root/DIR if need be, then compiles what changed.
build_into()
{
    local dir=$root/$1 tool
    shift
    for tool in meson ninja; do
        if ! command -v "$tool" >/dev/null; then
            say "$tool not found; install the packages above"
            exit 1
        fi
    done
    if [ ! -f "$dir/build.ninja" ]; then
        say "configuring $dir"
        configure "$dir" "$@"
    elif ! grep -qF "\"source\": \"$root\"" "$dir/meson-info/meson-info.json" 2>/dev/null; then
        say "$dir was configured for another place; configuring it anew"
        configure "$dir" --wipe "$@"
    fi
    say "building $dir"
    ninja --quiet -C "$dir" | sed '/^ninja: no work to do\.$/d' >&2
}

configure()
{
    local log
    log=$(mktemp)
    if ! meson setup "$1" "$root" "${@:2}" >"$log" 2>&1 </dev/null; then
        cat "$log" >&2
        rm -f "$log"
        say "configuring failed"
        exit 1
    fi
    rm -f "$log"
}
