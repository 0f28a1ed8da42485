#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Tests of the benchmark's report, and of the command where it needs no kernel."""

import contextlib
import importlib.util
import io
import math
import os
import shutil
import subprocess
import sys
import unittest

import testbed
from testbed import read, write

REPORT = os.path.join(testbed.SCRIPTS, "bench-report.py")
spec = importlib.util.spec_from_file_location("bench_report", REPORT)
report = importlib.util.module_from_spec(spec)
spec.loader.exec_module(report)


def row(name, ratio, low=None, high=None):
    """A row of which only the ratio counts."""
    return report.Row(name, 1, ratio, ratio, low or ratio, high or ratio)


class RatioTest(unittest.TestCase):
    """Figures become rows."""

    def test_row(self):
        pairs = [([10.0], [11.0]), ([10.0], [12.0]), ([20.0], [26.0])]
        self.assertEqual(report.row_of("a", pairs)[1:], (10, 12, 1.2, 1.1, 1.3))

    def test_single_pair(self):
        found = report.row_of("a", [([10.0, 8.0, 10.0], [10.0, 10.0, 12.0])])
        self.assertEqual(found[1:], (10, 10, 1.0, 1.0, 1.5))

    def test_interval(self):
        for count, low, high in ((1, 0, 0), (5, 0, 4), (6, 0, 5), (8, 0, 7),
                                 (9, 1, 7), (12, 2, 9), (15, 3, 11)):
            with self.subTest(count=count):
                self.assertEqual(report.interval(range(count)), (low, high))

    def test_nothing_to_compare_with(self):
        broken = report.row_of("a", [([0.0], [1.0]), ([1.0], [1.0])])
        self.assertTrue(math.isnan(broken.low))
        self.assertEqual(report.verdict(broken, {}), "missed")
        self.assertEqual(report.row_of("a", [([0.0], [0.0])]).ratio, 1)

    def test_pairs_that_differ(self):
        host = {1: [[1.0]], 2: [[1.0]]}
        self.assertEqual(len(report.pairs_of("a", host, host)), 2)
        for ours in {1: [[1.0]]}, {1: [[1.0]], 3: [[1.0]]}, \
                {1: [[1.0]], 2: [[1.0], [2.0]]}:
            with self.assertRaises(SystemExit):
                report.pairs_of("a", host, ours)

    def test_row_of_one_core_only(self):
        pairs = {1: [[1.0]]}
        for host, ours in ({"a": pairs}, {}), ({}, {"a": pairs}):
            values = {"host": report.collections.defaultdict(dict, host),
                      "ours": report.collections.defaultdict(dict, ours)}
            with self.assertRaises(SystemExit):
                report.rows_of(values, "host", "ours")


class BarTest(testbed.Testbed):
    """Bars, floors and reasons."""

    def bars(self, text):
        """Read a file of bars."""
        path = os.path.join(self.place, "bars")
        write(path, text)
        return report.read_bars(path)

    def test_default(self):
        for ratio, verdict in (1.02, ""), (1.03, "missed"):
            self.assertEqual(report.verdict(row("a", ratio), {}), verdict)
        self.assertEqual(report.verdict(row("floor/a", 2), {}), "")

    def test_only_outside_of_the_interval(self):
        self.assertEqual(report.verdict(row("a", 1.1, 1.0, 1.2), {}), "")

    def test_reason_up_to_a_limit(self):
        bars = self.bars("# comment\n\na\t0.5\t1.2\t-\tit must\nb\t0.5\n")
        for name, ratio, verdict in (("a", 0.5, ""), ("a", 1.2, "known"),
                                     ("a", 1.21, "missed"), ("b", 0.6, "missed"),
                                     ("a, with statistics", 1.1, "known")):
            self.assertEqual(report.verdict(row(name, ratio), bars), verdict)

    def test_limit_without_reason(self):
        with self.assertRaises(SystemExit):
            self.bars("a\t-\t1.2\n")

    def test_floor(self):
        bars = self.bars("a\t-\t-\tfloor/x+ 2*floor/y\n")
        host = {"floor/x": 3.0, "floor/y": 4.0}
        self.assertEqual(report.floor_of("a", bars, host), 11)
        self.assertIsNone(report.floor_of("b", bars, host))
        self.assertIsNone(report.floor_of("a", bars, {"floor/x": 3.0}))

    def test_bars_of_the_project(self):
        for name, bar in report.read_bars(
                os.path.join(testbed.TOP, "bench", "bars")).items():
            report.group_of(name)
            self.assertTrue(bar.floor or bar.reason or bar.bar != 1.02, name)


class ReportTest(testbed.Testbed):
    """From what the guests print to what readers see."""

    def setUp(self):
        super().setUp()
        self.top = self.checkout()
        self.bars = os.path.join(self.place, "bars")
        write(self.bars, "")

    def raw(self, name, *lines):
        """What a guest has printed."""
        write(os.path.join(self.place, "raw", name), "\n".join(lines) + "\n")

    def report(self, *arguments):
        """Run it. (status, output)"""
        done = subprocess.run(
            [sys.executable, os.path.join(self.top, "scripts", "bench-report.py"),
             *arguments], env=self.environment(), text=True, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return done.returncode, done.stdout

    def memory(self, *arguments):
        """A report that draws nothing."""
        return self.report(*arguments, self.place, self.bars, "memory")

    def test_memory(self):
        lines = [f"memory/resv-{n}\t{100 if n < 3 else 200}" for n in range(5)]
        for core in "host", "ours":
            self.raw(f"memory-{core}-1", *lines, "memory/buffer\t1000")
        status, output = self.memory()
        self.assertEqual(status, 0, output)
        for text in "memory/resv-0..2 ", "memory/resv-3..4 ", "memory/buffer ":
            self.assertIn(text, output)
        self.raw("memory-ours-1", *lines, "memory/buffer\t1030")
        status, output = self.memory()
        self.assertEqual(status, 1)
        self.assertIn("1 bars are missed: memory/buffer", output)
        write(self.bars, "memory/buffer\t-\t1.03\t-\tone more field\n")
        status, output = self.memory()
        self.assertEqual(status, 0, output)
        self.assertIn("memory/buffer: one more field", output)

    def test_failed_case(self):
        self.raw("memory-host-1", "memory/buffer\t1000")
        self.raw("memory-ours-1", "memory/buffer\tfailed")
        self.assertEqual(self.memory(),
                         (1, "memory-ours-1: memory/buffer\tfailed\n\n"))

    def test_nothing_measured(self):
        os.mkdir(os.path.join(self.place, "raw"))
        self.assertEqual(self.memory()[0], 1)

    def test_page(self):
        for core in "host", "ours":
            self.raw(f"memory-{core}-1", "memory/buffer\t1000")
        readme = os.path.join(self.top, "README.md")
        tables = os.path.join(self.top, "Documentation", "driver-api",
                              "dma-buf-performance-tables.txt")
        write(readme, "x\n")
        write(tables, "")
        self.assertEqual(self.memory("--page")[0], 1)
        write(readme, "x\n" + "old\n".join(report.README_MARKS) + "y\n")
        self.assertEqual(self.memory("--page"), (0, self.memory()[1]))
        self.assertRegex(read(readme), r"^x\n<!--.*-->\n\| what .*\n\|--.*\n"
                         r"\| a buffer .*1,000 bytes.*1.00 \|\n<!--.*-->\ny\n$")
        self.assertIn("memory/buffer", read(tables))

    def test_two_cpus(self):
        self.raw("smp-host-1", *["smp/add-test\t100\t190"] * 3)
        self.raw("smp-ours-1", *["smp/add-test\t100\t170"] * 3)
        with contextlib.redirect_stdout(io.StringIO()):
            rows, missed = report.compare_smp(self.place)
        self.assertEqual(missed, ["smp/add-test"])
        self.assertEqual([round(found.ratio, 2) for found in rows], [1, 1.12])
        self.raw("smp-host-1", *["smp/add-test\t100\t160"] * 3)
        with contextlib.redirect_stdout(io.StringIO()):
            self.assertEqual(report.compare_smp(self.place)[1], [])


class HereTest(testbed.Testbed):
    """The running kernel, without its headers."""

    def test_no_headers(self):
        top = self.checkout()
        shutil.copytree(os.path.join(testbed.TOP, "bench"),
                        os.path.join(top, "bench"))
        self.program("dpkg-query", "#!/bin/sh\necho install ok installed\n")
        self.program("uname", '#!/bin/sh\n[ "$1" = -r ] && echo no-such || '
                     'exec /bin/uname "$@"\n')
        done, _ = self.run_command(top, "scripts/bench", MODE="here")
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stdout, "scripts/bench: the headers of the running "
                         "kernel are missing: /lib/modules/no-such/build\n")

    def test_no_such_mode(self):
        top = self.checkout()
        self.program("dpkg-query", "#!/bin/sh\necho install ok installed\n")
        done, _ = self.run_command(top, "scripts/bench", MODE="time fast")
        self.assertEqual((done.returncode, done.stdout),
                         (1, "scripts/bench: no mode is called 'fast'\n"))


if __name__ == "__main__":
    unittest.main()
