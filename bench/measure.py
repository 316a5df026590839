"""Runs the program, measures its CPU and wall seconds, and the error of its curves against a reference.

The error of a run is the root mean square, over curves and output times, of (X - X_ref) / scale_X. The scale of a loss
and of a diagonal q_aa is |X_ref(t)|; that of curves that may pass through 0 (m_ab, and q_ab with a != b) is
max_t |X_ref|. Observables are left out, and so is the response, which a simulation does not have.
"""

import csv
import dataclasses
import math
import os
import pathlib
import resource
import subprocess
import tempfile
import time

import numpy as np


class NoSolution(RuntimeError):
    """The dynamics diverge or the solution does not converge."""


EXIT_NO_SOLUTION = 3  # exit code of the program


@dataclasses.dataclass
class Curves:
    names: list          # train_loss, test_loss, q11, ..., m11, ...
    values: np.ndarray   # names x times
    errors: np.ndarray   # standard errors from the file, names x times


@dataclasses.dataclass
class Run:
    curves: Curves
    cpu: float           # seconds, user and system
    wall: float


def is_compared(name):
    if name.endswith("_se"):
        return False
    return name in ("train_loss", "test_loss") or (name[0] in "qm" and name[1:].isdigit())


def read_table(path):
    """The comments `# key: value`, the last one of each key, and the columns by name."""
    with open(path, encoding="utf-8") as lines:
        text = lines.read().splitlines()
    comments = dict(line[2:].partition(": ")[::2] for line in text if line.startswith("# "))
    rows = list(csv.reader(line for line in text if not line.startswith("#")))
    return comments, dict(zip(rows[0], np.array(rows[1:], dtype=float).reshape(-1, len(rows[0])).T))


def read_curves(path):
    _, table = read_table(path)
    names = [name for name in table if is_compared(name)]
    return Curves(names, np.array([table[n] for n in names]), np.array([table[n + "_se"] for n in names]))


@dataclasses.dataclass
class Ended:
    code: int            # exit code
    messages: str
    cpu: float           # seconds, user and system
    wall: float
    line: str            # the command


def execute(program, command, problem, settings, curves, threads=1, cpu_limit=None):
    """Runs `program command problem`, with the curves to be written to the file `curves`. After `cpu_limit` seconds
    the system ends it."""
    line = [program, command, problem, "--csv", curves, "-o", pathlib.Path(curves).with_suffix(".h5"), "--quiet",
            "--threads", str(threads)]
    for key, value in settings.items():
        line += ["--set", f"{key}={value}"]
    line = [str(word) for word in line]
    with tempfile.TemporaryFile(mode="w+", encoding="utf-8") as messages:
        start = time.monotonic()
        limit = math.ceil(cpu_limit) if cpu_limit else resource.RLIM_INFINITY
        child = subprocess.Popen(line, stdout=messages, stderr=messages,
                                 preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (limit, limit)))
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.monotonic() - start
        child.returncode = os.waitstatus_to_exitcode(status)
        messages.seek(0)
        return Ended(child.returncode, messages.read(), usage.ru_utime + usage.ru_stime, wall, " ".join(line))


def run(program, command, problem, settings, threads=1):
    """Runs `program command problem`; `settings` maps keys of the problem file to values."""
    with tempfile.TemporaryDirectory() as place:
        curves = pathlib.Path(place) / "run.csv"
        ended = execute(program, command, problem, settings, curves, threads)
        if ended.code != 0:
            failure = NoSolution if ended.code == EXIT_NO_SOLUTION else RuntimeError
            raise failure(f"{ended.line}: exit code {ended.code}\n{ended.messages}")
        return Run(read_curves(curves), ended.cpu, ended.wall)


def scales(reference):
    """The scales that deviations are relative to, names x times."""
    scale = np.abs(reference.values)
    for i, name in enumerate(reference.names):
        if name[0] == "m" or (name[0] == "q" and name[1] != name[2]):
            scale[i] = scale[i].max()
    return scale


def error(curves, reference):
    """The root mean square relative error of the curves."""
    return float(np.sqrt(np.mean(((curves.values - reference.values) / scales(reference)) ** 2)))


def noise(curves, reference):
    """The root mean square of the relative standard errors."""
    return float(np.sqrt(np.mean((curves.errors / scales(reference)) ** 2)))
