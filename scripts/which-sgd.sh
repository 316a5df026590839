#!/usr/bin/env bash
# The figure of docs/which-sgd.md: one problem under six kinds of SGD, solved (lines) and simulated (points).
set -euo pipefail

usage()
{
    echo "usage: scripts/which-sgd.sh [FIGURE.png|.svg|.pdf]"
    echo "  Solves and simulates problems of examples and draws both into FIGURE (default: docs/which-sgd.png)."
    echo "  The program is that in build; SGDMFT names another one."
}

case ${1-} in
-h | --help)
    usage
    exit 0
    ;;
esac

. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

figure=${1:-$root/docs/which-sgd.png}
program=${SGDMFT:-$root/build/src/cli/sgdmft}
[ -x "$program" ] || {
    say "$program is not there: run scripts/setup.sh first"
    exit 1
}
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT

# run NAME PROBLEM ROWS POINTS [options]: curves of the limit at ROWS times, and of the finite system at POINTS times
run()
{
    local name=$1 problem=$root/examples/$2.yaml rows=$3 points=$4
    shift 4
    say "$name: examples/$(basename "$problem") $*"
    "$program" solve "$problem" "$@" --set output.times="$rows" -o "$place/$name.h5" --csv "$place/$name.csv" \
        >"$place/log" 2>&1 &&
        "$program" simulate "$problem" "$@" --set output.times="$points" --set simulate.d=2000 \
            -o "$place/$name-simulated.h5" --csv "$place/$name-simulated.csv" >"$place/log" 2>&1 || {
        cat "$place/log" >&2
        exit 1
    }
}

run replacement cyclic 97 13 --set sampling=replacement
run reshuffle cyclic 97 13 --set sampling=reshuffle
run cyclic cyclic 97 13
run fraction minibatch 31 16
run momentum momentum 97 13
run full full-batch 7 7

PYTHONPATH=$root/python python3 - "$place" "$figure" <<'EOF'
import sys

import matplotlib

matplotlib.use("Agg")
import sgdmft
import sgdmft_plot
from matplotlib import pyplot

place, figure_path = sys.argv[1:]
runs = [  # name, colour, marker, label
    ("full", "#000000", "v", "full batch, $\\eta=0.4$"),
    ("momentum", "#AA4499", "p", "momentum, rate 2"),
    ("replacement", "#0072B2", "o", "with replacement"),
    ("fraction", "#E69F00", "D", "reshuffled, $b=0.2$"),
    ("reshuffle", "#D55E00", "s", "reshuffled"),
    ("cyclic", "#009E73", "^", "cyclic"),
]
matplotlib.rcdefaults()
matplotlib.rcParams.update(sgdmft_plot.STYLE)
figure, axes = pyplot.subplots(1, 2, figsize=(7.2, 3.4), layout="constrained")
handles = []
for name, colour, marker, label in runs:
    solved, simulated = sgdmft.load(f"{place}/{name}.csv"), sgdmft.load(f"{place}/{name}-simulated.csv")
    for ax, column in zip(axes, ("test_loss", "train_loss")):
        sgdmft_plot.draw_line(ax, solved, column, colour, "-")
        sgdmft_plot.draw_points(ax, simulated, column, colour, marker)
    handles.append(matplotlib.lines.Line2D([], [], color=colour, marker=marker, markersize=3.4, markerfacecolor="white",
                                           markeredgewidth=0.8, label=label))
for ax, title, ticks in zip(axes, ("test loss", "train loss"), ((0.12, 0.15, 0.2, 0.3), (0.04, 0.06, 0.1, 0.2, 0.3))):
    ax.set_title(title)
    ax.set_yscale("log")
    ax.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.set_yticks([], minor=True)
    ax.set_xlabel("$t$ (epochs)")
    ax.margins(x=0.02)
axes[0].legend(handles=handles)
figure.savefig(figure_path, dpi=200)
EOF
say "drawn: $figure"
