#!/usr/bin/env python3
"""mpi_model.py: the seconds of `solve` on many cores, one rank each, predicted from what one core and one message take.

    bench/mpi_model.py --paths 131072 --replicas 16 --steps 192 --per-path 1.01e-4 --rows 0.07

prints a table for messages within a machine (measured with mpi_messages.c) and between machines (assumed latencies).
"""

import argparse
import math

PARTS = 64  # of a replica's paths, src/paths/share.h
LANES = 760  # of a block

# Seconds of an allgather and a broadcast of one number between two ranks, and of a byte that a rank gets.
NETWORKS = {"one machine": (0.8e-6, 0.07e-9), "InfiniBand": (5e-6, 0.1e-9), "Ethernet": (60e-6, 1e-9)}


def plan(cores, replicas, blocks):
    """solvers/spread.c: groups of ranks and ranks of each, and the blocks that the slowest rank carries in all."""
    best = None
    for groups in range(min(cores, replicas), 0, -1):
        size = max(1, min(cores // groups, PARTS, blocks))
        work = math.ceil(replicas / groups) * math.ceil(blocks / size)
        if best is None or work < 0.95 * best[2]:
            best = groups, size, work
    return best


def message(size, doubles, latency, per_byte):
    """Of one pass; a group that is no power of two tells all parts."""
    told = size if size & (size - 1) == 0 else PARTS
    return math.log2(size) * latency + 8 * doubles * (told - told / size) * per_byte if size > 1 else 0.0


def predicted(cores, o, latency, per_byte):
    """Seconds, and the part of them that messages take."""
    blocks = math.ceil(o.paths / LANES)
    groups, size, work = plan(cores, o.replicas, blocks)
    rounds = math.ceil(o.replicas / groups)
    passes = 1.5 * o.steps * (o.passes + 1)  # both grids; about one more message a step, for divergence and curves
    talk = rounds * passes * message(size, o.doubles * o.steps / 2, latency, per_byte)
    compute = work * min(LANES, o.paths) * o.per_path + rounds * o.rows + o.start
    return groups, size, compute + talk, talk / (compute + talk)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--paths", type=int, default=131072)
    parser.add_argument("--replicas", type=int, default=16)
    parser.add_argument("--steps", type=int, default=192)
    parser.add_argument("--passes", type=float, default=3.2, help="corrector passes of a step")
    parser.add_argument("--doubles", type=float, default=2, help="averages of a cell: 2 k^2, pathwise 6 k^2")
    parser.add_argument("--per-path", type=float, default=1.01e-4, help="seconds of a path, both grids, all passes")
    parser.add_argument("--rows", type=float, default=0.07, help="seconds of a replica that every rank spends")
    parser.add_argument("--start", type=float, default=0.03, help="seconds before the first replica")
    parser.add_argument("--cores", type=int, nargs="*", default=[1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024])
    o = parser.parse_args()
    one = predicted(1, o, 0, 0)[2]
    print("| cores | groups x ranks |" + "".join(f" {name} |" for name in NETWORKS))
    print("|---|---|" + "---|" * len(NETWORKS))
    for cores in o.cores:
        cells = []
        for latency, per_byte in NETWORKS.values():
            groups, size, seconds, talk = predicted(cores, o, latency, per_byte)
            cells.append(f" {seconds:.3g} s, x{one / seconds:.0f}, messages {100 * talk:.0f}% |")
        print(f"| {cores} | {groups} x {size} |" + "".join(cells))
    for name, (latency, per_byte) in NETWORKS.items():
        half = next((c for c in o.cores if predicted(c, o, latency, per_byte)[3] >= 0.5), None)
        print(f"{name}: messages take half of the time from {half} cores on" if half else f"{name}: never half")


if __name__ == "__main__":
    main()
