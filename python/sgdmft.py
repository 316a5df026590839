"""Reads the files that sgdmft writes: curves (CSV), and runs with two-time arrays (HDF5).

    import sgdmft
    run = sgdmft.load("tanh.h5")             # or "tanh.csv"
    run.times, run.curves["test_loss"], run.se["test_loss"]
    run.C[i, j], run.R[i, j], run.m[i]        # k x k, k x k, k x k* at the grid times run.t[i], run.t[j]; HDF5 only
    run.info["seed"], run.problem             # provenance, and the problem with every default (YAML text)

Needs numpy, and h5py for HDF5 files.
"""

import dataclasses
import fnmatch
import re

import numpy as np

# Patterns of the names of each kind of column, for fnmatch. A column is of the first kind that matches.
COLUMN_KINDS = {
    "train_loss": ("train_loss",),
    "test_loss": ("test_loss",),
    "q": ("q[1-8][1-8]",),
    "m": ("m[1-8][1-8]",),
    "observables": ("train_*", "test_*"),
    "R": ("R[1-8][1-8]",),
}


def column_kind(name):
    """The key of COLUMN_KINDS that a column of this name belongs to, or None."""
    for kind, patterns in COLUMN_KINDS.items():
        if any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns):
            return kind
    return None


@dataclasses.dataclass
class Run:
    """The content of one file. The dictionaries of curves are in the order of the columns."""

    path: str
    times: np.ndarray  # output times
    curves: dict  # name -> values at the output times
    se: dict  # name -> one standard error of the values
    info: dict  # provenance: version, command, seed, status, residual_max, ...
    problem: str = ""  # the problem with every default, as YAML
    step_error: dict = dataclasses.field(default_factory=dict)  # name -> time-step error; HDF5 only
    # From here on None in CSV files and simulations.
    t: np.ndarray = None  # [N] grid times of the two-time arrays
    C: np.ndarray = None  # [N, N, k, k]
    R: np.ndarray = None  # [N, N, k, k], zero where the second time is the later one
    m: np.ndarray = None  # [N, k, k*]
    residual: np.ndarray = None  # [N] self-consistency residual of the step to each node
    histograms: dict = None  # of the coordinates, if output.histograms asks for them: t [n], edges [k, bins + 1],
    # density and se [n, k, bins]

    @property
    def simulated(self):
        """True for a finite-d simulation, False for a solution of the limiting equations."""
        return self.info.get("program") == "simulate" or "finite-d simulation" in self.info.get("title", "")

    def setting(self, key):
        """The value of a key of the problem, e.g. "delta" or "simulate.d", as text; None if the problem lacks it."""
        scope = []
        for line in self.problem.splitlines():
            match = re.match(r"( *)([A-Za-z_]\w*):(?: +(.*?))?(?: +#.*)?$", line)
            if not match:
                continue
            depth = len(match.group(1)) // 2
            scope = scope[:depth] + [match.group(2)]
            if ".".join(scope) == key:
                return match.group(3)
        return None


def load(path):
    """Reads a .h5 or .csv file. Raises OSError or ValueError, with a message that names the file."""
    with open(path, "rb") as file:
        is_hdf5 = file.read(8) == b"\x89HDF\r\n\x1a\n"
    return _load_hdf5(path) if is_hdf5 else _load_csv(path)


def _load_hdf5(path):
    import h5py

    with h5py.File(path, "r") as file:
        if "curves/t" not in file or "columns" not in file["curves"].attrs:
            raise ValueError(f"{path}: this file was not written by sgdmft: it has no group /curves")
        group = file["curves"]
        names = [str(name) for name in group.attrs["columns"]]
        info = dict(file.attrs)
        arrays = {name: file[name][...] for name in ("t", "C", "R", "m", "residual") if name in file}
        if "histograms" in file:
            arrays["histograms"] = {name: values[...] for name, values in file["histograms"].items()}
        return Run(
            path=path,
            times=group["t"][...],
            curves={name: group[name][...] for name in names},
            se={name: group[name + "_se"][...] for name in names},
            step_error={name: group[name + "_step_error"][...] for name in names},
            problem=info.pop("problem", ""),
            info=info,
            **arrays,
        )


def _load_csv(path):
    info, problem, header, rows = {}, [], None, []
    with open(path, encoding="utf-8", errors="replace") as file:
        for number, line in enumerate(file, 1):
            line = line.rstrip("\r\n")
            if line.startswith("#"):
                _parse_comment(line, info, problem)
            elif not line.strip():
                continue
            elif header is None:
                header = _parse_header(path, number, line)
            else:
                rows.append(_parse_row(path, number, line, header))
    if header is None:
        raise ValueError(f"{path}: the file has no header line 't,train_loss,...'")
    table = np.array(rows, dtype=float).reshape(len(rows), len(header))
    columns = dict(zip(header, table.T))
    names = [name for name in header if name != "t" and not name.endswith("_se")]
    return Run(
        path=path,
        times=columns["t"],
        curves={name: columns[name] for name in names},
        se={name: columns.get(name + "_se", np.zeros(len(rows))) for name in names},
        problem="".join(line + "\n" for line in problem),
        info=info,
    )


def _parse_comment(line, info, problem):
    text = re.sub("^# ?", "", line)
    key, colon, value = text.partition(": ")
    if not info:
        info["title"] = text
    if key == "problem" and colon:
        problem.append(value)
    elif colon and re.fullmatch(r"\w+", key):
        info[key] = value


def _parse_header(path, number, line):
    header = [name.strip() for name in line.split(",")]
    if "t" not in header:
        raise ValueError(f"{path}:{number}: the header has no column 't', so that this is not a file of curves")
    return header


def _parse_row(path, number, line, header):
    fields = line.split(",")
    if len(fields) != len(header):
        raise ValueError(f"{path}:{number}: {len(fields)} values in this row, but the header has {len(header)} columns")
    try:
        return [float(field) for field in fields]
    except ValueError as error:
        raise ValueError(f"{path}:{number}: {error}") from None
