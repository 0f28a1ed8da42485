# SPDX-License-Identifier: GPL-2.0
"""What tests of the commands have in common: a checkout of its own for each test.

The commands run from a copy of the project's scripts, with programs of the test's
in front of those of the machine.
"""

import fcntl
import os
import shutil
import subprocess
import tempfile
import time
import unittest

SCRIPTS = os.path.dirname(os.path.realpath(__file__))
TOP = os.path.dirname(SCRIPTS)
PATIENCE = 60
# Notes how it is called.
NOTE = """#!/bin/sh
printf '%s' "${0##*/}" >>"$NOTES"
printf ' <%s>' "$@" >>"$NOTES"
echo >>"$NOTES"
"""


def commands():
    """Names of the commands: all that begin with lib.sh, boot and overlay."""
    yield from ("boot", "overlay")
    for name in sorted(os.listdir(SCRIPTS)):
        path = os.path.join(SCRIPTS, name)
        if (os.path.isfile(path) and os.access(path, os.X_OK) and
                not name.endswith(".py")):
            with open(path, encoding="utf-8") as file:
                if '\n. "${0%/*}/lib.sh"\n' in file.read():
                    yield name


def write(path, text, mode=0o644):
    """Make a file, and the directories that it needs."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, mode)


def read(path):
    """Content of a file, nothing if there is none."""
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def until(condition):
    """Wait until something holds. Whether it does."""
    end = time.monotonic() + PATIENCE
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return condition()


class Testbed(unittest.TestCase):
    """A place for checkouts, and for programs that are found before others."""

    def setUp(self):
        # pylint: disable=consider-using-with
        place = tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR"))
        self.addCleanup(place.cleanup)
        self.place = os.path.realpath(place.name)
        self.notes = os.path.join(self.place, "notes")
        self.bin = os.path.join(self.place, "bin")
        os.mkdir(self.bin)

    def program(self, name, text):
        """Put a program of the test's in front of the machine's."""
        write(os.path.join(self.bin, name), text, 0o755)

    def checkout(self, name="checkout"):
        """A checkout of what these tests need."""
        top = os.path.join(self.place, name)
        shutil.copytree(SCRIPTS, os.path.join(top, "scripts"))
        shutil.copy(os.path.join(TOP, "GNUmakefile"), top)
        return top

    def environment(self, **more):
        """Of a command that nobody else's has called."""
        env = dict(os.environ, PATH=self.bin + ":" + os.environ["PATH"],
                   NOTES=self.notes, PYTHONDONTWRITEBYTECODE="1")
        for variable in ("KDIR", "DMABUF_LOG", "DMABUF_COMMAND", "JOBS",
                         "CCACHE_DIR", "MAKEFLAGS", "MAKELEVEL", "SUITE",
                         "TEST", "PARTS", "MINUTES", "MODE", "CASES", "ROUNDS",
                         "VERSUS", "PAGE"):
            env.pop(variable, None)
        return dict(env, **more)

    def run_command(self, top, *command, cwd=None, **env):
        """Run to the end. (the process, what the programs have noted)"""
        done = subprocess.run(command, cwd=cwd or top,
                              env=self.environment(**env), timeout=PATIENCE,
                              stdin=subprocess.DEVNULL, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              check=False)
        noted = read(self.notes)
        if noted:
            os.unlink(self.notes)
        return done, noted

    def start(self, top, *command, **env):
        """Begin to run. (the process, the file that it writes to)"""
        output = os.path.join(self.place, f"output-{time.monotonic_ns()}")
        with open(output, "wb") as file:
            # pylint: disable=consider-using-with
            process = subprocess.Popen(command, cwd=top, stdout=file,
                                       env=self.environment(**env),
                                       stdin=subprocess.DEVNULL,
                                       stderr=subprocess.STDOUT)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process, output

    def lock(self, path):
        """Have a file locked, as a command that runs."""
        os.makedirs(os.path.dirname(path), exist_ok=True)
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        fcntl.flock(file, fcntl.LOCK_EX)
        self.addCleanup(os.close, file)
        return file
