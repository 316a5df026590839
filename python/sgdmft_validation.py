"""Draws the figures of `sgdmft validate`: python3 sgdmft_validation.py [--png] CLAIM.csv ...

Each CLAIM.csv contains series of x, y, y_se after comments that describe the panels and the series; its figure is
CLAIM.svg beside it. Exit codes: 0 success, 2 bad input, 4 system error.
"""

import os
import sys

STANDARD_ERRORS = 2.0
COLOURS = ["#0072B2", "#D55E00", "#009E73", "#AA4499", "#E69F00", "#56B4E9", "#000000", "#777777", "#BBBB00", "#888888"]
MARKERS = ["o", "s", "^", "D", "v", "p"]


def main(arguments):
    try:
        import matplotlib

        matplotlib.use("Agg")
        import sgdmft_plot
    except ImportError as error:
        print(f"sgdmft: drawing needs Matplotlib and NumPy: {error}", file=sys.stderr)
        return 4
    kind = "png" if "--png" in arguments else "svg"
    for path in [a for a in arguments if a != "--png"]:
        try:
            panels, series = load(path)
        except (OSError, ValueError) as error:
            print(f"sgdmft: cannot read '{path}': {error}", file=sys.stderr)
            return 2
        matplotlib.rcdefaults()
        matplotlib.rcParams.update({**sgdmft_plot.STYLE, "savefig.dpi": 130})
        figure = draw(panels, series)
        code = sgdmft_plot.save(figure, os.path.splitext(path)[0] + "." + kind, True)
        if code:
            return code
    return 0


def load(path):
    """Reads the panels (title, x, y, scale of x, scale of y) and the series (panel, style, colour, label, rows of x, y,
    y_se)."""
    panels, series = [], []
    with open(path, encoding="utf-8") as file:
        for line in file:
            key, _, rest = line.rstrip("\n").partition(": ")
            fields = rest.split("|")
            if key == "# panel":
                panels.append(fields[1:])
            elif key == "# series":
                series.append((int(fields[1]), fields[2], int(fields[3]), fields[4], []))
            elif line[:1].isdigit():
                number, x, y, se = line.split(",")
                series[int(number)][4].append((float(x), float(y), float(se)))
    return panels, series


def draw(panels, series):
    from matplotlib import pyplot

    shown = [p for p in range(len(panels)) if any(s[0] == p and s[4] for s in series)]
    columns = max(1, min(len(shown), 4 if len(shown) > 6 else 2 if len(shown) == 4 else 3))
    rows = max(1, -(-len(shown) // columns))
    figure, grid = pyplot.subplots(rows, columns, figsize=(3.3 * columns, 2.7 * rows), squeeze=False,
                                   layout="constrained")
    axes = list(grid.flat)
    for p, ax in zip(shown, axes):
        draw_panel(ax, panels[p], [s for s in series if s[0] == p and s[4]])
    for ax in axes[len(shown):]:
        ax.remove()
    return figure


def draw_panel(ax, panel, series):
    import numpy as np

    import sgdmft_plot

    title, x_label, y_label, x_scale, y_scale = panel
    for _, style, colour, label, rows in series:
        x, y, se = np.array(rows).T
        good = np.isfinite(y) & ((y > 0) | (y_scale != "log"))
        draw_series(ax, style, COLOURS[colour % len(COLOURS)], MARKERS[colour % len(MARKERS)], label or None, x[good],
                    y[good], se[good])
    ax.set_title(title)
    ax.set_xlabel(x_label)
    ax.set_ylabel(y_label)
    if x_scale == "log":
        ax.set_xscale("log")
        plain_numbers(ax.xaxis)
    if y_scale == "log":
        sgdmft_plot.set_logarithmic(ax)
    labels = {}
    for handle, label in zip(*ax.get_legend_handles_labels()):
        labels.setdefault(label, handle)
    if labels:
        ax.legend(labels.values(), labels.keys(), loc="best", fontsize=8)


def plain_numbers(axis):
    from matplotlib import ticker

    axis.set_major_locator(ticker.LogLocator(subs=(1, 2, 5)))
    axis.set_minor_formatter(ticker.NullFormatter())
    axis.set_major_formatter(ticker.FuncFormatter(lambda x, _: f"{x:g}"))


def draw_series(ax, style, colour, marker, label, x, y, se):
    if style == "points":
        size = 3.4 if len(x) <= 30 else 2.2
        ax.errorbar(x, y, STANDARD_ERRORS * se, linestyle="none", marker=marker, markersize=size,
                    markerfacecolor="white", markeredgewidth=0.8, elinewidth=0.8, color=colour, label=label, zorder=3)
    elif style == "dashes":
        ax.plot(x, y, color="#999999", linestyle=(0, (4, 2)), linewidth=0.8, label=label, zorder=1)
    else:
        ax.fill_between(x, y - STANDARD_ERRORS * se, y + STANDARD_ERRORS * se, color=colour, alpha=0.22, linewidth=0)
        ax.plot(x, y, color=colour, label=label, zorder=2)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:  # a traceback would end with exit code 1, which means something else in `sgdmft`
        print(f"sgdmft: drawing failed: {type(error).__name__}: {error}", file=sys.stderr)
        sys.exit(4)
