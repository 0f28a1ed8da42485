#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Count the results of test programs: tap.py OUTPUT [PROGRAM[=PASSED,SKIPPED]...]

OUTPUT is what scripts/guest-tap printed. Prints one line per program and per
failure, then `total PASSED FAILED SKIPPED`. A program that prints fewer
results than it planned, none at all, or dies has failed, too; one that leaves
with status 4 has skipped what is missing. With PROGRAM=PASSED,SKIPPED the
figures must be exactly these, with PROGRAM something must have passed. No
program at all is a failure.
"""

import re
import sys

SKIP_STATUS = 4
BEGIN = re.compile(r"### begin (\S+)")
END = re.compile(r"### end (\S+) (\d+)")
RESULT = re.compile(r"(not )?ok\b *\d*(.*)")
PLAN = re.compile(r"1\.\.(\d+)")


class Program:
    """Results of one program."""

    def __init__(self, name):
        self.name = name
        self.passed = self.skipped = 0
        self.planned = None
        self.status = None
        self.failures = []

    def add(self, line):
        """Take up one line of its output."""
        plan, outcome = PLAN.fullmatch(line), RESULT.match(line)
        if plan:
            self.planned = int(plan.group(1))
        elif outcome and outcome.group(1):
            self.failures.append(line)
        elif outcome and re.search(r"# *SKIP", outcome.group(2), re.I):
            self.skipped += 1
        elif outcome:
            self.passed += 1

    def finish(self):
        """Judge what the lines alone do not tell."""
        seen = self.passed + self.skipped + len(self.failures)
        if self.status == SKIP_STATUS and (self.planned or 0) > seen:
            self.skipped += self.planned - seen
            seen = self.planned
        if self.status is None:
            self.failures.append("did not end")
        elif self.status not in (0, SKIP_STATUS) and not self.failures:
            self.failures.append(f"exit status {self.status}")
        if not seen:
            self.failures.append("no results")
        elif self.planned is not None and seen != self.planned:
            self.failures.append(f"{self.planned} results planned, {seen} seen")

    def expect_some(self):
        """Require that something has passed."""
        if not self.passed:
            self.failures.append("nothing has passed")

    def expect(self, passed, skipped):
        """Require exact figures."""
        if (self.passed, self.skipped) != (passed, skipped):
            self.failures.append(f"{passed} passed and {skipped} skipped "
                                 "were expected")


def parse(text):
    """Split the output into programs."""
    programs = []
    for line in text.replace("\r", "").splitlines():
        begin, end = BEGIN.match(line), END.match(line)
        if begin:
            programs.append(Program(begin.group(1)))
        elif end and programs:
            programs[-1].status = int(end.group(2))
        elif programs and programs[-1].status is None:
            programs[-1].add(line)
    return programs


def main(arguments):
    """Read, count, print."""
    if not arguments:
        sys.exit(__doc__)
    with open(arguments[0], encoding="utf-8", errors="replace") as file:
        programs = {program.name: program for program in parse(file.read())}
    for program in programs.values():
        program.finish()
    for argument in arguments[1:]:
        name, exact, figures = argument.partition("=")
        program = programs.setdefault(name, Program(name))
        if exact:
            program.expect(*(int(figure) for figure in figures.split(",")))
        else:
            program.expect_some()
    if not programs:
        programs[""] = Program("no program")
        programs[""].failures.append("has run")
    for program in programs.values():
        print(f"  {program.name}: {program.passed} passed, "
              f"{len(program.failures)} failed, {program.skipped} skipped")
        for failure in program.failures:
            print(f"    {program.name}: {failure}")
    print("total", sum(program.passed for program in programs.values()),
          sum(len(program.failures) for program in programs.values()),
          sum(program.skipped for program in programs.values()))


if __name__ == "__main__":
    main(sys.argv[1:])
