#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Tests of the headers for user space: each compiles alone, with all its macros.

Programs include one of them first, and expect it to bring what its macros need.
"""

import glob
import os
import re
import shutil
import subprocess
import unittest

HEADERS = os.path.join(os.path.dirname(os.path.realpath(__file__)),
                       "..", "include", "uapi", "linux")
DEFINE = re.compile(r"^#[ \t]*define[ \t]+(\w+)(\(?)[ \t]*(\S?)", re.M)
# The flags of open() are had from <fcntl.h>, which no header of the kernel can
# include.
NEEDS_FCNTL = ("DMA_HEAP_VALID_FD_FLAGS",)
# Programs have copies of this header, whose guard must hide this one.
GUARDS = {"dma-buf.h": "_DMA_BUF_UAPI_H_"}

COMPILERS = [[compiler, "-x", "c", f"-std={std}"]
             for compiler in ("gcc", "clang") for std in ("c90", "c99", "gnu17")
             ] + [[compiler, "-x", "c++"] for compiler in ("g++", "clang++")]
# An array without a size at the end of a struct is not of the oldest standard.
STRICT = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-Wno-long-long",
          "-Wno-c99-extensions", "-D_GNU_SOURCE"]


def macros(text):
    """Names of the macros that have a value."""
    return [name for name, arguments, value in DEFINE.findall(text)
            if value and not arguments]


def program(header, names):
    """A program that uses each macro, of which it includes one header only."""
    text = f"#include <linux/{header}>\n"
    for name in names:
        if name in NEEDS_FCNTL:
            text += "#include <fcntl.h>\n"
    text += "\nunsigned long values[] = {\n"
    text += "".join(f"\t(unsigned long)({name}),\n" for name in names)
    return text + "};\n"


def compiles(compiler, text):
    """Compile, only to see. What there was to complain about."""
    # The directory takes precedence over the machine's own, but is no system
    # directory, for which nothing is reported.
    done = subprocess.run(
        compiler + STRICT + ["-fsyntax-only", "-I", os.path.join(HEADERS, ".."),
                             "-"],
        input=text, text=True, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.stdout or ("" if done.returncode == 0 else "failed")


class HeaderTest(unittest.TestCase):
    """What a program can rely on."""

    def headers(self):
        """Pairs of a header's name and its text."""
        paths = sorted(glob.glob(os.path.join(HEADERS, "*.h")))
        self.assertTrue(paths)
        for path in paths:
            with open(path, encoding="utf-8") as file:
                yield os.path.basename(path), file.read()

    def test_each_header_alone(self):
        for header, text in self.headers():
            names = macros(text)
            self.assertTrue(names)
            for compiler in COMPILERS:
                if not shutil.which(compiler[0]):
                    continue
                with self.subTest(header=header, compiler=compiler):
                    self.assertEqual(
                        compiles(compiler, program(header, names)), "")

    def test_no_macro_is_forgotten(self):
        for header, text in self.headers():
            with self.subTest(header=header):
                guard = 1
                self.assertEqual(len(re.findall(r"#\s*define\b", text)),
                                 len(macros(text)) + guard)

    def test_guards(self):
        for header, text in self.headers():
            if header in GUARDS:
                with self.subTest(header=header):
                    self.assertIn(f"\n#ifndef {GUARDS[header]}\n", text)


if __name__ == "__main__":
    unittest.main()
