#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Judge a run here by the same run on the stock core.

clients.py HERE STOCK LIST

HERE and STOCK are the directories that scripts/boot left, of a guest each that ran the
same programs with scripts/guest-tap. A case that fails here and not there is a failure,
and so is one that passed there and has not run here. What a kernel complains about and
leaks counts as a case that failed. One that fails on both counts as skipped, and its name
goes to LIST. Prints a line for each failure, then `total PASSED FAILED SKIPPED`.
"""

import os
import re
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, HERE)
import cases  # noqa: E402  (the path is set above)
import splat  # noqa: E402
import tap  # noqa: E402


def read(directory, name):
    """Content of a file that a guest left, nothing if there is none."""
    try:
        with open(os.path.join(directory, name), encoding="utf-8",
                  errors="replace") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def complaints(directory):
    """What the kernel complained about and leaked, without numbers, which differ."""
    allowed = splat.load_allowed(os.path.join(HERE, "splat.allow"))
    found = [line.partition(": ")[2]
             for line in splat.check_log(read(directory, "console.log"), allowed)]
    found += splat.check_leaks(read(directory, "kmemleak"), allowed)
    return {"kernel: " + re.sub(r"0x[0-9a-f]+|\d+", "N", text) for text in found}


def results(directory):
    """{case: outcome} of one guest."""
    output = read(directory, "output.log")
    found = {}
    for outcome, name in cases.cases(output):
        if found.get(name) != "failed":
            found[name] = outcome
    for program in tap.parse(output):
        program.finish()
        found.update((f"{program.name}: {failure}", "failed")
                     for failure in program.failures
                     if not failure.startswith("not ok"))
    found.update((text, "failed") for text in complaints(directory))
    return found


def judge(here, stock):
    """(passed, failures, names that fail on both, skipped)"""
    failures, both = [], []
    passed = skipped = 0
    for name in sorted(here.keys() | stock.keys()):
        ours, theirs = here.get(name), stock.get(name)
        if ours == theirs == "failed":
            both.append(name)
        elif ours == "failed":
            failures.append(f"{name} ({theirs or 'not seen'} on the stock core)")
        elif ours == "passed":
            passed += 1
        elif theirs == "passed":
            failures.append(f"{name}: {ours or 'not seen'}, but passed on the stock core")
        elif ours:
            skipped += 1
    for name, core in ("here", here), ("on the stock core", stock):
        if "passed" not in core.values():
            failures.append(f"nothing has passed {name}")
    return passed, failures, both, skipped


def main(arguments):
    """Read both, compare, print."""
    if len(arguments) != 3:
        sys.exit(__doc__)
    passed, failures, both, skipped = judge(results(arguments[0]), results(arguments[1]))
    with open(arguments[2], "w", encoding="utf-8") as file:
        file.writelines(name + "\n" for name in both)
    for failure in failures:
        print("   ", failure)
    print("total", passed, len(failures), skipped + len(both))


if __name__ == "__main__":
    main(sys.argv[1:])
