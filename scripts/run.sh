#!/usr/bin/env bash
# From a problem file to a picture: installs and builds what is missing, solves, plots.
# NAME.h5, NAME.csv and NAME.png are written into the current directory, replacing older ones.
set -euo pipefail

usage()
{
    echo "usage: scripts/run.sh [PROBLEM.yaml [options of 'sgdmft solve'...]]"
    echo "  Solves PROBLEM.yaml (default: examples/quickstart.yaml) and plots the curves. The results,"
    echo "  PROBLEM.h5, PROBLEM.csv and PROBLEM.png, go into the current directory; older ones are replaced."
    echo "  Example: scripts/run.sh examples/quickstart.yaml --set delta=4"
}

case ${1-} in
-h | --help)
    usage
    exit 0
    ;;
-*)
    echo "sgdmft: the problem file comes first, before the option $1" >&2
    usage >&2
    exit 2
    ;;
esac

. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

if [ $# -eq 0 ]; then
    problem=$root/examples/quickstart.yaml
    say "no problem file given: solving examples/quickstart.yaml"
else
    problem=$1
    shift
fi
if [ ! -r "$problem" ]; then
    say "$problem: no such problem file; examples are in $root/examples"
    exit 2
fi
for option in "$@"; do
    case $option in
    -o | -o* | --csv | --csv=*)
        say "$option: scripts/run.sh chooses the output names itself; use $root/build/src/cli/sgdmft solve"
        exit 2
        ;;
    esac
done

install_missing_packages
build_into build --buildtype=release

program=$root/build/src/cli/sgdmft
name=$(basename "$problem")
name=${name%.yaml}
name=${name%.yml}

# Exit code 3: no trustworthy solution up to the horizon, but what was computed is kept and worth a look.
status=0
"$program" solve "$problem" -o "$name.h5" --csv "$name.csv" --force "$@" || status=$?
[ $status -eq 0 ] || [ $status -eq 3 ] || exit $status
"$program" plot "$name.csv" -o "$name.png" --force
echo "curves:  $PWD/$name.csv"
echo "arrays:  $PWD/$name.h5"
echo "picture: $PWD/$name.png"
exit $status
