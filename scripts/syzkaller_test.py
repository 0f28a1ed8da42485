#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Tests of the descriptions for syzkaller: they name every command that there is."""

import glob
import json
import os
import re
import unittest

HERE = os.path.dirname(os.path.realpath(__file__))
TOP = os.path.join(HERE, "..")
COMMAND = re.compile(r"^#[ \t]*define[ \t]+(\w+)\s+(?:\\\n\s*)?_IO[WR]*\(", re.M)
TIMELINE = re.compile(r"#define (SW_SYNC_\w+)\s+(?:\\\n\s*)?"
                      r"_IO(W?R?)\(SW_SYNC_IOC_MAGIC, (\d), ")
# A name for both of those that follow it, which differ in size.
LEFT_OUT = {"DMA_BUF_SET_NAME"}
# Bytes of their arguments, which user space relies on.
SIZES = {"SW_SYNC_IOC_CREATE_FENCE": 40, "SW_SYNC_IOC_INC": 4,
         "SW_SYNC_GET_DEADLINE": 16}


def read(*path):
    """Content of a file of the checkout."""
    with open(os.path.join(TOP, *path), encoding="utf-8") as file:
        return file.read()


def number(direction, size, command):
    """What _IO*() makes of a command of software timelines."""
    return ("W" in direction) << 30 | ("R" in direction) << 31 | \
        size << 16 | ord("W") << 8 | command


class Descriptions(unittest.TestCase):
    """dev_dma_buf.txt, beside the sources."""

    def setUp(self):
        self.text = read("scripts", "syzkaller", "dev_dma_buf.txt")

    def test_commands_of_headers(self):
        """Every command of a header is a command of a call."""
        used = set(re.findall(r"cmd const\[(\w+)\]", self.text))
        for flags in re.findall(r"cmd flags\[(\w+)\]", self.text):
            used |= set(re.search(rf"^{flags} = (.*)$", self.text, re.M)
                        .group(1).split(", "))
        headers = glob.glob(os.path.join(TOP, "include", "uapi", "linux", "*.h"))
        known = set()
        for header in headers:
            known |= set(COMMAND.findall(read(header)))
        self.assertGreater(len(known), 10)
        self.assertEqual(set(), known - LEFT_OUT - used)

    def test_numbers_of_timelines(self):
        """Those without a header have the right numbers."""
        commands = TIMELINE.findall(read("sw_sync.c"))
        self.assertEqual(set(SIZES), {name for name, *_ in commands})
        given = {int(value, 16) for value
                 in re.findall(r"^define SW_SYNC_\w+_NR\s+(0x\w+)$", self.text, re.M)}
        self.assertEqual(given, {number(direction, SIZES[name], int(command))
                                 for name, direction, command in commands})

    def test_names_are_defined(self):
        """What a pointer, a list of flags or a resource is called exists."""
        for used, definition in (
                (r"ptr(?:64)?\[\w+, (?:array\[)?([a-z_]\w*_(?:data|arg|item|info|sync|file))\b",
                 r"^{} {{$"),
                (r"flags\[(d\w+|u\w+)", r"^{} = "),
                (r"\b(fd_(?!memfd|flags)\w+)", r"^resource {}\[")):
            names = set(re.findall(used, self.text))
            self.assertTrue(names)
            for name in names:
                self.assertRegex(self.text, re.compile(definition.format(name), re.M))


class Manager(unittest.TestCase):
    """manager.cfg."""

    def test_calls_exist(self):
        """It is JSON, and each pattern of ours matches a call of ours."""
        calls = re.findall(r"^(\w+\$\w+)\(", read("scripts", "syzkaller",
                                                  "dev_dma_buf.txt"), re.M)
        patterns = json.loads(read("scripts", "syzkaller", "manager.cfg"))["enable_syscalls"]
        for call in calls:
            self.assertTrue(any(re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), call)
                                for pattern in patterns), call)


if __name__ == "__main__":
    unittest.main()
