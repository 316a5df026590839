"""Reference curves of a problem: the mean of solves on a fine grid, continued until its noise is small enough.

Each chunk is an extrapolated solve with a seed of its own. Chunks are kept in a cache, under a key made of the problem,
the settings and the program's version, so that a smaller target continues where a larger one stopped.
"""

import dataclasses
import hashlib
import json
import pathlib

import numpy as np

import measure

SEED = 9_000_000
SETTINGS = {"numerics.response": "stein", "numerics.paths": 65536, "numerics.replicas": 2,
            "numerics.tolerance": 1e-5}


@dataclasses.dataclass
class Reference:
    curves: measure.Curves
    noise: float         # root mean square relative standard error
    cpu: float           # seconds of all chunks, including those that were cached
    seeds: int


def settings_of(problem):
    return {**problem.changes, **SETTINGS, "numerics.steps": problem.reference_steps,
            "numerics.grading": problem.grading}


def key_of(bench, problem):
    text = json.dumps([bench.version, bench.file(problem).read_text(encoding="utf-8"), settings_of(problem)])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def chunk(bench, problem, number):
    """The CPU seconds and the curves of one chunk."""
    path = bench.cache / key_of(bench, problem) / f"{number}.json"
    if path.exists():
        kept = json.loads(path.read_text(encoding="utf-8"))
        return kept["cpu"], measure.Curves(kept["names"], np.array(kept["values"]), np.array(kept["errors"]))
    run = bench.run("solve", problem, {**settings_of(problem), "numerics.seed": SEED + number}, threads=bench.threads)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = pathlib.Path(f"{path}.part")
    temporary.write_text(json.dumps({"cpu": run.cpu, "names": run.curves.names, "values": run.curves.values.tolist(),
                                     "errors": run.curves.errors.tolist()}), encoding="utf-8")
    temporary.rename(path)
    return run.cpu, run.curves


def mean_of(chunks):
    values = np.array([curves.values for _, curves in chunks])
    within = np.mean([curves.errors ** 2 for _, curves in chunks], axis=0)
    between = values.var(axis=0, ddof=1) if len(chunks) > 1 else within
    errors = np.sqrt((within + between) / 2 / len(chunks))
    return measure.Curves(chunks[0][1].names, values.mean(axis=0), errors)


def reference(bench, problem, noise, cpu_max):
    """Curves with at most this noise, or with the noise that is left after cpu_max seconds."""
    chunks, made = [], None
    while made is None or (made.noise > noise and made.cpu < cpu_max):
        chunks.append(chunk(bench, problem, len(chunks)))
        curves = mean_of(chunks)
        made = Reference(curves, measure.noise(curves, curves), sum(cpu for cpu, _ in chunks), len(chunks))
    return made
