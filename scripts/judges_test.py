#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Tests of those that judge the other tests: splat.py, tap.py, kcsan.py."""

import contextlib
import io
import os
import re
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import kcsan  # noqa: E402  (the path is set above)
import splat  # noqa: E402  (the path is set above)
import tap  # noqa: E402

NONE = splat.Allowed([])
OURS = "WARNING: CPU: 0 PID: 30 at drivers/dma-buf/dma-fence.c:100 f+0x1/0x2"
OTHERS = "WARNING: CPU: 0 PID: 30 at kernel/locking/mutex.c:100 f+0x1/0x2"
SPLATS = (
    OURS,
    OTHERS,
    "BUG: KASAN: slab-use-after-free in dma_fence_signal+0x1/0x2",
    "BUG: sleeping function called from invalid context at lib/x.c:1",
    "BUG: scheduling while atomic: swapper/1/0x00000002",
    "BUG: unable to handle page fault for address",
    "kernel BUG at lib/list_debug.c:56!",
    "Kernel panic - not syncing: Segfault with no mm",
    "udmabuf: vmalloc error: size 2136000000, exceeds total pages, mode:0x400cc0",
    "heap: page allocation failure: order:0, mode:0xcc0(GFP_KERNEL)",
    "WARNING: possible circular locking dependency detected",
    "WARNING: possible recursive locking detected",
    "WARNING: inconsistent lock state",
    "WARNING: suspicious RCU usage",
    "WARNING: bad unlock balance detected!",
    "INFO: task kworker/0:1:10 blocked for more than 120 seconds.",
    "INFO: trying to register non-static key.",
    "rcu: INFO: rcu_preempt self-detected stall on CPU",
    "list_del corruption. prev->next should be 1, but was 2.",
    "refcount_t: underflow; use-after-free.",
    "DMA-API: vkms vkms: device driver frees DMA sg list with different count",
    "DMA-API: debugging out of memory - disabling",
    "ODEBUG: free active (active state 0) object: 1 object type: timer_list",
    "kmemleak: 3 new suspected memory leaks (see /sys/kernel/debug/kmemleak)",
    "kmemleak: Kernel memory leak detector disabled",
)
HARMLESS = (
    "DMA-API: preallocated 65536 debug entries",
    "DMA-API: debugging enabled by kernel config",
    "kmemleak: Kernel memory leak detector initialized (mem pool available: 1)",
    "Lock dependency validator: Copyright (c) 2006 Red Hat, Inc.",
    "    # Subtest: dma_fence",
)


class SplatTest(unittest.TestCase):
    """What counts as a complaint, and where."""

    def check(self, *lines):
        """Judge a log made of some lines."""
        return splat.check_log("\n".join(lines), NONE)

    def test_every_kind_is_seen(self):
        for line in SPLATS:
            with self.subTest(line=line):
                self.assertEqual(len(self.check(line)), 1)
                self.assertEqual(len(self.check("[    1.234567] " + line)), 1)

    def test_ordinary_lines_pass(self):
        self.assertEqual(self.check(*HARMLESS), [])

    def test_deliberate_warning_passes(self):
        self.assertEqual(self.check(splat.MARK_BEGIN, OURS, splat.MARK_END), [])

    def test_only_between_the_marks(self):
        found = self.check(splat.MARK_BEGIN, OURS, splat.MARK_END, OURS)
        self.assertEqual(len(found), 1)

    def test_nothing_else_is_deliberate(self):
        for line in SPLATS[1:]:
            with self.subTest(line=line):
                found = self.check(splat.MARK_BEGIN, line, splat.MARK_END)
                self.assertEqual(len(found), 1)

    def test_section_must_end(self):
        self.assertEqual(len(self.check(splat.MARK_BEGIN, OURS)), 1)

    def test_known_splat_passes(self):
        known = splat.Allowed([re.compile("mutex.c")])
        self.assertEqual(splat.check_log(OTHERS, known), [])
        self.assertEqual(len(splat.check_log(OURS, known)), 1)

    def test_leak(self):
        report = ("unreferenced object 0x1 (size 64):\n"
                  "  backtrace (crc 1):\n"
                  "    [<6000>] kmalloc+0x1/0x2\n"
                  "    [<6000>] dma_fence_init+0x1/0x2\n")
        self.assertEqual(splat.check_leaks(report * 2, NONE),
                         ["leak of 64 bytes: kmalloc < dma_fence_init"] * 2)
        self.assertEqual(splat.check_leaks("", NONE), [])

    def test_leak_without_addresses(self):
        report = ("unreferenced object 0x1 (size 64):\n"
                  "  comm \"x\", pid 1, jiffies 1\n"
                  "  backtrace (crc 1):\n"
                  "    kmalloc+0x1/0x2\n"
                  "    dma_fence_init+0x1/0x2\n")
        self.assertEqual(splat.check_leaks(report, NONE),
                         ["leak of 64 bytes: kmalloc < dma_fence_init"])
        known = splat.Allowed([re.compile("< dma_fence_init")])
        self.assertEqual(splat.check_leaks(report, known), [])


class TapTest(unittest.TestCase):
    """What counts as passed, failed and skipped."""

    def figures(self, *lines, status=0):
        """Figures of one program with this output."""
        text = "\n".join(("### begin x",) + lines + (f"### end x {status}",))
        program = tap.parse(text)[0]
        program.finish()
        return program.passed, len(program.failures), program.skipped

    def test_counts(self):
        self.assertEqual(self.figures("1..3", "ok 1 a", "not ok 2 b",
                                      "ok 3 # SKIP c", status=1), (1, 1, 1))

    def test_missing_results(self):
        self.assertEqual(self.figures("1..3", "ok 1 a"), (1, 1, 0))
        self.assertEqual(self.figures("1..3", "ok 1 a", status=4), (1, 0, 2))

    def test_no_results(self):
        self.assertEqual(self.figures(), (0, 1, 0))

    def test_death(self):
        self.assertEqual(self.figures("1..1", "ok 1 a", status=139), (1, 1, 0))

    def test_no_program(self):
        with tempfile.NamedTemporaryFile("w", suffix=".log") as file:
            out = io.StringIO()
            with contextlib.redirect_stdout(out):
                tap.main([file.name])
        self.assertIn("total 0 1 0", out.getvalue())

    def test_something_must_pass(self):
        program = tap.parse("### begin x\n1..1\nok 1 # SKIP\n### end x 0\n")[0]
        program.finish()
        program.expect_some()
        self.assertEqual(len(program.failures), 1)

    def test_no_end(self):
        program = tap.parse("### begin x\n1..1\nok 1 a\n")[0]
        program.finish()
        self.assertEqual(len(program.failures), 1)


LINE = "=" * 66
ACCESS = "%s to 0xffff9cec7dc1e118 of 8 bytes by task 30 on cpu %d:"


def race(title, *sides):
    """A report of KCSAN as the log has it."""
    lines = [LINE, "BUG: KCSAN: " + title]
    for number, calls in enumerate(sides):
        lines += ["", ACCESS % (("read", "write (marked)")[number], number)]
        lines += [f" {name}+0x10/0x20" for name in calls]
    lines += ["", "value changed: 0x1 -> 0x2", "",
              "Reported by Kernel Concurrency Sanitizer on:",
              "CPU: 0 UID: 0 PID: 30 Comm: race", LINE]
    return "\n".join(f"[  100.123456] {line}" for line in lines) + "\n"


class KcsanTest(unittest.TestCase):
    """Whose a data race is."""

    OURS = {"dma_resv_reserve", "dma_fence_init", "merge"}
    LIBRARY = {"memcpy", "__list_add", "sort", "merge"}

    def judge(self, *reports):
        """(number that are ours, number of others)"""
        found = kcsan.judge("".join(reports), self.OURS, self.LIBRARY)
        return tuple(len(reports) for reports in found)

    def test_the_hosts_are_told_apart(self):
        host = race("data-race in do_idle / tick", ["tick", "main"], ["do_idle"])
        self.assertEqual(self.judge(host), (0, 1))

    def test_either_side_counts(self):
        for sides in (["dma_fence_init"], ["tick"]), (["tick"], ["merge", "x"]):
            with self.subTest(sides=sides):
                title = "data-race in %s / %s" % tuple(s[0] for s in sides)
                self.assertEqual(self.judge(race(title, *sides)), (1, 0))

    def test_a_library_works_for_its_caller(self):
        title = "data-race in __list_add / tick"
        self.assertEqual((1, 0), self.judge(race(
            title, ["tick"], ["__list_add", "memcpy", "merge", "main"])))
        self.assertEqual((0, 1), self.judge(race(
            title, ["tick"], ["__list_add", "kthread", "dma_fence_init"])))

    def test_callers_of_the_host_do_not_count(self):
        self.assertEqual((0, 1), self.judge(race(
            "data-race in mutex_lock / tick",
            ["mutex_lock", "dma_resv_reserve"], ["tick"])))

    def test_nothing_but_libraries(self):
        self.assertEqual((0, 1), self.judge(race(
            "data-race in memcpy / sort", ["memcpy", "memcpy"], ["sort"])))

    def test_a_report_without_calls_counts(self):
        self.assertEqual((1, 0), self.judge(race("data-race in a / b", ["a"], [])))
        self.assertEqual((1, 0), self.judge(race("data-race in a / b")))

    def test_unknown_origin(self):
        for name, found in ("dma_fence_init", (1, 0)), ("tick", (0, 1)):
            report = race(f"data-race in {name}+0x10/0x20", [name])
            report = report.replace("read to", "race at unknown origin, with read to")
            with self.subTest(name=name):
                self.assertEqual(self.judge(report), found)

    def test_an_assertion_counts(self):
        self.assertEqual((1, 0), self.judge(race(
            "assert: race in dma_fence_init / kfree", ["kfree"], ["dma_fence_init"])))

    def test_every_report_is_seen(self):
        ours = race("data-race in dma_fence_init / tick", ["tick"], ["dma_fence_init"])
        others = race("data-race in a / b", ["a"], ["b"])
        self.assertEqual(self.judge(ours, others, others, ours, ours), (3, 2))
        # As when the guest dies.
        self.assertEqual(self.judge(others, ours[:len(ours) // 2]), (1, 1))
        self.assertEqual(self.judge("[    1.0] kcsan: enabled early\n"), (0, 0))


if __name__ == "__main__":
    unittest.main()
