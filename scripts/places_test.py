#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Tests of where the commands may work: in no place whose name they would split.

The commands run from a copy of the project's scripts. What could do harm is
shadowed by programs that only note how they are called.
"""

import os
import shutil
import subprocess
import tempfile
import unittest

SCRIPTS = os.path.dirname(os.path.realpath(__file__))
TOP = os.path.dirname(SCRIPTS)
HARMFUL = ("rm", "rmdir", "mkdir", "mv", "cp", "tar", "make", "flock",
           "apt-get", "sudo", "git")
BAD_NAMES = ("a b", "a\tb", "a\nb", "b\n", "a:b", "a,b", "a'b", 'a"b', "a$b",
             "a`b", "a#b", "a%b", "a*b", "a?b", "a[b]", "a(b)", "a;b", "a&b",
             "a|b", "a<b", "a\\b", "a!b", "a{b}")
GOOD_NAMES = ("a.b-c_d+e@f=g~1", "été")
NOTE = """#!/bin/sh
printf '%s' "${0##*/}" >>"$NOTES"
printf ' <%s>' "$@" >>"$NOTES"
echo >>"$NOTES"
"""


def commands():
    """Names of the commands: all that begin with lib.sh, and boot."""
    yield "boot"
    for name in sorted(os.listdir(SCRIPTS)):
        path = os.path.join(SCRIPTS, name)
        if os.path.isfile(path) and os.access(path, os.X_OK):
            with open(path, encoding="utf-8") as file:
                if '\n. "${0%/*}/lib.sh"\n' in file.read():
                    yield name


class PlacesTest(unittest.TestCase):
    """Commands in checkouts with all kinds of names."""

    def setUp(self):
        # pylint: disable=consider-using-with
        place = tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR"))
        self.addCleanup(place.cleanup)
        self.place = os.path.realpath(place.name)
        self.notes = os.path.join(self.place, "notes")
        os.mkdir(os.path.join(self.place, "bin"))
        for name in HARMFUL:
            self.program(name, NOTE + "exit 1\n")
        # The shell would go on, and harm is seen only then.
        self.program("dpkg-query", "#!/bin/sh\necho install ok installed\n")

    def program(self, name, text):
        """Shadow a program."""
        path = os.path.join(self.place, "bin", name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, 0o755)

    def checkout(self, name):
        """A checkout of what these tests need."""
        top = os.path.join(self.place, name)
        shutil.copytree(SCRIPTS, os.path.join(top, "scripts"))
        shutil.copy(os.path.join(TOP, "GNUmakefile"), top)
        return top

    def run_command(self, top, *command, cwd=None):
        """Run, with the harmful programs shadowed. (status, what was noted)"""
        path = os.path.join(self.place, "bin") + ":" + os.environ["PATH"]
        env = dict(os.environ, PATH=path, NOTES=self.notes,
                   PYTHONDONTWRITEBYTECODE="1")
        for variable in ("KDIR", "DMABUF_LOG", "DMABUF_COMMAND"):
            env.pop(variable, None)
        done = subprocess.run(command, cwd=cwd or top, env=env, timeout=60,
                              stdin=subprocess.DEVNULL, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              check=False)
        try:
            with open(self.notes, encoding="utf-8") as file:
                noted = file.read()
            os.unlink(self.notes)
        except FileNotFoundError:
            noted = ""
        return done, noted

    def refused(self, top, name):
        """Run a command that must neither do nor leave anything."""
        before = sorted(os.listdir(top))
        done, noted = self.run_command(top, os.path.join(top, "scripts", name),
                                       "plain", "true")
        self.assertEqual(noted, "")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("name of the checkout", done.stdout)
        self.assertEqual(sorted(os.listdir(top)), before)

    def test_every_command_refuses(self):
        top = self.checkout("a b")
        names = list(commands())
        self.assertIn("tree", names)
        for name in names:
            with self.subTest(command=name):
                self.refused(top, name)

    def test_every_bad_name_is_refused(self):
        for name in BAD_NAMES:
            top = self.checkout(name)
            for command in ("tree", "boot"):
                with self.subTest(name=name, command=command):
                    self.refused(top, command)

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
        with open(library, encoding="utf-8") as file:
            text = file.read()
        with open(library, "w", encoding="utf-8") as file:
            file.write(text.replace('\ncheck_place "$TOP"\n', "\n"))
        self.program("mkdir", NOTE)
        self.program("flock", NOTE)
        for name in ("log", "lock", "uml/x-host"):
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
        os.unlink(os.path.join(self.place, "bin", "make"))
        other = os.path.join(self.place, "other")
        os.makedirs(os.path.join(other, "build"))
        done, noted = self.run_command(
            top, "make", "-f", os.path.join(top, "GNUmakefile"), "clean",
            cwd=other)
        self.assertNotIn("rm", noted)
        self.assertNotEqual(done.returncode, 0)
        _, noted = self.run_command(top, "make", "clean")
        self.assertEqual(noted, "rm <-rf> <build>\n")


if __name__ == "__main__":
    unittest.main()
