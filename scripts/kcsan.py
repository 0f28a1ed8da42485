#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Tell the data races of this project in a kernel log from those of the host.

KCSAN reports two accesses, each with its calls. An access belongs to who made
it: the innermost function that is not one of a library, as memcpy() or
list_add() are. A report counts if one of its accesses is the project's; so does
one that has no calls to go by. The others are listed and counted.

Which functions are whose is what the kernel's object files say. The log has bare
names: if one is both the project's and the host's it counts, too.

As a program: kcsan.py LOG KERNEL_BUILD_DIRECTORY
"""

import collections
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import splat  # noqa: E402  (the path is set above)

# Below drivers/dma-buf everything is ours. A library is what works on the memory
# of its callers.
OURS = ("drivers/dma-buf/built-in.a",)
LIBRARY = ("lib/built-in.a", "lib/lib.a", "arch/x86/lib/built-in.a",
           "arch/x86/lib/lib.a", "mm/slub.o", "mm/slab_common.o", "mm/util.o",
           "kernel/sched/build_utility.o", "kernel/locking/built-in.a")

TITLE = re.compile(r"^BUG: KCSAN: (?P<what>.* in (?P<first>[^\s+]+)"
                   r"(?: / (?P<second>\S+)|\+0x\S+)?)$")
ACCESS = re.compile(r"^(?:race at unknown origin, with )?[a-z() -]+ "
                    r"to 0x\w+ of \d+ bytes by ")
CALL = re.compile(r"^ ([\w.]+)\+0x\w+/0x\w+")
END = re.compile(r"^(Reported by Kernel Concurrency Sanitizer on:|={20,})")

Report = collections.namedtuple("Report", "title names accesses text")


def parse_log(log):
    """Yield the reports of a log."""
    report = None
    for line in log.splitlines():
        text = splat.TIME_STAMP.sub("", line).rstrip()
        title = TITLE.match(text)
        if title or END.match(text):
            if report:
                yield report
            report = title and Report(title["what"], [
                name for name in title.group("first", "second") if name],
                [], [])
        if not report:
            continue
        report.text.append(text)
        call = CALL.match(text)
        if ACCESS.match(text):
            report.accesses.append([])
        elif call and report.accesses:
            report.accesses[-1].append(call[1])
    if report:
        yield report


def owner(calls, ours, library):
    """The function that an access belongs to: no library's if there is one."""
    return next((name for name in calls
                 if name in ours or name not in library), None)


def is_ours(report, ours, library):
    """Is one of the two accesses of a report the project's?"""
    if not report.accesses or not all(report.accesses):
        return True
    owners = [owner(calls, ours, library) for calls in report.accesses]
    return any(name in ours for name in owners + report.names)


def judge(log, ours, library):
    """Return the reports that are the project's, and the others."""
    found = [], []
    for report in parse_log(log):
        found[not is_ours(report, ours, library)].append(report)
    return found


def functions(build, archives):
    """Names of the functions in object files of a kernel."""
    paths = [os.path.join(build, archive) for archive in archives]
    listing = subprocess.run(["nm"] + paths, check=True, text=True,
                             stdout=subprocess.PIPE).stdout
    return {match[1] for match in
            re.finditer(r"^\w+ [tTwW] (\S+)$", listing, re.M)}


def main():
    """Judge one log from the command line."""
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with open(sys.argv[1], encoding="utf-8", errors="replace") as file:
        log = file.read()
    ours, others = judge(log, functions(sys.argv[2], OURS),
                         functions(sys.argv[2], LIBRARY))
    for report in ours:
        print("\n".join(report.text) + "\n")
    for whose, reports in ("ours", ours), ("host's", others):
        titles = collections.Counter(report.title for report in reports)
        for title, count in titles.most_common():
            print(f"{whose}: {title}, {count} times")
    print(f"total {len(ours)} {len(others)}")
    return 1 if ours else 0


if __name__ == "__main__":
    sys.exit(main())
