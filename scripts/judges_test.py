#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Tests of those that judge the other tests: splat.py and tap.py."""

import contextlib
import io
import os
import re
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
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


if __name__ == "__main__":
    unittest.main()
