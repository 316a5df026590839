#!/usr/bin/env python3
"""mpi_model.py: predicts the seconds of `solve` on many cores, with one rank on each, from those of one core and of one
message.

    bench/mpi_model.py --paths 131072 --replicas 16 --steps 192 --per-path 1.01e-4 --rows 0.07

prints a table for messages within a machine (as measured by mpi_messages.c) and between machines (assumed latencies).
"""

import argparse
import math

PARTS = 64  # into which the paths of a replica are divided among ranks, src/paths/share.h
LANES = 760  # paths in a block

# Seconds of an allgather and a broadcast of one number between two ranks, and seconds per byte that a rank receives.
NETWORKS = {"one machine": (0.8e-6, 0.07e-9), "InfiniBand": (5e-6, 0.1e-9), "Ethernet": (60e-6, 1e-9)}


def plan(cores, replicas, blocks):
    """The number of groups, the ranks of each, and the blocks that the busiest rank advances in all its replicas
    (solvers/common/rank_layout.c)."""
    best = None
    for groups in range(min(cores, replicas), 0, -1):
        size = max(1, min(cores // groups, PARTS, blocks))
        work = math.ceil(replicas / groups) * math.ceil(blocks / size)
        if best is None or work < 0.95 * best[2]:
            best = groups, size, work
    return best


def message(size, doubles, latency, per_byte):
    """Seconds of the messages of one pass. A rank of a group whose size is not a power of two sends all its parts."""
    sent = size if size & (size - 1) == 0 else PARTS
    return math.log2(size) * latency + 8 * doubles * (sent - sent / size) * per_byte if size > 1 else 0.0


def predicted(cores, o, latency, per_byte):
    """The number of groups, the ranks of each, the seconds, and the share of them that messages take."""
    blocks = math.ceil(o.paths / LANES)
    groups, size, work = plan(cores, o.replicas, blocks)
    rounds = math.ceil(o.replicas / groups)
    passes = 1.5 * o.steps * (o.passes + 1)  # both grids, and a message more per step for divergence and curves
    messages = rounds * passes * message(size, o.doubles * o.steps / 2, latency, per_byte)
    compute = work * min(LANES, o.paths) * o.per_path + rounds * o.rows + o.start
    return groups, size, compute + messages, messages / (compute + messages)


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
            groups, size, seconds, share = predicted(cores, o, latency, per_byte)
            cells.append(f" {seconds:.3g} s, x{one / seconds:.0f}, messages {100 * share:.0f}% |")
        print(f"| {cores} | {groups} x {size} |" + "".join(cells))
    for name, (latency, per_byte) in NETWORKS.items():
        half = next((c for c in o.cores if predicted(c, o, latency, per_byte)[3] >= 0.5), None)
        print(f"{name}: messages take half of the time from {half} cores on" if half else f"{name}: never half")


if __name__ == "__main__":
    main()
