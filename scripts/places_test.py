#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Tests of where the commands may work: in no place whose name they would split.

What could do harm is shadowed by programs that only note how they are called.
"""

import os
import re
import unittest

import testbed

HARMFUL = ("rm", "rmdir", "mkdir", "mv", "cp", "tar", "make", "flock",
           "apt-get", "sudo", "git")
BLANKS = ("a b", "a:b", "a,b")
BAD_NAMES = ("a\tb", "a\nb", "b\n", "a'b", 'a"b', "a$b", "a`b", "a#b", "a%b",
             "a*b", "a?b", "a[b]", "a(b)", "a;b", "a&b", "a|b", "a<b", "a\\b",
             "a!b", "a{b}")
GOOD_NAMES = ("a.b-c_d+e@f=g~1", "été")


def make_commands():
    """Names of the commands of the Makefile."""
    text = testbed.read(os.path.join(testbed.TOP, "GNUmakefile"))
    return re.search(r"^COMMANDS :=((?:.*\\\n)*.*)", text, re.M).group(1) \
        .replace("\\", "").split()


class PlacesTest(testbed.Testbed):
    """Commands in checkouts with all kinds of names."""

    def setUp(self):
        super().setUp()
        for name in HARMFUL:
            self.program(name, testbed.NOTE + "exit 1\n")
        # The shell would go on, and harm is seen only then.
        self.program("dpkg-query", "#!/bin/sh\necho install ok installed\n")

    def refused(self, top, *command):
        """Run a command that must neither do nor leave anything."""
        before = sorted(os.listdir(top))
        done, noted = self.run_command(top, *command)
        self.assertEqual(noted, "")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("name of the checkout", done.stdout)
        self.assertEqual(sorted(os.listdir(top)), before)

    def test_every_command_refuses(self):
        names = list(testbed.commands())
        self.assertIn("tree", names)
        for place in BLANKS:
            top = self.checkout(place)
            for name in names:
                with self.subTest(place=place, command=name):
                    self.refused(top, os.path.join(top, "scripts", name),
                                 "plain", "true")

    def test_every_command_of_make_refuses(self):
        os.unlink(os.path.join(self.bin, "make"))
        names = make_commands()
        self.assertIn("test", names)
        for place in BLANKS:
            top = self.checkout(place)
            for name in names + ["overlay"]:
                with self.subTest(place=place, command=name):
                    self.refused(top, "make", name, "TREE=tree")

    def test_every_bad_name_is_refused(self):
        for name in BAD_NAMES:
            top = self.checkout(name)
            for command in ("tree", "boot", "overlay"):
                with self.subTest(name=name, command=command):
                    self.refused(top, os.path.join(top, "scripts", command),
                                 "plain", "true")

    def test_other_names_are_taken(self):
        for name in GOOD_NAMES:
            with self.subTest(name=name):
                done, noted = self.run_command(
                    self.checkout(name), "scripts/tree")
                self.assertNotIn("name of the checkout", done.stdout)
                self.assertIn("mkdir", noted)

    def test_tree_removes_what_it_has_made(self):
        top = self.checkout("a b")
        library = os.path.join(top, "scripts", "lib.sh")
        text = testbed.read(library)
        testbed.write(library, text.replace('\ncheck_place "$TOP"\n', "\n"))
        self.program("mkdir", testbed.NOTE)
        self.program("flock", testbed.NOTE)
        for name in ("log", "uml/x-host"):
            os.makedirs(os.path.join(top, "build", name))
        for arguments in (), ("host",):
            _, noted = self.run_command(top, "scripts/tree", *arguments)
            removed = [line for line in noted.splitlines()
                       if line.startswith("rm <-rf>")]
            self.assertTrue(removed)
            for path in removed[0].split(" <")[2:]:
                self.assertTrue(path.startswith(top + "/build/"), path)

    def test_clean_is_for_the_checkout(self):
        top = self.checkout("plain")
        for name in "make", "flock", "mkdir":
            os.unlink(os.path.join(self.bin, name))
        other = os.path.join(self.place, "other")
        for place in other, top:
            os.makedirs(os.path.join(place, "build"))
        done, noted = self.run_command(
            top, "make", "-f", os.path.join(top, "GNUmakefile"), "clean",
            cwd=other)
        self.assertNotIn("rm", noted)
        self.assertNotEqual(done.returncode, 0)
        _, noted = self.run_command(top, "make", "clean")
        self.assertEqual(noted, f"rm <-rf> <{top}/build>\n")


if __name__ == "__main__":
    unittest.main()
