#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Tests of overlay: done again, after an interruption, and where it was done by hand."""

import importlib.machinery
import importlib.util
import os
import sys
import unittest
from unittest import mock

import testbed

HOOKED = {
    "Makefile": "VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 1\n",
    "tools/testing/selftests/Makefile": "TARGETS += cpufreq\nTARGETS += efivarfs\n",
    "samples/Makefile": "subdir-$(CONFIG_SAMPLE_ANDROID)\t+= binderfs\n"
                        "subdir-$(CONFIG_SAMPLE_VFS)\t\t+= vfs\n",
    "samples/Kconfig": "menuconfig SAMPLES\nif SAMPLES\nendif # SAMPLES\n",
}
HOST = {
    "drivers/dma-buf/Makefile": "of the host\n",
    "drivers/dma-buf/st-dma-fence.c": "of the host\n",
    "drivers/dma-buf/heaps/Makefile": "of the host\n",
    "include/linux/dma-buf.h": "of the host\n",
    "include/linux/list.h": "of the host\n",
}
OURS = {
    "Makefile": "ours\n",
    "dma-buf.c": "ours\n",
    "heaps/Makefile": "ours\n",
    "tests/run": "#!/bin/sh\n",
    "include/linux/dma-buf.h": "ours\n",
    "include/linux/dma-buf-new.h": "ours\n",
    "selftests/Makefile": "ours\n",
    "samples/Makefile": "ours\n",
    "samples/Kconfig": "ours\n",
}
REPLACED = ("drivers/dma-buf/Makefile", "drivers/dma-buf/st-dma-fence.c",
            "drivers/dma-buf/heaps/Makefile", "include/linux/dma-buf.h")
# The calls that change a tree.
CHANGES = "replace", "unlink", "makedirs", "removedirs"


class Interrupted(BaseException):
    """As KeyboardInterrupt, but nobody else's."""


def load(path):
    """The program as a module, which works in the checkout that it is in."""
    loader = importlib.machinery.SourceFileLoader("overlay", path)
    module = importlib.util.module_from_spec(
        importlib.util.spec_from_loader("overlay", loader))
    loader.exec_module(module)
    return module


def content(tree):
    """Path, mode and content of all files."""
    return {os.path.relpath(path, tree): (os.stat(path).st_mode, testbed.read(path))
            for path in (os.path.join(directory, name)
                         for directory, _, names in os.walk(tree)
                         for name in names)}


def changes(wrap):
    """Wrap all that changes a tree."""
    return mock.patch.multiple(
        os, **{name: wrap(getattr(os, name)) for name in CHANGES})


class OverlayTest(testbed.Testbed):
    """A small project over small trees."""

    def setUp(self):
        super().setUp()
        self.top = self.checkout()
        for path, text in OURS.items():
            testbed.write(os.path.join(self.top, path), text,
                          0o755 if text.startswith("#!") else 0o644)
        testbed.write(os.path.join(self.top, "scripts/replaced.list"),
                      "\n".join(REPLACED) + "\n")
        self.overlay = load(os.path.join(self.top, "scripts/overlay"))

    def tree(self, name="tree"):
        """A tree of the host."""
        tree = os.path.join(self.place, name)
        for path, text in (HOOKED | HOST).items():
            testbed.write(os.path.join(tree, path), text)
        return tree

    def place_in(self, tree):
        """Lay the project over a tree. What it said when it refused."""
        with mock.patch.object(sys, "argv", ["overlay", tree]):
            try:
                self.overlay.main()
            except SystemExit as refusal:
                return str(refusal)
        return None

    def interrupt(self, tree, count):
        """Interrupt it at the change COUNT, before it or after. Whether it was."""
        left = [count]

        def stop_at(function):
            def changed(*args, **more):
                left[0] -= 1
                if left[0] == 0:
                    raise Interrupted
                result = function(*args, **more)
                left[0] -= 1
                if left[0] == 0:
                    raise Interrupted
                return result
            return changed

        with changes(stop_at):
            try:
                self.assertIsNone(self.place_in(tree))
            except Interrupted:
                return True
        return False

    def change(self):
        """Go on with the project: another file, one less, one with other content."""
        testbed.write(os.path.join(self.top, "dma-buf.c"), "changed\n")
        testbed.write(os.path.join(self.top, "dma-fence.c"), "ours\n")
        os.unlink(os.path.join(self.top, "include/linux/dma-buf-new.h"))

    def restore(self):
        """Undo change()."""
        testbed.write(os.path.join(self.top, "dma-buf.c"), OURS["dma-buf.c"])
        os.unlink(os.path.join(self.top, "dma-fence.c"))
        testbed.write(os.path.join(self.top, "include/linux/dma-buf-new.h"), "ours\n")

    def test_places_and_removes(self):
        tree = self.tree()
        self.assertIsNone(self.place_in(tree))
        found = content(tree)
        self.assertEqual(found["drivers/dma-buf/Makefile"][1], "ours\n")
        self.assertNotIn("drivers/dma-buf/st-dma-fence.c", found)
        self.assertTrue(found["drivers/dma-buf/tests/run"][0] & 0o111)
        self.assertIn("TARGETS += dma-buf\n",
                      found["tools/testing/selftests/Makefile"][1])

    def test_again_changes_nothing(self):
        tree = self.tree()
        self.place_in(tree)
        with mock.patch.object(self.overlay, "replace_file") as replace:
            self.assertIsNone(self.place_in(tree))
        replace.assert_not_called()

    def test_interrupted_anywhere(self):
        wanted = self.tree("wanted")
        self.place_in(wanted)
        count = 1
        while True:
            tree = self.tree(f"tree-{count}")
            if not self.interrupt(tree, count):
                break
            with self.subTest(change=count):
                self.assertIsNone(self.place_in(tree))
                self.assertEqual(content(tree), content(wanted))
            count += 1
        self.assertGreater(count, 2 * len(OURS))

    def test_interrupted_and_changed(self):
        self.change()
        wanted = self.tree("wanted")
        self.place_in(wanted)
        self.restore()
        count = 1
        while True:
            tree = self.tree(f"tree-{count}")
            if not self.interrupt(tree, count):
                break
            with self.subTest(change=count):
                self.change()
                self.assertIsNone(self.place_in(tree))
                self.assertEqual(content(tree), content(wanted))
                self.restore()
            count += 1

    def test_tree_with_the_series(self):
        wanted = self.tree("wanted")
        self.place_in(wanted)
        tree = self.tree()
        self.place_in(tree)
        os.unlink(os.path.join(tree, self.overlay.MANIFEST))
        self.assertIsNone(self.place_in(tree))
        self.assertEqual(content(tree), content(wanted))

    def test_file_of_the_host_is_kept(self):
        tree = self.tree()
        testbed.write(os.path.join(tree, "include/linux/dma-buf-new.h"), "other\n")
        before = content(tree)
        self.assertIn("include/linux/dma-buf-new.h", self.place_in(tree))
        self.assertEqual(content(tree), before)

    def test_links_to_the_users_files_are_cut(self):
        user = self.tree("user")
        before = content(user)
        tree = os.path.join(self.place, "tree")
        for path in before:
            os.makedirs(os.path.dirname(os.path.join(tree, path)), exist_ok=True)
            os.link(os.path.join(user, path), os.path.join(tree, path))
        self.assertIsNone(self.place_in(tree))
        self.assertEqual(content(user), before)


if __name__ == "__main__":
    unittest.main()
