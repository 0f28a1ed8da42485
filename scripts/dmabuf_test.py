#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Tests of dmabuf, the tool in tools/, with texts of the kernel that were saved.

It is built with the sanitizers of gcc. How it finds processes is tested in a guest, by
selftests/holders.c.
"""

import fcntl
import json
import os
import pty
import random
import re
import shlex
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
import unittest
import xml.etree.ElementTree as ElementTree

TOP = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
SANITIZE = "-O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -DCHUNK=0"
ESCAPE = "\033"

REPORT = r"""dma-buf-report 1 dev=0:11 now=5123.456789012
buffer ino=19 size=1228800 count=8 exporter="vb2" module="vb2" name="captured-2" pollcb=in created=5111.150 pid=812 comm="demo" by="vb2_vmalloc_get_dmabuf"
 attach dev="vkms" driver="vkms" by="drm_gem_prime_import_dev" pid=812 created=5111.250 dynamic=0 p2p=0 maps=1 kept=0 dir=both pins=0
 poller func="pollwake" n=2
 fence usage=write driver="sw_sync" timeline="demo" point=12:1 state=pending asked=1 quiet=2.110
  waiter kind=poll ino=19 event=in
  waiter kind=task tid=815 pid=812 comm="demo"
buffer ino=18 size=8294400 count=3 exporter="drm" module="amdgpu" name=none attachments=busy
 fence usage=bookkeep driver="amdgpu" timeline="gfx" point=17:88231 state=done-not-signalled asked=1 quiet=31.0
buffer ino=17 size=4096 count=1 exporter="sys\033[31mtem" module="kernel" name="<&>\042\134'\012\377\303\244"
end buffers=3 bytes=9527296
"""


class ToolTest(unittest.TestCase):
    """What it prints, and that it survives what it reads."""

    @classmethod
    def setUpClass(cls):
        cls.dir = tempfile.TemporaryDirectory()
        out = cls.dir.name + "/"
        make = ["make", "-s", "-C", os.path.join(TOP, "tools"), "OUTPUT=" + out,
                "CC=" + os.environ.get("CC", "gcc"), "CFLAGS=" + SANITIZE + " -Werror",
                out + "dmabuf", out + "parse-test"]
        subprocess.run(make, check=True, stdin=subprocess.DEVNULL)

    @classmethod
    def tearDownClass(cls):
        cls.dir.cleanup()

    def file(self, text):
        """Save a text and return its path."""
        path = os.path.join(self.dir.name, "text")
        with open(path, "wb") as file:
            file.write(text if isinstance(text, bytes) else text.encode())
        return path

    def run_tool(self, command, text=REPORT, status=0):
        """Run a command on a saved text and return what it prints."""
        done = subprocess.run(
            [os.path.join(self.dir.name, "dmabuf"), "--from", self.file(text),
             *shlex.split(command)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        self.assertNotIn(b"Sanitizer", done.stderr, done.stderr.decode())
        if status is not None:
            self.assertEqual(done.returncode, status, (done.stdout, done.stderr))
        return done.stdout.decode()

    def on_terminal(self, command, columns, **environment):
        """The same on a terminal of that width."""
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("4H", 24, columns, 0, 0))
        with subprocess.Popen(
                [os.path.join(self.dir.name, "dmabuf"), "--from", self.file(REPORT),
                 *shlex.split(command)], stdout=slave,
                env={**os.environ, "TERM": "xterm", **environment}) as process:
            os.close(slave)
            text = b""
            try:
                while True:
                    text += os.read(master, 4096)
            except OSError:		# the other end is closed
                pass
            os.close(master)
        self.assertEqual(process.returncode, 0)
        return text.decode()

    def test_parsers(self):
        done = subprocess.run([os.path.join(self.dir.name, "parse-test"), "1000000"],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              check=False)
        self.assertEqual((done.returncode, done.stdout), (0, b"0 failed\n"))

    def test_list(self):
        text = self.run_tool("list")
        lines = text.splitlines()
        self.assertEqual(lines[0].split(), "INO SIZE EXPORTER NAME AGE REFS HELD BY "
                         "WAITS FOR".split())
        self.assertRegex(lines[1], r"^ *19 +1\.2M +vb2 +captured-2 +12s +8 +poll callback, poll\(\), vkms\* +"
                         r"write sw_sync demo 12:1 \(pending for >=2\.1s\)$")
        self.assertRegex(lines[2], r"drm/amdgpu .* devices busy +bookkeep amdgpu gfx "
                         r"17:88231 \(DONE, BUT NOT SIGNALLED for >=31s\)$")
        self.assertIn("3 buffers, 9.1M", lines)
        self.assertNotIn(ESCAPE, text)

    def test_who(self):
        text = self.run_tool("who 19")
        for line in ("made 12s ago by demo[812] in vb2_vmalloc_get_dmabuf",
                     "references: 8", "2   poll() in progress", "1   poll callback",
                     "5   not looked for", "by [812] 12s ago in drm_gem_prime_import_dev",
                     "write  sw_sync demo 12:1   pending for >=2.1s; the driver has been",
                     "wakes poll of buffer 19 for in, demo[812] thread 815"):
            self.assertIn(line, text)
        self.run_tool("who 20", status=1)

    def test_waits(self):
        text = self.run_tool("waits")
        self.assertLess(text.index("fence amdgpu gfx 17:88231"),
                        text.index("fence sw_sync demo 12:1"))
        self.assertIn("DONE, BUT NOT SIGNALLED", text)
        self.assertNotIn("sw_sync", self.run_tool("--min 5 waits"))
        self.assertIn("amdgpu", self.run_tool("--min 50 waits"))
        self.run_tool("waits", "dma-buf-report 1 dev=0:1 now=1.0\nend buffers=0\n", 1)

    def start(self, command, text=REPORT):
        """Start a command that goes on; self.change() gives it another text."""
        return subprocess.Popen(
            [os.path.join(self.dir.name, "dmabuf"), "--from", self.file(text),
             "--every", "0.05", *shlex.split(command)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def change(self, text):
        """Replace the text at once, and let it be seen."""
        path = os.path.join(self.dir.name, "text")
        with open(path + ".new", "w", encoding="utf-8") as file:
            file.write(text)
        os.rename(path + ".new", path)
        time.sleep(0.5)

    @staticmethod
    def at(now, text=REPORT):
        """The same text some time later."""
        return text.replace("now=5123.456789012", f"now={now}")

    def follow(self, command, texts):
        """Show one text after the other and return what is printed."""
        with self.start(command, texts[0]) as process:
            for text in texts[1:]:
                time.sleep(0.5)
                self.change(text)
            # A shell lets what runs in its background ignore SIGINT.
            process.send_signal(signal.SIGTERM)
            out, error = process.communicate(timeout=10)
        self.assertEqual((process.returncode, error), (-signal.SIGTERM, b""))
        return out.decode()

    WITHOUT = re.sub(r"\n fence usage=write(.*\n  .*)*", "", REPORT)
    LOST = REPORT.replace("state=pending", "state=done-not-signalled")

    def test_follow(self):
        text = self.follow("waits --follow", [
            REPORT, self.at("5123.9"), self.at("5125.5"), self.at("5126.0", self.LOST),
            self.at("5127.5", self.LOST), self.at("5129.8", self.WITHOUT)])
        self.assertIn("From a file", text)
        self.assertIn("amdgpu gfx 17:88231  pending for >=31s; DONE, BUT NOT SIGNALLED; "
                      "in buffers 18\n", text)
        self.assertEqual([line for line in text.splitlines() if "sw_sync" in line], [
            "5123.457 + sw_sync demo 12:1  pending for >=2.1s; in buffers 19; "
            "wakes poll of buffer 19 for in, demo[812] thread 815",
            *(f"{when} = sw_sync demo 12:1  seen for {seen}{lost}; in buffers 19; "
              "wakes poll of buffer 19 for in, demo[812] thread 815"
              for when, seen, lost in (("5125.500", "2.0s", ""),
                                       ("5126.000", "2.5s", "; DONE, BUT NOT SIGNALLED"))),
            "5129.800 - sw_sync demo 12:1  gone, seen for 6.3s"])

    def test_follow_min(self):
        text = self.follow("waits --follow --min 5", [
            REPORT, self.at("5125"), self.at("5129"), self.at("5130", self.WITHOUT)])
        self.assertEqual([line.split("  ")[0] for line in text.splitlines()
                          if "sw_sync" in line],
                         ["5129.000 + sw_sync demo 12:1", "5130.000 - sw_sync demo 12:1"])
        text = self.follow("waits --follow --min 50", [REPORT, self.WITHOUT])
        self.assertNotIn("sw_sync", text)

    def test_follow_does_not_guess(self):
        """A text that was cut off, or is of another kind, says nothing of an end."""
        text = self.follow("waits --follow", [
            REPORT, self.at("5125.1")[:300], self.at("5126.1")])
        self.assertIn("5125.100   the kernel does not tell: ", text)
        self.assertIn("5126.100 = sw_sync demo 12:1  seen for 2.6s", text)
        self.assertNotIn(" - ", text)

    def test_follow_json(self):
        lines = [json.loads(line) for line in self.follow("waits --follow --json", [
            REPORT, self.at("5125.5"), self.at("5126", self.LOST)[:300],
            self.at("5127", self.WITHOUT)]).splitlines()]
        self.assertEqual((lines[0]["event"], lines[0]["version"], lines[0]["every"]),
                         ("begin", 1, 0.05))
        self.assertIn("blind", [line["event"] for line in lines])
        demo = [line for line in lines if line.get("timeline") == "demo"]
        self.assertEqual([line["event"] for line in demo], ["pending", "still", "end"])
        self.assertEqual(demo[0]["waiters"][1]["comm"], "demo")
        self.assertEqual((demo[0]["buffers"], demo[0]["quiet"], demo[0]["sync_files"]),
                         ([19], 2.11, []))
        self.assertEqual((demo[1]["seen"], demo[2]["seen"], demo[2]["how"]),
                         (2.043, 3.543, "gone"))
        with open(os.path.join(TOP, "tools/dmabuf.8"), encoding="utf-8") as file:
            known = set(re.findall(r'"(\w+)"', file.read()))
        for line in lines:
            self.assertEqual(set(line) - known, set())

    def test_follow_ends(self):
        began = time.monotonic()
        self.run_tool("--every 0.1 --for 0.3 waits --follow")
        self.assertLess(0.3, time.monotonic() - began)
        self.run_tool("--every 0.1 --for 0.1 waits --follow", self.WITHOUT.replace(
            "\n fence usage=bookkeep", "\n no_fence usage=bookkeep"), status=1)
        with self.start("waits --follow") as process:
            process.stdout.readline()
            process.stdout.close()
            time.sleep(0.3)
            self.change(self.at("5129"))
            self.assertEqual(process.wait(10), -signal.SIGPIPE)
        for command in ("list --follow", "who 19 --follow", "watch --follow"):
            self.run_tool(command, status=2)

    def test_json(self):
        data = json.loads(self.run_tool("--json list"))
        self.assertEqual((data["version"], data["source"], data["complete"]),
                         (1, "report", False))
        first, second, third = data["buffers"]
        self.assertEqual((first["ino"], first["count"], first["found"],
                          first["remainder"], first["exact"]), (19, 8, 3, 5, False))
        self.assertEqual([h["kind"] for h in first["holders"]], ["pollcb", "poll"])
        self.assertEqual(first["fences"][0]["waiters"][1],
                         {"kind": "task", "tid": 815, "pid": 812, "comm": "demo",
                          "waiters": []})
        self.assertTrue(second["attachments_busy"])
        self.assertIsNone(second["name"])
        self.assertEqual(third["name"], "<&>\"\\'\n\ufffd\u00e4")
        self.assertEqual(len(json.loads(self.run_tool("--json who 18"))["buffers"]), 1)

    def test_json_is_in_the_manual(self):
        with open(os.path.join(TOP, "tools/dmabuf.8"), encoding="utf-8") as file:
            known = set(re.findall(r'"(\w+)"', file.read()))
        data = json.loads(self.run_tool("--json list"))

        def keys(value):
            if isinstance(value, dict):
                # Keys of the kernel are passed on, known or not.
                yield from (key for key in value if "waiters" not in value
                            and "dev" not in value)
                value = [value[key] for key in value if key != "kernel"]
            for item in value if isinstance(value, list) else ():
                yield from keys(item)

        self.assertEqual(set(keys(data)) - known, set())

    def test_nothing_reaches_the_terminal(self):
        for command in ("list", "tree", "who 17", "graph"):
            with self.subTest(command=command):
                text = self.run_tool(command)
                self.assertNotIn(ESCAPE, text)
                self.assertIn("\\033[31m", text.replace("\\\\", "\\"))

    def test_terminal(self):
        for columns in (80, 100, 132):
            plain = re.sub(ESCAPE + r"\[[0-9;]*m", "",
                           self.on_terminal("list", columns))
            for line in plain.replace("\r", "").splitlines():
                self.assertLessEqual(len(line), columns, line)
        self.assertIn(ESCAPE, self.on_terminal("list", 80))
        self.assertNotIn(ESCAPE, self.on_terminal("list", 80, NO_COLOR="1"))
        self.assertNotIn(ESCAPE, self.on_terminal("list", 80, TERM="dumb"))

    def test_picture(self):
        root = ElementTree.fromstring(self.run_tool("graph -Tsvg"))
        text = " ".join(root.itertext())
        for name in ("19 captured-2", "vkms", "sw_sync 12:1", "demo, pending for",
                     "wakes poll of buffer 19 for in, demo[812]", "17 <&>\"\\134'"):
            self.assertIn(name, text)
        # One more is in the legend.
        self.assertEqual(len(root.findall(".//{*}path[@class='edge dashed']")), 3)
        dot = self.run_tool("graph -T dot 19")
        self.assertEqual(dot.count("shape="), 3)
        self.assertEqual(dot.count(" -> "), 2)

    @staticmethod
    def text_boxes(root):
        """Where texts are in a picture: (left, top, right, bottom, text)."""
        for item in root.iterfind(".//{*}text"):
            x, y = int(item.get("x")), int(item.get("y"))
            width = len(item.text) * (8 if item.get("class") == "name" else 6)
            if item.get("class") == "label":
                x -= width // 2
            yield x, y - 10, x + width, y + 2, item.text

    def test_picture_is_readable(self):
        attach = ' attach dev="device-%d" maps=1\n'
        fence = ' fence usage=write driver="driver" timeline="%s" point=%d:1\n'
        report = ["dma-buf-report 1 dev=0:11 now=5123.4\n"]
        for ino in range(12, 0, -1):
            report.append(f'buffer ino={ino} size={4096 << ino} count=3 '
                          f'exporter="a-long-name" module="of-a-driver" name="{"n" * ino}"\n')
            report += [attach % n for n in range(ino % 5)]
            report += [fence % ("t" * 30, n) for n in range(ino % 4)]
        report.append("end buffers=12 bytes=33546240\n")
        root = ElementTree.fromstring(self.run_tool("graph -Tsvg", "".join(report)))
        boxes = list(self.text_boxes(root))
        for i, a in enumerate(boxes):
            self.assertLess(a[2], int(root.get("width")), a)
            self.assertLess(a[3], int(root.get("height")), a)
            for b in boxes[:i]:
                self.assertFalse(a[0] < b[2] and b[0] < a[2] and
                                 a[1] < b[3] and b[1] < a[3], (a, b))

    def test_cut(self):
        text = REPORT.encode()
        for end in range(0, len(text), 37):
            self.run_tool("list", text[:end], status=None)
        self.assertIn("cut off", self.run_tool("list", text[:-30]))
        self.run_tool("list", "no report\n", status=2)

    def test_noise(self):
        rng = random.Random(16)
        for _ in range(150):
            text = bytearray(REPORT.encode())
            for _ in range(rng.randrange(1, 30)):
                text[rng.randrange(50, len(text))] = rng.randrange(256)
            json.loads(self.run_tool("--json list", bytes(text), status=None))
            ElementTree.fromstring(self.run_tool("graph -Tsvg", bytes(text), None))


if __name__ == "__main__":
    sys.exit(unittest.main())
