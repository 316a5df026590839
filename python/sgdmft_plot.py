"""Draws the curves of sgdmft runs: theory as lines with bands, simulations as points with bars.

`sgdmft plot` starts this script, which also runs by itself: python3 sgdmft_plot.py -o FIGURE.svg RUN.h5 CURVES.csv ...
Exit codes: 0 success, 2 bad input, 4 system error.
"""

import argparse
import csv
import os
import re
import shlex
import sys

STANDARD_ERRORS = 2.0  # half height of bands and bars
BLUE, VERMILLION, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#AA4499"
COMPONENT_COLOURS = [BLUE, VERMILLION, GREEN, PURPLE]
# A 2 x 2 matrix has blues on the diagonal and oranges off it, as symmetric problems have equal entries in each pair.
SQUARE_COLOURS = {"11": BLUE, "22": "#56B4E9", "12": VERMILLION, "21": "#E69F00"}
LINE_STYLES = ["-", (0, (5, 2)), (0, (1, 1.3)), (0, (5, 1.5, 1, 1.5)), (0, (8, 2)), (0, (3, 1, 1, 1, 1, 1))]
MARKERS = ["o", "s", "^", "D", "v", "p"]

STYLE = {
    "font.family": "STIXGeneral",
    "mathtext.fontset": "stix",
    "font.size": 10,
    "axes.titlesize": 10,
    "axes.labelsize": 10,
    "legend.fontsize": 9,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.direction": "out",
    "ytick.direction": "out",
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "ytick.minor.width": 0.4,
    "lines.linewidth": 1.3,
    "legend.frameon": False,
    "legend.handlelength": 1.7,
    "legend.borderaxespad": 0.3,
    "legend.labelspacing": 0.3,
    "savefig.dpi": 300,
    "svg.hashsalt": "sgdmft",  # makes the names of elements the same in every run
    "pdf.fonttype": 42,
}


class Panel:
    """One set of axes with its curves."""

    def __init__(self, title, logarithmic=False):
        self.title = title
        self.logarithmic = logarithmic  # True: a logarithmic axis is used if it helps
        self.curves = {}  # name -> (colour, label)


def main():
    options = parse_options()
    obstacle = find_obstacle(options.output, options.force)
    if obstacle:
        return print_error(4, obstacle)
    try:
        import matplotlib

        matplotlib.use("Agg")
        import sgdmft
    except ImportError as error:
        return print_error(4, f"drawing needs Matplotlib and NumPy: {error}")
    runs = []
    for path in replace_tables(options.files):
        try:
            runs.append(sgdmft.load(path))
        except ImportError as error:
            return print_error(4, f"reading '{path}' needs h5py: {error}")
        except (OSError, KeyError, ValueError) as error:
            text = str(error)
            return print_error(2, text if path in text else f"cannot read '{path}': {text}")
    panels = choose_panels(runs)
    if not panels:
        return print_error(2, "there is nothing to draw: no curve has a finite value")
    matplotlib.rcdefaults()  # so that the figure does not depend on the user's own settings
    matplotlib.rcParams.update(STYLE)
    figure = draw(runs, panels)
    return save(figure, options.output, options.force)


def parse_options():
    parser = argparse.ArgumentParser(description="Draw curves of sgdmft runs.", allow_abbrev=False)
    parser.add_argument("files", nargs="+", metavar="RUN.h5|CURVES.csv")
    parser.add_argument("-o", "--output", required=True, metavar="FIGURE.svg|.pdf|.png")
    parser.add_argument("--force", action="store_true", help="replace an existing figure")
    options = parser.parse_args()
    if os.path.splitext(options.output)[1] not in (".svg", ".pdf", ".png"):
        parser.error(f"the file name '{options.output}' of the figure must end in .svg, .pdf or .png")
    return options


def replace_tables(files):
    """Replaces the table of a sweep by the curves of its points, and removes repeated files."""
    paths = []
    for path in files:
        for entry in points_of_table(path) or [path]:
            if not any(entry == other or same_file(entry, other) for other in paths):
                paths.append(entry)
    return paths


def points_of_table(path):
    """The files of curves of those points of a sweep that were solved; none if the file is not the table of a sweep."""
    with open(path, encoding="utf-8", errors="replace") as file:
        if file.readline() != "# program: sweep\n":
            return []
        rows = list(csv.DictReader(line for line in file if not line.startswith("#")))
    digits = max(3, len(str(len(rows))))
    names = [row["point"].zfill(digits) + ".csv" for row in rows if row["t"] != "nan"]
    return [os.path.join(os.path.dirname(path), name) for name in names]


def same_file(a, b):
    return os.path.exists(a) and os.path.exists(b) and os.path.samefile(a, b)


def print_error(code, text):
    print(f"sgdmft: {text}", file=sys.stderr)
    return code


# --- what to draw -----------------------------------------------------------------------------------------------------


def choose_panels(runs):
    """Losses, overlaps, observables and response, as far as some run has them."""
    import sgdmft

    names = []
    for run in runs:
        names += [name for name in run.curves if name not in names and has_values(run, name)]
    panels = [train_test_panel("loss", names, logarithmic=True)]
    panels += overlap_panels(names)
    observables = [name[len("train_") :] for name in names
                   if sgdmft.column_kind(name) == "observables" and name.startswith("train_")]
    panels += [train_test_panel(name, names) for name in observables]
    panels.append(component_panel("response", r"R", "(t,0)", names))
    return [panel for panel in panels if panel.curves]


def has_values(run, name):
    import numpy as np

    return bool(np.isfinite(run.curves[name]).any())


def train_test_panel(quantity, names, logarithmic=False):
    panel = Panel(quantity.replace("_", " "), logarithmic)
    for samples, colour in (("train", BLUE), ("test", VERMILLION)):
        if f"{samples}_{quantity}" in names:
            panel.curves[f"{samples}_{quantity}"] = (colour, samples)
    return panel


def overlap_panels(names):
    """q and m share a panel if each has a single entry."""
    q = component_panel("student overlaps", "q", "", names)
    m = component_panel("teacher overlaps", "m", "", names)
    if set(q.curves) <= {"q11"} and set(m.curves) <= {"m11"}:
        both = Panel("overlaps")
        if q.curves:
            both.curves["q11"] = (GREEN, "$q$")
        if m.curves:
            both.curves["m11"] = (PURPLE, "$m$")
        return [both]
    return [q, m]


def component_panel(title, symbol, argument, names):
    """The entries of a matrix; if there are many, colours distinguish only the diagonal from the rest."""
    import sgdmft

    panel = Panel(title)
    entries = [name for name in names if sgdmft.column_kind(name) == symbol]
    square = "22" in {name[-2:] for name in entries}
    for i, name in enumerate(entries):
        a, b = name[-2:]
        if len(entries) <= len(COMPONENT_COLOURS):
            index = "" if len(entries) == 1 else f"_{{{a}{b}}}"
            colour = SQUARE_COLOURS[a + b] if square else COMPONENT_COLOURS[i]
            panel.curves[name] = (colour, f"${symbol}{index}{argument}$")
        elif a == b:
            panel.curves[name] = (BLUE, f"${symbol}_{{aa}}{argument}$")
        else:
            panel.curves[name] = (VERMILLION, f"${symbol}_{{ab}}{argument}$, $a \\neq b$")
    return panel


def label_runs(runs):
    """A short unique label for each run: its swept values or its file name, theory or simulation, and how it ended if
    it is not complete."""
    mixed = len({run.simulated for run in runs}) > 1
    tails = []
    for run in runs:
        tail = describe_simulation(run) if run.simulated else ", theory" if mixed else ""
        status = run.info.get("status", "ok")
        tails.append(tail if status == "ok" else f"{tail} ({status})")
    for shorten in (lambda run: swept_values(run) or stem(run), stem, file_name, lambda run: run.path):
        labels = [shorten(run) + tail for run, tail in zip(runs, tails)]
        if len(set(labels)) == len(labels):
            break
    return labels


def file_name(run):
    return os.path.basename(run.path)


def stem(run):
    return os.path.splitext(file_name(run))[0]


def swept_values(run):
    """E.g. "eta = 0.5, delta = 2" for a point of a sweep, otherwise an empty text."""
    try:
        words = shlex.split(str(run.info.get("command", "")))
    except ValueError:
        return ""
    if words[1:2] != ["sweep"]:
        return ""
    overs = [word for before, word in zip(words, words[1:]) if before == "--over" or word.startswith("--over=")]
    keys = [re.sub("^--over=", "", over).partition("=")[0].strip() for over in overs]
    return ", ".join(f"{key.split('.')[-1]} = {as_typed(run.setting(key))}" for key in keys)


def as_typed(value):
    """A value of the problem as one would type it: without quotes, and 2 in place of 2.0."""
    return "none" if value is None else re.sub(r"^(\d+)\.0$", r"\1", value.strip('"'))


def describe_simulation(run):
    d = run.setting("simulate.d")
    if d is None:
        match = re.search(r"\bd=(\d+)", run.info.get("title", ""))
        d = match.group(1) if match else None
    return f", simulation, $d = {d}$" if d else ", simulation"


def time_label(runs):
    kinds = {run.setting("dynamics") for run in runs}
    if kinds == {"online"}:
        return r"$\tau = \delta t$"
    if "online" in kinds or "gradient-flow" in kinds:
        return "$t$"
    return "$t$ (epochs)"


# --- how to draw it ---------------------------------------------------------------------------------------------------


def draw(runs, panels):
    from matplotlib import pyplot

    columns = min(len(panels), 3 if len(panels) != 4 else 2)
    rows = -(-len(panels) // columns)
    size = (2.65 * columns + 0.2, 2.15 * rows)
    figure, grid = pyplot.subplots(rows, columns, figsize=size, squeeze=False, layout="constrained")
    axes = list(grid.flat)
    for panel, ax in zip(panels, axes):
        draw_panel(ax, panel, runs)
    for ax in axes[len(panels) :]:
        ax.remove()
    for i, ax in enumerate(axes[: len(panels)]):
        if i + columns >= len(panels):
            ax.set_xlabel(time_label(runs))
    if len(runs) > 1:
        add_run_legend(figure, runs)
    figure.canvas.draw()  # this places the legends
    for ax in axes[: len(panels)]:
        make_room(ax)
    return figure


def run_styles(runs):
    """(run, is simulation, style) of each run, where the style is a line style or the marker of a simulation."""
    lines, points = 0, 0
    for run in runs:
        if run.simulated:
            yield run, True, MARKERS[points % len(MARKERS)]
            points += 1
        else:
            yield run, False, LINE_STYLES[lines % len(LINE_STYLES)]
            lines += 1


def draw_panel(ax, panel, runs):
    for run, simulated, style in run_styles(runs):
        for name, (colour, _) in panel.curves.items():
            if name not in run.curves:
                continue
            if simulated:
                draw_points(ax, run, name, colour, style)
            else:
                draw_line(ax, run, name, colour, style)
    ax.set_title(panel.title)
    ax.margins(x=0.02)
    if panel.logarithmic and spans_decade(panel, runs):
        set_logarithmic(ax)
    add_curve_legend(ax, panel)


def draw_line(ax, run, name, colour, style):
    value, width = run.curves[name], STANDARD_ERRORS * run.se[name]
    ax.fill_between(run.times, value - width, value + width, color=colour, alpha=0.22, linewidth=0, zorder=1)
    ax.plot(run.times, value, color=colour, linestyle=style, zorder=2)


def draw_points(ax, run, name, colour, marker):
    size = 3.4 if len(run.times) <= 30 else 2.2
    ax.errorbar(
        run.times,
        run.curves[name],
        STANDARD_ERRORS * run.se[name],
        linestyle="none",
        marker=marker,
        markersize=size,
        markerfacecolor="white",
        markeredgewidth=0.8,
        elinewidth=0.8,
        color=colour,
        zorder=3,
    )


def spans_decade(panel, runs):
    """A logarithmic axis helps if all values are positive and the largest is more than eight times the smallest."""
    import numpy as np

    values = np.concatenate([run.curves[name] for run in runs for name in panel.curves if name in run.curves])
    values = values[np.isfinite(values)]
    return values.min() > 0 and values.max() > 8 * values.min()


def set_logarithmic(ax):
    """Makes the axis logarithmic, with plain numbers, and labels at 1, 2, 5 if the range is short."""
    from matplotlib import ticker

    ax.set_yscale("log")
    low, high = ax.get_ylim()
    if high / low < 300:
        ax.yaxis.set_major_locator(ticker.LogLocator(subs=(1, 2, 5)))
        ax.yaxis.set_minor_locator(ticker.LogLocator(subs=range(1, 10)))
        ax.yaxis.set_minor_formatter(ticker.NullFormatter())
        ax.yaxis.set_major_formatter(ticker.FuncFormatter(lambda y, _: f"{y:g}"))


def add_curve_legend(ax, panel):
    from matplotlib.lines import Line2D

    labels = {}
    for colour, label in panel.curves.values():
        labels.setdefault(label, Line2D([], [], color=colour))
    ax.legend(labels.values(), labels.keys(), loc="best", ncols=2 if len(labels) > 4 else 1)


def make_room(ax):
    """If the legend covers data even at the best place, extends the axis upwards and puts it there."""
    legend = ax.get_legend()
    if not covers_data(ax, legend.get_window_extent()):
        return
    handles = getattr(legend, "legend_handles", None) or legend.legendHandles  # the name before Matplotlib 3.7
    labels = [text.get_text() for text in legend.texts]
    legend = ax.legend(handles, labels, loc="upper right", ncols=2 if len(labels) > 2 else 1)
    share = legend.get_window_extent(ax.figure.canvas.get_renderer()).height / ax.bbox.height + 0.03
    low, high = ax.get_ylim()
    if ax.get_yscale() == "log":
        ax.set_ylim(low, low * (high / low) ** (1 / (1 - share)))
    else:
        ax.set_ylim(low, low + (high - low) / (1 - share))


def covers_data(ax, box):
    for line in ax.lines:
        path = line.get_transform().transform_path(line.get_path())
        is_line = line.get_linestyle() != "None"
        if path.intersects_bbox(box, filled=False) if is_line else box.count_contains(path.vertices):
            return True
    return False


def add_run_legend(figure, runs):
    """Adds a legend of line styles and markers above the panels, in a neutral colour and as wide as fits."""
    from matplotlib.lines import Line2D

    grey = "#333333"
    handles = []
    for (_, simulated, style), label in zip(run_styles(runs), label_runs(runs)):
        if simulated:
            look = {"linestyle": "none", "marker": style, "markersize": 4, "markerfacecolor": "white"}
        else:
            look = {"linestyle": style}
        handles.append(Line2D([], [], color=grey, label=label, **look))
    for columns in range(min(len(handles), 4), 0, -1):
        legend = figure.legend(handles=handles, loc="upper center", ncols=columns)
        extent = legend.get_window_extent(figure.canvas.get_renderer())
        if columns == 1 or extent.width < 0.98 * figure.bbox.width:
            break
        legend.remove()
    width, height = figure.get_size_inches()
    band = extent.height / figure.dpi  # added to the height, so that the panels keep their size
    figure.set_size_inches(width, height + band)
    figure.get_layout_engine().set(rect=(0, 0, 1, height / (height + band)))


# --- the file ---------------------------------------------------------------------------------------------------------


def find_obstacle(path, force):
    """Why the figure cannot be written, or None."""
    directory = os.path.dirname(path) or "."
    if os.path.exists(path) and not force:
        return f"output '{path}': the file exists already and is not overwritten; use --force to replace it"
    if not os.path.isdir(directory):
        return f"output '{path}': the directory '{directory}' does not exist; create it first"
    return None


def save(figure, path, force):
    """Writes the whole file or nothing, and no dates into it: the same curves give the same bytes."""
    obstacle = find_obstacle(path, force)
    if obstacle:
        return print_error(4, obstacle)
    kind = os.path.splitext(path)[1][1:]
    metadata = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": {}}[kind]
    temporary = f"{path}.{os.getpid()}.tmp"
    try:
        try:
            figure.savefig(temporary, format=kind, metadata=metadata)
            os.replace(temporary, path)
        finally:
            if os.path.exists(temporary):
                os.unlink(temporary)
    except OSError as error:
        return print_error(4, f"output '{path}': cannot write: {error.strerror or error}")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:  # a traceback would end with exit code 1, which means something else in `sgdmft`
        sys.exit(print_error(4, f"drawing failed: {type(error).__name__}: {error}"))
