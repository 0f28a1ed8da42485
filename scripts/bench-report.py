#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Tables, CSV files and charts of what scripts/bench has measured.

usage: bench-report.py DIR BARS MODE...

DIR/raw holds a file MODE-CORE-ROUND for each boot; a line in it is a name and
figures, the first of which counts. The status is 1 if a bar is missed.
"""

import collections
import csv
import math
import os
import re
import statistics
import sys

import matplotlib
matplotlib.use("svg")
matplotlib.rcParams["svg.hashsalt"] = "dma-buf"
matplotlib.rcParams["svg.fonttype"] = "none"
import matplotlib.pyplot as plt  # noqa: E402  (the backend comes first)

DEFAULT_BAR = 1.05

Row = collections.namedtuple("Row", "name host ours ratio low high bar")


def read_bars(path):
    """Bars by name of the case."""
    with open(path, encoding="utf-8") as file:
        pairs = (line.split() for line in file
                 if line.strip() and not line.startswith("#"))
        return {name: float(bar) for name, bar in pairs}


def read_raw(directory, mode):
    """Figures of a mode: core -> case -> list with one value per round."""
    values = collections.defaultdict(lambda: collections.defaultdict(list))
    for entry in sorted(os.listdir(os.path.join(directory, "raw"))):
        match = re.fullmatch(f"{mode}-(.*)-([0-9]+)", entry)
        if not match:
            continue
        with open(os.path.join(directory, "raw", entry),
                  encoding="utf-8") as file:
            for line in file:
                fields = line.rstrip("\n").split("\t")
                if len(fields) < 2 or fields[1] == "failed":
                    sys.exit(f"{entry}: {line}")
                values[match[1]][fields[0]].append(
                    [float(field) for field in fields[1:]])
    return values


def rows_of(values, host, ours, bars, suffix=""):
    """Compare two cores: the ratio is the median of those of the rounds."""
    rows = []
    for name, samples in values[ours].items():
        pairs = list(zip((s[0] for s in values[host][name]),
                         (s[0] for s in samples), strict=True))
        ratios = [b / a if a else math.nan for a, b in pairs]
        rows.append(Row(name + suffix,
                        statistics.median(a for a, _ in pairs),
                        statistics.median(b for _, b in pairs),
                        statistics.median(ratios), min(ratios), max(ratios),
                        bars.get(name, DEFAULT_BAR)))
    return rows


def missed(row):
    """Is the case above its bar, or without a ratio? Neither memory nor the floor
    has a bar."""
    return (not row.name.startswith(("floor/", "memory/"))
            and not row.ratio <= row.bar)


def print_rows(rows, unit):
    """A table on the terminal."""
    width = max(len(row.name) for row in rows)
    print(f"{'':{width}} {'host ' + unit:>14} {'ours ' + unit:>14}"
          f" {'ratio':>7}   spread")
    for row in rows:
        print(f"{row.name:{width}} {row.host:14,.1f} {row.ours:14,.1f}"
              f" {row.ratio:7.3f}   {row.low:.3f}-{row.high:.3f}"
              + (f"  above {row.bar}" if missed(row) else ""))


def write_csv(path, rows):
    """The same for other programs."""
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(Row._fields)
        writer.writerows(rows)


def draw_ratios(path, rows, title):
    """Bars of ratios, the most expensive at the top of its group."""
    rows = list(reversed(rows))
    figure, axes = plt.subplots(figsize=(9, 1 + 0.22 * len(rows)))
    colours = ["#c44" if missed(row) else "#48a" for row in rows]
    axes.barh([row.name for row in rows], [row.ratio for row in rows],
              color=colours, height=0.7)
    axes.axvline(1, color="black", linewidth=0.8)
    for index, row in enumerate(rows):
        axes.text(row.ratio + 0.01, index, f"{row.ratio:.2f}", va="center",
                  fontsize=7)
    axes.set_xlim(0, max(1.1, min(1.5, max(row.ratio for row in rows) + 0.1)))
    axes.set_xlabel("cost in comparison with the host's core: less is better")
    axes.set_title(title, fontsize=10)
    axes.tick_params(axis="y", labelsize=7)
    axes.margins(y=0.01)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def report_comparison(directory, mode, rows, unit, bars):
    """Table, CSV and chart of one mode. Returns the number of missed bars."""
    print_rows(rows, unit)
    write_csv(os.path.join(directory, f"{mode}.csv"), rows)
    draw_ratios(os.path.join(directory, f"{mode}.svg"), rows,
                f"{mode}, {unit} per operation")
    return sum(map(missed, rows))


def report_time(directory, bars):
    """Times with and without statistics, and memory."""
    values = read_raw(directory, "time")
    rows = rows_of(values, "host", "ours", bars)
    rows += rows_of(values, "host-stats", "ours-stats", bars,
                    ", with statistics")
    result = report_comparison(directory, "time", rows, "ns", bars)

    name = "buffer/export-release"
    if name in values["ours"] and name in values["ours-stats"]:
        ratio = statistics.median(
            b[0] / a[0] for a, b in zip(values["ours"][name],
                                        values["ours-stats"][name]))
        print(f"{name} with statistics over without: {ratio:.3f}")
    return result + report_memory(directory, bars)


def report_memory(directory, bars):
    """Slab bytes per object."""
    values = read_raw(directory, "memory")
    if not values:
        return 0
    rows = rows_of(values, "host", "ours", bars)
    rows += [row for row in rows_of(values, "host-stats", "ours-stats", bars,
                                    ", with statistics")
             if row.name.startswith("memory/buffer")]
    print()
    print_rows(rows, "bytes")
    write_csv(os.path.join(directory, "memory.csv"), rows)
    return 0


def report_instructions(directory, bars):
    """Instructions of the emulated PC."""
    values = read_raw(directory, "instructions")
    rows = rows_of(values, "host", "ours", bars)
    return report_comparison(directory, "instructions", rows, "instructions",
                             bars)


def draw_growth(path, curves):
    """A small diagram per curve, both cores in each."""
    columns = 3
    lines = math.ceil(len(curves) / columns)
    figure, grid = plt.subplots(lines, columns, squeeze=False,
                                figsize=(4 * columns, 3 * lines))
    for axes in grid.flat[len(curves):]:
        axes.set_visible(False)
    for axes, (curve, points) in zip(grid.flat, curves.items()):
        for core, colour in ("host", "#c84"), ("ours", "#48a"):
            pairs = sorted(points[core].items())
            axes.loglog(*zip(*pairs), marker="o", color=colour, label=core)
        axes.set_title(curve, fontsize=9)
        axes.set_ylabel("ns per operation", fontsize=8)
        axes.grid(True, alpha=0.3)
        axes.legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def report_growth(directory, _bars):
    """Cost against the number of objects."""
    values = read_raw(directory, "growth")
    curves = collections.defaultdict(lambda: collections.defaultdict(dict))
    for core, cases in values.items():
        for name, samples in cases.items():
            _, curve, number = name.split("/")
            curves[curve][core][int(number)] = statistics.median(
                sample[0] for sample in samples)
    rows = rows_of(values, "host", "ours", {})
    print_rows(rows, "ns")
    write_csv(os.path.join(directory, "growth.csv"), rows)
    draw_growth(os.path.join(directory, "growth.svg"), curves)
    return 0


def report_smp(directory, _bars):
    """Throughput of two CPUs over that of one."""
    values = read_raw(directory, "smp")
    result = 0
    with open(os.path.join(directory, "smp.csv"), "w", encoding="utf-8",
              newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["name", "core", "one", "two", "ratio"])
        for name in values["ours"]:
            for core in "host", "ours":
                # Other work of the machine only ever takes away.
                one = max(s[0] for s in values[core][name])
                two = max(s[1] for s in values[core][name])
                writer.writerow([name, core, one, two, two / one])
                print(f"{name:24} {core}  {one:12,.0f}/s on one CPU "
                      f"{two:12,.0f}/s on two: {two / one:.2f} times")
                result += core == "ours" and two / one < 1.8
    return result


REPORTS = {
    "time": report_time,
    "growth": report_growth,
    "instructions": report_instructions,
    "smp": report_smp,
}


def main():
    """Report on each mode; tell in the end how many bars were missed."""
    directory, bars, *modes = sys.argv[1:]
    bars = read_bars(bars)
    result = 0
    for mode in modes:
        print(f"\n{mode}\n")
        result += REPORTS[mode](directory, bars)
    if result:
        print(f"\n{result} bars are missed")
    return 1 if result else 0


if __name__ == "__main__":
    sys.exit(main())
