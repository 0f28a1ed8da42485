#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Tests of those that judge the other tests."""

import contextlib
import io
import os
import re
import subprocess
import sys
import tempfile
import unittest
import zlib

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, HERE)
import cases  # noqa: E402  (the path is set above)
import clients  # noqa: E402  (the path is set above)
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


KTAP = """\
[    1.000000] KTAP version 1
[    1.000000] 1..2
[    1.000000]     KTAP version 1
[    1.000000]     # Subtest: dma_fence
[    1.000000]     1..3
[    1.000000]     ok 1 init
[    1.000000]         KTAP version 1
[    1.000000]         # Subtest: wait
[    1.000000]         ok 1 any # SKIP needs two CPUs
[    1.000000]         not ok 2 all of two
[    1.000000]     # wait: pass:0 fail:1 skip:1 total:2
[    1.000000]     not ok 2 wait
[    1.000000]     ok 3 race # SKIP needs two CPUs
[    1.000000] not ok 1 dma_fence
[    1.000000]     KTAP version 1
[    1.000000]     # Subtest: dma_resv
[    1.000000]     ok 1 init
[    1.000000] ok 2 dma_resv
"""


class CasesTest(unittest.TestCase):
    """Which cases have run."""

    def test_kernel_log(self):
        for log in KTAP, re.sub(r"(?m)^\[.*?\] ", "", KTAP):
            self.assertEqual(list(cases.cases(log)), [
                ("passed", "dma_fence/init"),
                ("skipped", "dma_fence/wait/any"),
                ("failed", "dma_fence/wait/all of two"),
                ("failed", "dma_fence/wait"),
                ("skipped", "dma_fence/race"),
                ("passed", "dma_resv/init")])

    def test_programs(self):
        log = ("### begin heap\nTAP version 13\n1..2\nok 1 a.b\n### end heap 0\n"
               "### begin sync\nok 1 a.b # SKIP no root\nnot ok 2 c\n")
        self.assertEqual(list(cases.cases(log)), [
            ("passed", "heap/a.b"), ("skipped", "sync/a.b"), ("failed", "sync/c")])

    def test_skipped_everywhere(self):
        self.assertEqual(cases.never_run([
            "skipped a/b", "skipped a/c", "passed a/c", "failed a/d", "skipped a/d",
            "skipped a/b", "passed a/e", "skipped a b/c d"]), ["a b/c d", "a/b"])

    def judge(self, allow, *results):
        """Judge results, with the names that are allowed. (verdict, output)"""
        with tempfile.TemporaryDirectory() as place:
            results_of = os.path.join(place, "cases")
            os.mkdir(results_of)
            for number, text in enumerate(results):
                with open(os.path.join(results_of, str(number)), "w",
                          encoding="utf-8") as file:
                    file.write(text)
            list_of = os.path.join(place, "allow")
            with open(list_of, "w", encoding="utf-8") as file:
                file.write("# reasons\n" + allow)
            out = io.StringIO()
            with contextlib.redirect_stdout(out):
                return cases.main(["skipped", results_of, list_of]), out.getvalue()

    def test_verdict(self):
        self.assertEqual(self.judge("", "skipped a/b\n", "passed a/b\n"), (0, ""))
        self.assertEqual(self.judge("", "skipped a/b\n", "skipped a/b\n"),
                         (1, "skipped in every configuration: a/b\n"))
        self.assertEqual(self.judge("a/b\tno such machine\n", "skipped a/b\n"), (0, ""))
        self.assertEqual(self.judge("a/b\tno such machine\n", "passed a/b\n")[0], 1)
        self.assertEqual(self.judge("")[0], 1)


class ClientsTest(unittest.TestCase):
    """What a run is by the same run on the stock core."""

    def guest(self, name, output, console=""):
        """The directory that a guest leaves."""
        # pylint: disable=consider-using-with
        place = tempfile.TemporaryDirectory(suffix=name)
        self.addCleanup(place.cleanup)
        for file, text in ("output.log", output), ("console.log", console):
            with open(os.path.join(place.name, file), "w", encoding="utf-8") as log:
                log.write(text)
        return clients.results(place.name)

    def judge(self, here, stock, console="", stock_console=""):
        """Judge two programs of three cases, the first of which passes."""
        log = "### begin p\nok 1 a\n%s\n1..2\n### end p 0\n"
        return clients.judge(self.guest("here", log % here, console),
                             self.guest("stock", log % stock, stock_console))

    def test_alike(self):
        self.assertEqual(self.judge("ok 2 b", "ok 2 b"), (2, [], [], 0))
        self.assertEqual(self.judge("ok 2 b # SKIP", "ok 2 b # SKIP"), (1, [], [], 1))
        self.assertEqual(self.judge("not ok 2 b", "not ok 2 b"), (1, [], ["p/b"], 0))

    def test_worse(self):
        for here in "not ok 2 b", "ok 2 b # SKIP", "":
            self.assertTrue(self.judge(here, "ok 2 b")[1], here)
        self.assertTrue(self.judge("not ok 2 b", "ok 2 b # SKIP")[1])

    def test_better(self):
        self.assertEqual(self.judge("ok 2 b", "not ok 2 b"), (2, [], [], 0))

    def test_complaints(self):
        self.assertTrue(self.judge("ok 2 b", "ok 2 b", console=OTHERS)[1])
        other = OTHERS.replace("PID: 30", "PID: 31")
        found = self.judge("ok 2 b", "ok 2 b", OTHERS, other)
        self.assertEqual((found[1], len(found[2])), ([], 1))

    def test_nothing(self):
        results = {"p/a": "passed"}
        self.assertTrue(clients.judge(results, {})[1])
        self.assertTrue(clients.judge({}, results)[1])


class ShellTest(unittest.TestCase):
    """Judges that are shell scripts, and functions of lib.sh."""

    def setUp(self):
        # pylint: disable=consider-using-with
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.place = place.name

    def file(self, name, text):
        """Make a file. Its path."""
        path = os.path.join(self.place, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def run_script(self, name, *arguments):
        """(status, output) of a script of the project."""
        done = subprocess.run([os.path.join(HERE, name), *arguments], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              check=False)
        return done.returncode, done.stdout

    def test_kunit_figures(self):
        line = "[1] Testing complete. Ran 9 tests: "
        for text, figures in (
                (line + "passed: 5\n", "5 0 0"),
                (line + "passed: 5, failed: 1, crashed: 2, skipped: 4, errors: 8\n",
                 "5 11 4"),
                (line + "failed: 1\n", "0 1 0"), (line + "skipped: 3\n", "0 0 3"),
                ("[1] [PASSED] x\n", "0 1 0"), ("", "0 1 0")):
            with self.subTest(text=text):
                self.assertEqual(self.run_script(
                    "kunit-figures", self.file("results", text)), (0, figures + "\n"))
        self.assertEqual(self.run_script("kunit-figures", "/no/file")[1].splitlines()[-1],
                         "0 1 0")

    def test_config_check(self):
        fragment = self.file("fragment", "# A comment\nCONFIG_A=y\nCONFIG_B=3\n"
                             "# CONFIG_C is not set\n# CONFIG_D is not set\n")
        good = "CONFIG_A=y\nCONFIG_B=3\n# CONFIG_C is not set\nCONFIG_E=y\n"
        self.assertEqual(self.run_script(
            "config-check", fragment, self.file("config", good)), (0, ""))
        for old, new, lost in (("CONFIG_A=y\n", "", "CONFIG_A=y"),
                               ("CONFIG_A=y", "CONFIG_A=m", "CONFIG_A=y"),
                               ("CONFIG_B=3", "CONFIG_B=30", "CONFIG_B=3"),
                               ("CONFIG_E", "CONFIG_D", "CONFIG_D=n")):
            with self.subTest(lost=lost):
                status, output = self.run_script(
                    "config-check", fragment,
                    self.file("config", good.replace(old, new)))
                self.assertEqual(status, 1)
                self.assertIn(lost + " ", output)
        self.assertEqual(self.run_script("config-check", fragment, "/no/file")[0], 1)
        twice = self.file("fragment", "CONFIG_C=y\n# CONFIG_C is not set\n"
                          "# CONFIG_E is not set\nCONFIG_E=y\n")
        self.assertEqual(self.run_script(
            "config-check", twice, self.file("config", good)), (0, ""))

    def lib(self, command):
        """The last line of what a command of lib.sh prints, in a build/ of its own."""
        script = (f'BUILD={self.place}/build; DMABUF_LOG={self.place}/log\n'
                  'mkdir -p "$BUILD/log"\n' + command)
        with open(os.path.join(HERE, "lib.sh"), encoding="utf-8") as file:
            library = file.read()
        done = subprocess.run(["sh", "-c", library + script, os.path.join(HERE, "x")],
                              text=True, stdout=subprocess.PIPE, check=False)
        return done.stdout.splitlines()[-1]

    def test_judge_log(self):
        judge = 'judge_log x %s; echo "$complaints"'
        self.assertEqual(self.lib(judge % self.file("good", "\n".join(HARMLESS))), "0")
        self.assertEqual(self.lib(judge % self.file("bad", f"{OURS}\n{OTHERS}\n")), "2")
        self.assertNotEqual(self.lib(judge % "/no/log"), "0")

    def test_judge_programs(self):
        judge = f'judge_programs {self.place}/guest %s; echo "$figures"'
        self.file("guest/console.log", "")
        self.assertEqual(self.lib(judge % ""), "0 1 0")
        self.file("guest/output.log", "### begin x\n1..2\nok 1 a\nok 2 b # SKIP\n"
                  "### end x 0\n")
        self.assertEqual(self.lib(judge % ""), "1 0 1")
        self.assertEqual(self.lib(judge % "x=1,1"), "1 0 1")
        self.assertEqual(self.lib(judge % "x=2,0 y"), "1 2 1")
        with open(os.path.join(self.place, "build/cases/guest-programs"),
                  encoding="utf-8") as file:
            self.assertEqual(file.read(), "passed x/a\nskipped x/b\n")

    def test_both_cores(self):
        guest = ('ours="%s" host="%s"\n'
                 'guest() { mkdir -p "$BUILD/clients/$2/$1" && eval "second=\\$$1" &&\n'
                 'printf "### begin x\\nok 1 a\\n%%s 2 b\\n1..2\\n### end x 0\\n" "$second" \\\n'
                 '\t>"$BUILD/clients/$2/$1/output.log"; }\n'
                 'on_both_cores clients kmsgrab; echo "$passed $failed $skipped"')
        listed = os.path.join(self.place, "build/clients/kmsgrab/stock")
        for ours, host, figures, both in (("ok", "ok", "2 0 0", ""),
                                          ("not ok", "ok", "1 1 0", ""),
                                          ("not ok", "not ok", "1 0 1", "x/b\n"),
                                          ("ok", "not ok", "2 0 0", "")):
            with self.subTest(ours=ours, host=host):
                self.assertEqual(self.lib(guest % (ours, host)), figures)
                with open(listed, encoding="utf-8") as file:
                    self.assertEqual(file.read(), both)
        self.assertIn("no such test", self.lib("on_both_cores clients x 2>&1"))

    def test_boot_step(self):
        step = f'boot_step {self.place}/guest text %s; echo "$complaints"'
        guest = f"sh -c 'printf \"boot: splat: x\\n%s\" >{self.place}/guest/boot.log; exit 1'"
        self.assertEqual(self.lib(step % "true"), "0")
        self.assertEqual(self.lib(step % "false"), "1")
        self.assertEqual(self.lib(step % guest % ""), "1")
        self.assertEqual(self.lib(step % guest % "boot: splat: y\\n"), "2")
        self.assertEqual(self.lib(step % "sh -c 'exit 124'"), "1")

    def test_i915(self):
        def report(passed, *lines):
            log = self.file("log", "".join(f"[    1.000000] {line}\n" for line in lines))
            done = subprocess.run(
                ["awk", "-v", "test=t", "-v", f"passed={passed}", "-f",
                 os.path.join(HERE, "drivers.d/i915.awk"), log],
                text=True, stdout=subprocess.PIPE, check=True)
            return re.sub("# .*\n", "", done.stdout)

        begin = "i915: Running timelines", "i915: Running intel_mock/one"
        second = "i915: Running intel_mock/two"
        failed = "i915/intel_mock: %s failed with error -22"
        self.assertEqual(report(1, *begin, second),
                         "ok - t/one\nok - t/two\nok - t\n")
        self.assertEqual(report(0, *begin, second, failed % "two"),
                         "ok - t/one\nnot ok - t/two\nnot ok - t\n")
        self.assertEqual(report(0, *begin, failed % "one"), "not ok - t/one\nnot ok - t\n")
        # It did not come back, or it has no subtests.
        self.assertEqual(report(0, *begin), "not ok - t/one\nnot ok - t\n")
        self.assertEqual(report(0, begin[0]), "not ok - t\n")
        self.assertEqual(report(1, begin[0]), "ok - t\n")

    def test_picture(self):
        pixels = bytes(range(18))
        ppm = self.file("ppm", "")
        png = os.path.join(self.place, "png")
        with open(ppm, "wb") as file:
            # The first byte of the picture may look like a blank.
            file.write(b"P6\n2 3\n255\n" + b"\n" + pixels[1:])
        self.assertEqual(self.run_script("ppm-to-png", ppm, png), (0, ""))
        with open(png, "rb") as file:
            found = file.read()
        self.assertTrue(found.startswith(b"\x89PNG\r\n\x1a\n"))
        self.assertEqual(found[16:24], b"\0\0\0\2\0\0\0\3")
        start = found.index(b"IDAT")
        length = int.from_bytes(found[start - 4:start], "big")
        self.assertEqual(zlib.decompress(found[start + 4:start + 4 + length]),
                         b"\0\n" + pixels[1:6] + b"\0" + pixels[6:12]
                         + b"\0" + pixels[12:])
        with open(ppm, "ab") as file:
            file.write(b"x")
        self.assertEqual(self.run_script("ppm-to-png", ppm, png)[0], 1)


if __name__ == "__main__":
    unittest.main()
