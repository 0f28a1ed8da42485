#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Find what a kernel complained about in its log: warnings, bugs, leaks.

A test that provokes a warning on purpose encloses it in the two lines of
MARK_BEGIN and MARK_END: between them, warnings of the subsystem itself are
expected, nothing else. Everything else counts, unless a line of the list of
known splats matches it. That list has one `regular expression<TAB>reason` per
line.

As a program: splat.py LOG [ALLOWED...]
"""

import re
import sys

MARK_BEGIN = "# dma-buf-kunit: expect warning"
MARK_END = "# dma-buf-kunit: end expect"
DELIBERATE = re.compile(r"\bWARNING: CPU: \d+ PID: \d+ at "
                        r"(\S*/)?(drivers/dma-buf/|include/linux/dma-)")

# First lines of everything that the debugging options of a kernel print.
FIRST_LINE = re.compile("|".join((
    r"\bWARNING: ",                     # WARN_ON, lockdep, RCU
    r"\bBUG: ",                         # KASAN, sleeping function, bad page
    r"\bkernel BUG at ",
    r"\bKernel panic",
    r"\bOops\b",
    r"general protection fault",
    r"\bKASAN: ",
    r"\bUBSAN: ",
    r"\bINFO: (task|lockdep|rcu|trying to register|possible)",
    r"\brcu: INFO: ",
    r"possible recursive locking",
    r"sleeping function called",
    r"scheduling while atomic",
    r"suspicious RCU usage",
    r"list_(add|del) corruption",
    r"refcount_t: ",
    r"DMA-API: (?!preallocated|debugging enabled)",
    r"ODEBUG: ",
    r"kobject: .*is not initialized|tried to (init|add) an",
    r"sysfs: cannot create duplicate",
    r"kmemleak: .*(disabled|[1-9][0-9]* new suspected)",
    r"Segfault with no mm",
    r"\bvmalloc error: |\bpage allocation failure: ",
)))

TIME_STAMP = re.compile(r"^(<\d+>)?\[ *\d+\.\d+\]( *\[.*?\])? ?")


class Allowed:
    """The list of known splats."""

    def __init__(self, patterns):
        self.patterns = patterns

    def __contains__(self, text):
        return any(pattern.search(text) for pattern in self.patterns)


def load_allowed(*paths):
    """Read lists of known splats; a line without a reason is an error."""
    patterns = []
    for path in paths:
        with open(path, encoding="utf-8") as file:
            lines = file.read().splitlines()
        for line in lines:
            if not line or line.startswith("#"):
                continue
            pattern, _, reason = line.partition("\t")
            if not reason.strip():
                sys.exit(f"{path}: no reason given: {line}")
            patterns.append(re.compile(pattern))
    return Allowed(patterns)


def check_log(log, allowed):
    """Return the unexpected complaints of a log, one string each."""
    found = []
    expected = False
    for number, line in enumerate(log.splitlines(), 1):
        text = TIME_STAMP.sub("", line).strip()
        if MARK_BEGIN in text:
            if expected:
                found.append(f"line {number}: marker inside a marked section")
            expected = True
        elif MARK_END in text:
            expected = False
        elif FIRST_LINE.search(text) and text not in allowed and \
                not (expected and DELIBERATE.search(text)):
            found.append(f"line {number}: {text}")
    if expected:
        found.append("the log ends inside a marked section")
    return found


def check_leaks(report, allowed):
    """Return the leaks of a kmemleak report, described by their call chain."""
    found = []
    for leak in re.split(r"^(?=unreferenced object)", report, flags=re.M):
        if not leak.startswith("unreferenced object"):
            continue
        size = re.search(r"\(size (\d+)\)", leak)
        calls = re.findall(r"^ +(?:\[<.*>\] )?([\w.]+)\+0x", leak, re.M)
        text = f"leak of {size.group(1)} bytes: " + " < ".join(calls)
        if text not in allowed:
            found.append(text)
    return found


def main():
    """Check one log from the command line."""
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    allowed = load_allowed(*sys.argv[2:])
    with open(sys.argv[1], encoding="utf-8", errors="replace") as file:
        found = check_log(file.read(), allowed)
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
