#!/usr/bin/env bash
# Installs and builds what is missing, runs the tests, and closes with one line: N passed, N failed.
set -euo pipefail

usage()
{
    echo "usage: scripts/test.sh [--release] [--sanitize] [--clang] [--mpi] [arguments of 'meson test'...]"
    echo "  --release   the build that users run, in build/ (the default when no build is named)"
    echo "  --sanitize  address and undefined-behaviour sanitizers with leak check, in build-sanitize/"
    echo "  --clang     compiled by clang, in build-clang/ (skipped where there is no clang)"
    echo "  --mpi       with MPI, in build-mpi/ (skipped where there is no mpicc)"
    echo "  Several builds may be named. The rest goes to meson: test names, '--suite NAME', ..."
}

kinds=()
while [ $# -gt 0 ]; do
    case $1 in
    --release | --sanitize | --clang | --mpi) kinds+=("${1#--}") ;;
    -h | --help)
        usage
        exit 0
        ;;
    --)
        shift
        break
        ;;
    *) break ;;
    esac
    shift
done
[ ${#kinds[@]} -gt 0 ] || kinds=(release)

. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# Adds the results in a meson test log (one JSON object a line) to passed, failed and skipped.
count_results()
{
    local p f s
    read -r p f s < <(python3 - "$1" <<'EOF'
import json, sys
count = {}
with open(sys.argv[1]) as log:
    for line in log:
        result = json.loads(line)["result"]
        count[result] = count.get(result, 0) + 1
passed = count.pop("OK", 0) + count.pop("EXPECTEDFAIL", 0)
skipped = count.pop("SKIP", 0)
print(passed, sum(count.values()), skipped)
EOF
    )
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
}

# run_build DIR [arguments of meson test]
run_build()
{
    local dir=$root/$1 log
    log=$dir/meson-logs/testlog.json
    rm -f "$log"
    meson test -C "$dir" --no-rebuild --print-errorlogs "${@:2}" </dev/null || broken=1
    [ ! -s "$log" ] || count_results "$log"
}

passed=0 failed=0 skipped=0 broken=0
export OMP_WAIT_POLICY=passive # several tests with threads run side by side: waiting threads must not spin
install_missing_packages
for kind in "${kinds[@]}"; do
    case $kind in
    release)
        build_into build --buildtype=release
        run_build build "$@"
        ;;
    sanitize)
        build_into build-sanitize --buildtype=debugoptimized -Db_sanitize=address,undefined
        # twenty times slower, so statistical tests are smaller
        SGDMFT_TEST_SCALE=${SGDMFT_TEST_SCALE:-0.3} ASAN_OPTIONS=detect_leaks=1 \
            UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 \
            run_build build-sanitize --timeout-multiplier 5 "$@"
        ;;
    clang)
        if ! command -v clang >/dev/null; then
            say "clang not found: skipped"
            continue
        fi
        CC=clang build_into build-clang --buildtype=release
        run_build build-clang "$@"
        ;;
    mpi)
        if ! command -v mpicc >/dev/null; then
            say "mpicc not found: skipped"
            continue
        fi
        build_into build-mpi --buildtype=release -Dmpi=enabled
        run_build build-mpi "$@"
        ;;
    esac
done

[ $((passed + failed)) -gt 0 ] || say "no test ran"
line="$passed passed, $failed failed"
[ "$skipped" -eq 0 ] || line+=", $skipped skipped"
echo "$line"
[ "$broken" -eq 0 ] && [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
