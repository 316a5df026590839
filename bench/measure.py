"""Runs the program, measures its CPU and wall seconds, and the error of its curves against a reference.

The error of a run is the root mean square, over curves and output times, of (X - X_ref) / scale_X. The scale of a loss
and of a diagonal q_aa is |X_ref(t)|; that of curves that may pass through 0 (m_ab, and q_ab with a != b) is
max_t |X_ref|. Observables are left out, and so is the response, which a simulation does not have.
"""

import csv
import dataclasses
import os
import pathlib
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


def read_curves(path):
    with open(path, encoding="utf-8") as lines:
        rows = list(csv.reader(line for line in lines if not line.startswith("#")))
    table = dict(zip(rows[0], np.array(rows[1:], dtype=float).T))
    names = [name for name in rows[0] if is_compared(name)]
    return Curves(names, np.array([table[n] for n in names]), np.array([table[n + "_se"] for n in names]))


def run(program, command, problem, settings, threads=1):
    """Runs `program command problem`; `settings` maps keys of the problem file to values."""
    with tempfile.TemporaryDirectory() as place:
        curves = pathlib.Path(place) / "run.csv"
        line = [program, command, problem, "--csv", curves, "-o", pathlib.Path(place) / "run.h5", "--quiet",
                "--threads", str(threads)]
        for key, value in settings.items():
            line += ["--set", f"{key}={value}"]
        with tempfile.TemporaryFile(mode="w+", encoding="utf-8") as messages:
            start = time.monotonic()
            child = subprocess.Popen([str(word) for word in line], stdout=messages, stderr=messages)
            _, status, usage = os.wait4(child.pid, 0)
            wall = time.monotonic() - start
            child.returncode = os.waitstatus_to_exitcode(status)
            if child.returncode != 0:
                messages.seek(0)
                failure = NoSolution if child.returncode == EXIT_NO_SOLUTION else RuntimeError
                raise failure(f"{' '.join(str(w) for w in line)}: exit code {child.returncode}\n{messages.read()}")
        return Run(read_curves(curves), usage.ru_utime + usage.ru_stime, wall)


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
