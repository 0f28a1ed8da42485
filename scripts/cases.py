#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Which test cases have run, and which never do.

cases.py log LOG            print `passed|failed|skipped NAME` for each case of a log
cases.py skipped DIR ALLOW  judge all that was printed to the files of DIR: print the
                            cases that are skipped in each of them, but for those
                            that ALLOW names with a reason; the status tells

A log is that of a kernel with KUnit suites, or what scripts/guest-tap printed. The
name is suite/case, suite/case/parameter or program/case.
"""

import os
import re
import sys

TIME = re.compile(r"^\[ *\d+\.\d+\] ?")
SUBTEST = re.compile(r"( *)# Subtest: (.+)")
BEGIN = re.compile(r"### begin (\S+)")
RESULT = re.compile(r"( *)(not )?ok \d+ ?(.*)")
SKIP = re.compile(r"(.*?) *# *SKIP\b", re.I)


def outcome(failed, text):
    """(what became of a case, its name)"""
    skip = SKIP.match(text)
    if skip:
        return "skipped", skip.group(1)
    return "failed" if failed else "passed", text


def cases(log):
    """Yield (outcome, name). A level of a log is told by how far it is indented."""
    names = {}
    for line in log.replace("\r", "").splitlines():
        line = TIME.sub("", line)
        subtest, begin = SUBTEST.match(line), BEGIN.match(line)
        result = RESULT.match(line)
        if begin:
            names = {0: begin.group(1)}
        elif subtest:
            names[len(subtest.group(1))] = subtest.group(2)
        elif result:
            depth = len(result.group(1))
            above = [names[level] for level in sorted(names) if level <= depth]
            what, name = outcome(result.group(2), result.group(3))
            # The sum of a suite is no case.
            if above:
                yield what, "/".join(above + [name])


def never_run(results):
    """Names of those that are skipped wherever they are seen."""
    seen = {}
    for line in results:
        what, _, name = line.partition(" ")
        seen.setdefault(name, set()).add(what)
    return sorted(name for name, outcomes in seen.items() if outcomes == {"skipped"})


def read_lines(path):
    """Lines of a file."""
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read().splitlines()


def judge(directory, allow):
    """Print what is skipped everywhere. Whether there was something to judge,
    nothing is left, and each line of ALLOW was needed."""
    results = [line for name in sorted(os.listdir(directory))
               for line in read_lines(os.path.join(directory, name))]
    known = [line.split("\t", 1)[0] for line in read_lines(allow)
             if line and not line.startswith("#")]
    never = never_run(results)
    for name in never:
        if name not in known:
            print("skipped in every configuration:", name)
    for name in known:
        if name not in never:
            print(f"not skipped any more, but in {os.path.basename(allow)}: {name}")
    return bool(results) and set(never) == set(known)


def main(arguments):
    """Do what is asked for."""
    if arguments[:1] == ["log"] and len(arguments) == 2:
        for result in cases("\n".join(read_lines(arguments[1]))):
            print(*result)
    elif arguments[:1] == ["skipped"] and len(arguments) == 3:
        return 0 if judge(*arguments[1:]) else 1
    else:
        sys.exit(__doc__)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
