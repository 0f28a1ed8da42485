#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Tests of what scripts/prose finds, and what it leaves alone."""

import os
import subprocess
import tempfile
import unittest

HERE = os.path.dirname(os.path.realpath(__file__))

# Name of the file, its text, and the line with the finding.
FOUND = (
    ("a.c", "int a;\n/* The driver tells when he is done. */\n", 2),
    ("a.c", "/*\n * It wakes.\n *\n * Who holds the lock goes on.\n */\n", 4),
    ("a.c", "/* The list is read. What it has is old. */\n", 1),
    ("a.c", "/* Those that wait are woken. */\n", 1),
    ("a.c", "/* The lock is for\n * whoever comes first. */\n", 2),
    ("a.c", "/*\n * The lock is free,\n * whoever waits.\n */\n", 3),
    ("a.h", "// Himself.\n", 1),
    ("a.rst", "Title\n=====\n\nWhoever waits is woken.\n", 4),
    ("a.md", "A fence.\n\nThe task is told by who signals.\n", 3),
    ("Kconfig.a", "config A\n\thelp\n\t  What it does.\n", 3),
    ("a.py", "A = 1\n# What it is.\n", 2),
    ("a", "#!/bin/sh\n# She runs.\n", 2),
)

LEFT_ALONE = (
    ("a.c", "int he, who; const char *what = \"Who he is.\";\n"),
    ("a.c", "/* What is left? The driver that holds the lock. */\n"),
    ("a.c", "/* The field &who.he, ``What``, %he and \"Who\" are names. */\n"),
    ("a.c", "/* A task that waits is woken. */\n"),
    ("a.rst", "Text::\n\n\tWho is he?\n\nText.\n"),
    ("a.rst", "What It Is\n==========\n"),
    ("a.py", "WHO = 'Whoever he is.'\n"),
    ("a.txt", "Whoever he is.\n"),
)


def run(name, text):
    """Status and output of the script for a file with a text."""
    with tempfile.TemporaryDirectory() as place:
        path = os.path.join(place, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        done = subprocess.run([os.path.join(HERE, "prose"), path], text=True, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return done.returncode, done.stdout.replace(place + "/", "")


class ProseTest(unittest.TestCase):
    """One file each."""

    def test_findings_fail_and_name_their_line(self):
        for name, text, line in FOUND:
            with self.subTest(name=name, text=text):
                status, output = run(name, text)
                self.assertEqual(status, 1)
                self.assertRegex(output, rf"\A{name}:{line}: [^\n]*\n\Z")

    def test_all_else_is_left_alone(self):
        for name, text in LEFT_ALONE:
            with self.subTest(name=name, text=text):
                self.assertEqual(run(name, text), (0, ""))


if __name__ == "__main__":
    unittest.main()
