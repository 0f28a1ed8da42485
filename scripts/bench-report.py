#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Tables, CSV files and charts of what scripts/bench has measured.

usage: bench-report.py [--page] DIR BARS MODE...

DIR/raw holds a file MODE-CORE-PAIR for each boot; a line in it is a name and
figures, the first of which counts. Two boots of one pair are compared with each
other. The status is 1 if a bar is missed without a reason. With --page the tables
are put into the page on performance and into README.md, too.
"""

import collections
import csv
import fnmatch
import math
import os
import re
import statistics
import sys

TOP = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
TABLES = os.path.join(TOP, "Documentation", "driver-api",
                      "dma-buf-performance-tables.txt")
README = os.path.join(TOP, "README.md")
README_MARKS = "<!-- figures of make bench -->\n", "<!-- end of figures -->\n"

# Limit for the cost of a row that has no limit of its own.
DEFAULT_BAR = 1.02
# Limit for the throughput of two CPUs that do not share data, relative to one.
SCALE_BAR = 1.8
SCALES = "smp/export-release", "smp/add-test"
UNITS = {"time": "ns", "growth": "ns", "memory": "bytes", "smp": "ns",
         "instructions": "instr."}
WITH_STATISTICS = ", with statistics"

GROUPS = (
    ("A fence", ("fence/*",)),
    ("A reservation object", ("resv/*", "submit/*", "evict/*")),
    ("A container of fences", ("array/*", "chain/*", "timeline/*", "merge/*")),
    ("A buffer", ("buffer/*",)),
    ("A sync file", ("sync-file/*",)),
    ("Memory", ("memory/*",)),
    ("User space", ("user/*",)),
    ("Two CPUs", ("smp/*",)),
    ("The rest of the kernel", ("floor/*",)),
    ("Growth", ("growth/*",)),
)

# Rows of the table in README.md, and their descriptions.
README_ROWS = (
    ("submit/100", "a GPU driver submits a job with 100 buffers"),
    ("resv/test-first-done-5", "the first look at whether a buffer is idle"),
    ("evict/walk-1000", "look for idle ones among 1,000 buffers"),
    ("fence/sleep-wake", "sleep on a fence, be woken by its signal"),
    ("merge/2-contexts", "merge two fences"),
    ("timeline/add-8", "a new point on a timeline"),
    ("buffer/export-release-whole", "export a buffer, release it"),
    ("user/frame-16-pending", "a compositor's frame with 16 buffers"),
    ("user/client-buffer-4k", "a client's buffer comes to a compositor"),
    ("user/heap-mmap-touch-512m", "map 512 MiB of a heap, touch every page"),
    ("user/udmabuf-32m", "make a buffer of a memfd of 32 MiB"),
    ("memory/buffer", "a buffer"),
)

Bar = collections.namedtuple("Bar", "bar limit floor reason",
                             defaults=(DEFAULT_BAR, None, None, None))
Row = collections.namedtuple("Row", "name host ours ratio low high")


def read_bars(path):
    """Bars by name of the row. Fields are separated by tabs, - is an empty one."""
    bars = {}
    with open(path, encoding="utf-8") as file:
        for line in file:
            if not line.strip() or line.startswith("#"):
                continue
            name, *fields = re.split(r"\t+", line.rstrip("\n"))
            fields = [None if field == "-" else field for field in fields]
            bar, limit, floor, reason = fields + [None] * (4 - len(fields))
            if limit and not reason:
                sys.exit(f"{path}: {name}: a limit without a reason")
            bars[name] = Bar(float(bar or DEFAULT_BAR),
                             float(limit) if limit else None, floor, reason)
    return bars


def read_raw(directory, mode):
    """Figures of a mode: core -> case -> pair -> list of lists of figures."""
    values = collections.defaultdict(
        lambda: collections.defaultdict(
            lambda: collections.defaultdict(list)))
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
                values[match[1]][fields[0]][int(match[2])].append(
                    [float(field) for field in fields[1:]])
    return values


def ratio_of(host, ours):
    """Ours over the host's. Nothing of both is the same; of one it is no ratio."""
    if host:
        return ours / host
    return math.nan if ours else 1.0


def interval(ratios):
    """What contains the median in 95 of 100 cases, by the test of signs; of less
    than six ratios it is all of them."""
    if any(math.isnan(ratio) for ratio in ratios):
        return math.nan, math.nan
    ratios = sorted(ratios)
    count = len(ratios)
    outside, skip = 2 / 2 ** count, 0
    while True:
        outside += 2 * math.comb(count, skip + 1) / 2 ** count
        if outside > 0.05:
            return ratios[skip], ratios[-1 - skip]
        skip += 1


def row_of(name, pairs):
    """Compare pairs of figures. A single pair has its samples' quartiles instead."""
    ratios = [ratio_of(host[0], ours[0]) for host, ours in pairs]
    low, high = interval(ratios)
    if len(pairs) == 1 and len(pairs[0][0]) == 3 == len(pairs[0][1]):
        (_, host_low, host_high), (_, ours_low, ours_high) = pairs[0]
        low = min(low, ratio_of(host_high, ours_low))
        high = max(high, ratio_of(host_low, ours_high))
    return Row(name, statistics.median(host[0] for host, _ in pairs),
               statistics.median(ours[0] for _, ours in pairs),
               statistics.median(ratios), low, high)


def pairs_of(name, host, ours):
    """Figures of two cores, pair by pair. Each needs the other one."""
    if host.keys() != ours.keys() or any(
            len(host[pair]) != len(ours[pair]) for pair in host):
        sys.exit(f"{name}: measured in pairs {sorted(host)} of one core,"
                 f" {sorted(ours)} of the other")
    return [both for pair in sorted(host)
            for both in zip(host[pair], ours[pair], strict=True)]


def rows_of(values, host, ours, suffix=""):
    """Compare two cores, row by row."""
    names = list(values[ours]) + [name for name in values[host]
                                  if name not in values[ours]]
    return [row_of(name + suffix,
                   pairs_of(name, values[host][name], values[ours][name]))
            for name in names]


def bar_of(name, bars):
    """The bar of a row; with statistics it is that of the same without."""
    return bars.get(name) or bars.get(name.removesuffix(WITH_STATISTICS),
                                      Bar())


def verdict(row, bars):
    """"missed", "known" if it has a reason, or nothing. It counts only what is
    outside of the interval. The rest of the kernel has no bar, nor has growth."""
    bar = bar_of(row.name, bars)
    if row.name.startswith(("floor/", "growth/")) or row.low <= bar.bar:
        return ""
    if bar.limit and row.low <= bar.limit:
        return "known"
    return "missed"


def floor_of(name, bars, host):
    """What a row cannot do without: a sum of rows of the host's core, as A+2*B."""
    total = 0.0
    for part in (bar_of(name, bars).floor or "").split("+"):
        times, _, row = part.strip().rpartition("*")
        if row not in host:
            return None
        total += float(times or 1) * host[row]
    return total


def number(value):
    """With three digits or all of the integer part."""
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def group_of(name):
    """Index of the group that a row belongs to."""
    for index, (_, patterns) in enumerate(GROUPS):
        if any(fnmatch.fnmatch(name, pattern) for pattern in patterns):
            return index
    return sys.exit(f"{name}: in no group")


def by_group(names):
    """Groups that have rows: title, names."""
    groups = collections.defaultdict(list)
    for name in names:
        groups[group_of(name)].append(name)
    return [(GROUPS[index][0], groups[index]) for index in sorted(groups)]


def joined_bytes(rows):
    """Names of rows of memory by what the table shows: those numbers of fences that
    take the same are one."""
    shown = {}
    last = None
    for name, row in rows.items():
        match = re.fullmatch(r"(.*-)([0-9]+)", name)
        if match and last and last[0] == match[1] and abs(
                row.host - last[3]) + abs(row.ours - last[4]) < 16:
            del shown[last[2]]
            first = last[1]
        else:
            first = match[2] if match else None
        if match:
            label = match[1] + (first if first == match[2]
                                else f"{first}..{match[2]}")
            last = match[1], first, label, row.host, row.ours
            shown[label] = name
        else:
            last = None
            shown[name] = name
    return shown


def table(names, results, bars):
    """Lines of a table: a row's figures of each mode that has it."""
    modes = [mode for mode in results
             if any(name in results[mode] for name in names)]
    if modes == ["memory"]:
        shown = joined_bytes(results["memory"])
    else:
        shown = {name: name for name in names}
    width = max(map(len, shown))
    head, units = " " * width, " " * width
    for mode in modes:
        head += f"  {'host':>11} {'here':>11} ratio   interval "
        units += f"  {UNITS[mode]:>11} {UNITS[mode]:>11}" + " " * 18
    lines = [head + "       floor", units.rstrip()]
    for label, name in shown.items():
        line = f"{label:{width}}"
        floor = None
        for mode in modes:
            row = results[mode].get(name)
            if not row:
                line += f"  {'-':>11} {'-':>11}" + " " * 18
                continue
            host = {other.name: other.host for other in
                    results[mode].values()}
            if floor is None:
                floor = floor_of(name, bars, host)
            line += (f"  {number(row.host):>11} {number(row.ours):>11}"
                     f"  {row.ratio:4.2f} {row.low:5.2f}-{row.high:4.2f}")
        lines.append((line + f" {number(floor):>11}").rstrip(" -"))
    return lines


def worst(name, results, bars):
    """The worst verdict of a row, over all modes."""
    verdicts = [verdict(rows[name], bars)
                for rows in results.values() if name in rows]
    return "missed" if "missed" in verdicts else max(verdicts)


def above_one(name, results):
    """Whether a row is surely above 1.0, in any mode."""
    return any(rows[name].low > 1.005 for rows in results.values()
               if name in rows)


def all_names(results):
    """Names of rows of all modes, each once."""
    return list(dict.fromkeys(name for rows in results.values()
                              for name in rows))


def explained(names, results, bars):
    """Reasons of the rows that are above 1.0, as pairs of names and reason."""
    reasons = collections.defaultdict(list)
    for name in names:
        if above_one(name, results) and not name.startswith("floor/"):
            reason = bar_of(name, bars).reason
            if reason:
                reasons[reason].append(name)
    return [(rows, reason) for reason, rows in reasons.items()]


def print_report(results, bars):
    """Everything on the terminal, by group. Returns names of missed bars."""
    missed = []
    for title, names in by_group(all_names(results)):
        lines = table(names, results, bars)
        print(f"\n{title}\n")
        print("\n".join(lines))
        for rows, reason in explained(names, results, bars):
            print(f"  {', '.join(rows)}: {reason}")
        found = [name for name in names
                 if worst(name, results, bars) == "missed"]
        for name in found:
            print(f"  above its bar of {bar_of(name, bars).bar}: {name}")
        missed += found
    return missed


def write_tables(path, results, bars):
    """The same for the page on performance."""
    with open(path, "w", encoding="utf-8") as file:
        file.write(".. SPDX-License-Identifier: GPL-2.0-only\n"
                   ".. What make bench PAGE=y has measured, all in one run.\n")
        for title, names in by_group(all_names(results)):
            file.write(f"\n{title}\n{'-' * len(title)}\n\n::\n\n")
            for line in table(names, results, bars):
                file.write(f"    {line}\n" if line else "\n")
            reasons = explained(names, results, bars)
            if reasons:
                file.write("\nAbove 1.0:\n\n")
            for rows, reason in reasons:
                shown = ", ".join(f"``{row}``" for row in rows)
                file.write(f"- {shown}: {reason}\n")


def best_row(name, results):
    """A row and the mode it is shown of: the first that has it."""
    for mode, rows in results.items():
        if name in rows:
            return mode, rows[name]
    return None, None


def readme_lines(results):
    """A short table for README.md."""
    lines = ["| what | row | host | here | ratio |\n",
             "|---|---|---|---|---|\n"]
    for name, what in README_ROWS:
        mode, row = best_row(name, results)
        if row:
            unit = UNITS[mode].replace("instr.", "instructions")
            lines.append(f"| {what} | `{name}` | {number(row.host)} {unit} |"
                         f" {number(row.ours)} {unit} | {row.ratio:.2f} |\n")
    return lines


def replace_between(text, marks, lines):
    """Put lines between two marks, which stay."""
    begin, end = text.find(marks[0]), text.find(marks[1])
    if begin < 0 or end < begin:
        sys.exit(f"no place for the figures: {marks[0].strip()}")
    return text[:begin + len(marks[0])] + "".join(lines) + text[end:]


def write_page(results, bars):
    """Put the tables where readers find them."""
    write_tables(TABLES, results, bars)
    with open(README, encoding="utf-8") as file:
        text = replace_between(file.read(), README_MARKS,
                               readme_lines(results))
    with open(README, "w", encoding="utf-8") as file:
        file.write(text)


def write_csv(path, rows):
    """The same for other programs."""
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(Row._fields)
        writer.writerows(rows)


def drawing():
    """The library that draws, which nothing else needs."""
    import matplotlib  # pylint: disable=import-outside-toplevel
    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "dma-buf"
    matplotlib.rcParams["svg.fonttype"] = "none"
    import matplotlib.pyplot  # pylint: disable=import-outside-toplevel
    return matplotlib.pyplot


def draw_ratios(path, rows, title, bars):
    """Bars of ratios, the first at the top."""
    plt = drawing()
    rows = [row for row in reversed(rows) if not math.isnan(row.ratio)]
    figure, axes = plt.subplots(figsize=(9, 1 + 0.22 * len(rows)))
    colours = ["#c44" if verdict(row, bars) else "#48a" for row in rows]
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


def draw_growth(path, curves):
    """A small diagram per curve, both cores in each."""
    plt = drawing()
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


def curves_of(rows):
    """Rows of growth: curve -> core -> number of objects -> time."""
    curves = collections.defaultdict(lambda: collections.defaultdict(dict))
    for row in rows:
        _, curve, count = row.name.split("/")
        curves[curve]["host"][int(count)] = row.host
        curves[curve]["ours"][int(count)] = row.ours
    return curves


def compare(directory, mode):
    """Rows of a mode. Those with statistics come last."""
    values = read_raw(directory, mode)
    if not values:
        sys.exit(f"nothing was measured: {mode}")
    rows = rows_of(values, "host", "ours")
    rows += [row for row in rows_of(values, "host-stats", "ours-stats",
                                    WITH_STATISTICS)
             if row.name.startswith(("buffer/", "memory/buffer",
                                  "memory/entries"))]
    return rows


def falls_short(host, ours):
    """Does a second CPU add less than the bar and than it adds to the host's core? As for
    a row, only what is outside of the interval counts."""
    return interval([min(SCALE_BAR, host[pair]) / ours[pair] for pair in host])[0] > 1


def compare_smp(directory):
    """Nanoseconds per operation of one CPU and of two together, and what misses the
    bar of two: of a second CPU at least as much has to be left as the host leaves."""
    values = read_raw(directory, "smp")
    times = collections.defaultdict(
        lambda: collections.defaultdict(
            lambda: collections.defaultdict(list)))
    scale = collections.defaultdict(lambda: collections.defaultdict(dict))
    for core, cases in values.items():
        for name, pairs in cases.items():
            for pair, samples in pairs.items():
                one, two = (statistics.median(s[cpus] for s in samples)
                            for cpus in range(2))
                scale[name][core][pair] = two / one
                times[core][f"{name}, one CPU"][pair].append([1e9 / one])
                times[core][f"{name}, two CPUs"][pair].append([1e9 / two])
    rows = rows_of(times, "host", "ours")
    missed = [name for name in SCALES if name in scale
              and falls_short(scale[name]["host"], scale[name]["ours"])]
    for name, cores in scale.items():
        host, ours = (statistics.median(cores[core].values())
                      for core in ("host", "ours"))
        print(f"{name:24} two CPUs do as much as one: host"
              f" {host:.2f} times, here {ours:.2f} times")
    return rows, missed


def report_here(directory):
    """The running kernel, perhaps beside one that was running before."""
    values = read_raw(directory, "here")
    running, versus = os.environ["HERE"], os.environ.get("VERSUS")
    if versus:
        if versus not in values:
            sys.exit(f"never measured: {versus}")
        for row in rows_of(values, versus, running):
            print(f"{row.name:36} {number(row.host):>12} {number(row.ours):>12}"
                  f" {row.ratio:6.2f} {row.low:.2f}-{row.high:.2f}")
        return
    print(f"{'nanoseconds per operation':36} {'median':>12} {'lowest':>12}"
          f" {'highest':>12}")
    for name, pairs in values[running].items():
        times = [sample[0] for samples in pairs.values() for sample in samples]
        print(f"{name:36} {number(statistics.median(times)):>12}"
              f" {number(min(times)):>12} {number(max(times)):>12}")


def report(directory, modes, bars, page):
    """Report on all modes. Returns names of what has missed its bar."""
    results = {}
    missed = []
    for mode in modes:
        if mode == "here":
            report_here(directory)
            continue
        if mode == "smp":
            rows, missed = compare_smp(directory)
        else:
            rows = compare(directory, mode)
        results[mode] = {row.name: row for row in rows}
        write_csv(os.path.join(directory, f"{mode}.csv"), rows)
        if mode == "growth":
            draw_growth(os.path.join(directory, "growth.svg"), curves_of(rows))
        elif mode != "memory":
            draw_ratios(os.path.join(directory, f"{mode}.svg"), rows,
                        f"{mode}, {UNITS[mode]} per operation", bars)
    missed += print_report(results, bars)
    if results:
        write_tables(os.path.join(directory, "tables.txt"), results, bars)
    if page and results:
        write_page(results, bars)
    return missed


def main():
    """Report on each mode; tell in the end which bars were missed."""
    arguments = sys.argv[1:]
    page = "--page" in arguments
    directory, bars, *modes = [arg for arg in arguments if arg != "--page"]
    missed = report(directory, modes, read_bars(bars), page)
    if missed:
        print(f"\n{len(missed)} bars are missed: {' '.join(missed)}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
