#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Tests of what the commands have in common: lock, jobs, packages, the guest's end."""

import fcntl
import glob
import os
import shutil
import signal
import unittest

import testbed
from testbed import read, until, write

COMMAND = """#!/bin/sh
. "${0%/*}/lib.sh"
begin "${0##*/}"
"""
# A kernel for boot: takes what it is told, and goes on as $KERNEL says.
KERNEL = """#!/bin/sh
for argument; do
	case $argument in BOOT_DIR=*) dir=${argument#*=} ;; esac
done
echo $$ >"$dir/pid"
eval "$KERNEL"
"""


def alive(pid):
    """Whether a process is there, and not just not waited for."""
    state = read(f"/proc/{pid}/stat").rpartition(")")[2].split()
    return bool(state) and state[0] != "Z"


class LockTest(testbed.Testbed):
    """One command at a time."""

    def setUp(self):
        super().setUp()
        self.top = self.checkout()
        self.file = os.path.join(self.top, "build", ".lock")

    def command(self, name, text):
        """Add a command to the checkout."""
        write(os.path.join(self.top, "scripts", name), COMMAND + text, 0o755)
        return os.path.join("scripts", name)

    def waits(self, output):
        """Whether a command comes to say that it waits."""
        return until(lambda: "waiting for another command" in read(output))

    def test_every_command_waits(self):
        lock = self.lock(self.file)
        os.write(lock, b"other\n")
        self.program("dpkg-query", "#!/bin/sh\necho install ok installed\n")
        self.program("kernel", "#!/bin/sh\n")
        before = sorted(os.listdir(os.path.join(self.top, "build")))
        for name in testbed.commands():
            if name == "overlay":
                continue
            with self.subTest(command=name):
                arguments = ["plain", "true"] if name in ("boot", "kernel") else []
                process, output = self.start(
                    self.top, os.path.join("scripts", name), *arguments)
                self.assertTrue(self.waits(output), read(output))
                process.kill()
                process.wait()
                self.assertIn("boot: " if name == "boot" else "other", read(output))
        os.rmdir(os.path.join(self.top, "build", "boot", "true"))
        os.rmdir(os.path.join(self.top, "build", "boot"))
        self.assertEqual(before, sorted(os.listdir(os.path.join(self.top, "build"))))

    def test_one_after_the_other(self):
        text = 'echo begin >>"$NOTES"\nsleep 0.5\necho end >>"$NOTES"\nfinish\n'
        running = [self.start(self.top, self.command(name, text))[0]
                   for name in ("one", "two", "three")]
        for process in running:
            self.assertEqual(process.wait(testbed.PATIENCE), 0)
        self.assertEqual(read(self.notes), "begin\nend\n" * 3)

    def test_a_part_does_not_wait(self):
        self.command("part", 'echo part >>"$NOTES"\n')
        done, noted = self.run_command(
            self.top, self.command("whole", '"$SCRIPTS/part"\n'))
        self.assertEqual((done.stdout, noted), ("", "part\n"))

    def test_what_a_killed_command_has_started(self):
        text = """step wait sh -c 'echo $$ >"$NOTES"; exec sleep 1000'\n"""
        process, _ = self.start(self.top, self.command("one", text))
        self.assertTrue(until(lambda: read(self.notes).endswith("\n")))
        sleeper = int(read(self.notes))
        process.kill()
        process.wait()
        second, output = self.start(self.top, self.command("two", "finish\n"))
        self.assertTrue(self.waits(output))
        os.kill(sleeper, signal.SIGKILL)
        self.assertEqual(second.wait(testbed.PATIENCE), 0)

    def test_lock_that_was_removed(self):
        first = self.lock(self.file)
        process, output = self.start(self.top, self.command("one", "finish\n"))
        self.assertTrue(self.waits(output))
        # As by make clean, after which another command is faster.
        os.unlink(self.file)
        second = self.lock(self.file)
        fcntl.flock(first, fcntl.LOCK_UN)
        self.assertTrue(until(lambda: read(output).count("waiting") == 2),
                        read(output))
        self.assertIsNone(process.poll())
        fcntl.flock(second, fcntl.LOCK_UN)
        self.assertEqual(process.wait(testbed.PATIENCE), 0)

    def test_clean_waits(self):
        self.lock(self.file)
        _, output = self.start(self.top, "make", "clean")
        self.assertTrue(self.waits(output))
        self.assertTrue(os.path.exists(self.file))


class BootTest(testbed.Testbed):
    """How a guest ends, with a program in the kernel's place."""

    def setUp(self):
        super().setUp()
        self.out = os.path.join(self.place, "out")
        self.kernel = os.path.join(self.place, "kernel")
        write(self.kernel, KERNEL, 0o755)

    def boot(self, kernel, *options):
        """Begin to boot. (the process, the file that it writes to)"""
        return self.start(self.place, os.path.join(testbed.SCRIPTS, "boot"),
                          "-o", self.out, *options, self.kernel, "true",
                          KERNEL=kernel, DMABUF_LOG="/dev/null")

    def guest(self):
        """The guest's process, once it is there."""
        path = os.path.join(self.out, "pid")
        self.assertTrue(until(lambda: read(path).endswith("\n")))
        return int(read(path))

    def status(self, kernel, *options):
        """Boot to the end. The exit status."""
        return self.boot(kernel, *options)[0].wait(testbed.PATIENCE)

    def test_status(self):
        leave = 'echo %d >"$dir/status"'
        splat = "echo 'BUG: scheduling while atomic: x'; "
        for kernel, options, status in (
                (leave % 0, (), 0), (leave % 3, (), 3),
                (splat + leave % 0, (), 125), (splat + leave % 3, (), 125),
                (splat + leave % 3, ("-n",), 3),
                (leave % 0, ("-l",), 125),
                ("exit 1", (), 126), (splat + "exit 1", (), 126),
                ("exec sleep 1000", ("-t", "1"), 124),
                (splat + "exec sleep 1000", ("-t", "1"), 124)):
            with self.subTest(kernel=kernel, options=options):
                self.assertEqual(self.status(kernel, *options), status)

    def test_devices(self):
        self.program("qemu-system-x86_64", testbed.NOTE + "echo 0 >status\n")
        self.assertEqual(self.status("", "-c", "1"), 0)
        self.assertNotIn("monitor", read(self.notes))
        self.assertEqual(self.status("", "-c", "1", "-d", "a,id=b", "-d", "c"), 0)
        called = read(self.notes).splitlines()[1]
        self.assertIn(" <-display> <none> ", called)
        self.assertIn(" <-device> <a,id=b> <-device> <c> ", called)
        ports = [port.split("<")[1] for port in called.split(" <-serial> ")[1:]]
        self.assertEqual(len(ports), 3)
        self.assertEqual(ports[2], "unix:monitor> ")
        self.assertEqual(self.status("", "-c", "1", "-d", "a-gl-b"), 0)
        self.assertIn(" <-display> <sdl,gl=on> ", read(self.notes).splitlines()[2])

    def test_signal_stops_the_guest(self):
        for number in signal.SIGTERM, signal.SIGINT, signal.SIGHUP:
            with self.subTest(signal=number):
                # A shell lets its jobs in the background ignore SIGINT.
                self.addCleanup(signal.signal, number,
                                signal.signal(number, signal.SIG_DFL))
                shutil.rmtree(self.out, ignore_errors=True)
                process, _ = self.boot("trap '' TERM; while :; do sleep 0.1; done")
                guest = self.guest()
                process.send_signal(number)
                self.assertEqual(process.wait(testbed.PATIENCE), 128 + number)
                self.assertFalse(alive(guest))

    def test_death_stops_the_guest(self):
        process, _ = self.boot("exec sleep 1000")
        guest = self.guest()
        process.kill()
        self.assertTrue(until(lambda: not alive(guest)))

    def test_two_that_write_to_the_same_place(self):
        first, _ = self.boot("exec sleep 1000")
        guest = self.guest()
        second, output = self.boot('echo 0 >"$dir/status"')
        self.assertTrue(until(lambda: "waiting for another guest" in read(output)))
        self.assertTrue(alive(guest))
        first.terminate()
        self.assertEqual(second.wait(testbed.PATIENCE), 0)


class JobsTest(testbed.Testbed):
    """How many compilers."""

    def jobs(self, processors=64, **files):
        """What is found in a machine of some processors with some files."""
        self.program("nproc", f"#!/bin/sh\necho {processors}\n")
        root = os.path.join(self.place, "root")
        shutil.rmtree(root, ignore_errors=True)
        for path, text in files.items():
            write(os.path.join(root, path.replace("__", "/")), text + "\n")
        done, _ = self.run_command(self.place, os.path.join(testbed.SCRIPTS, "jobs"),
                                   root)
        return done.stdout.strip()

    def group(self, **files):
        """The same in a group of processes."""
        place = "sys/fs/cgroup/"
        return self.jobs(**{"proc/self/cgroup": "0::/a.slice/b"},
                         **{place + path: text for path, text in files.items()})

    def test_processors(self):
        self.assertEqual(self.jobs(), "64")
        self.assertEqual(self.jobs(processors=1), "1")

    def test_memory(self):
        for kilobytes, jobs in ((8 << 20, "8"), (1 << 19, "1"), (1 << 30, "64")):
            self.assertEqual(self.jobs(**{
                "proc/meminfo": f"MemTotal: 1 kB\nMemAvailable: {kilobytes} kB"}), jobs)

    def test_quota(self):
        for quota, jobs in (("200000 100000", "2"), ("50000 100000", "1"),
                            ("250000 100000", "3"), ("max 100000", "64")):
            self.assertEqual(self.group(**{"a.slice/b/cpu.max": quota}), jobs)
            self.assertEqual(self.group(**{"a.slice/cpu.max": quota}), jobs)
            # A container.
            self.assertEqual(self.group(**{"cpu.max": quota}), jobs)

    def test_memory_limit(self):
        for limit, jobs in (str(4 << 30), "4"), ("max", "64"), ("1000", "1"):
            self.assertEqual(self.group(**{"a.slice/b/memory.max": limit}), jobs)

    def test_old_groups(self):
        for quota, jobs in ("300000", "3"), ("-1", "64"):
            self.assertEqual(self.group(**{
                "cpu/cpu.cfs_quota_us": quota, "cpu/cpu.cfs_period_us": "100000"}),
                jobs)
        for limit, jobs in (str(2 << 30), "2"), ("9223372036854771712", "64"):
            self.assertEqual(
                self.group(**{"memory/memory.limit_in_bytes": limit}), jobs)

    def test_user_decides(self):
        top = self.checkout()
        write(os.path.join(top, "scripts/x"), COMMAND + 'echo "$JOBS"\n', 0o755)
        self.assertEqual(self.run_command(top, "scripts/x", JOBS="17")[0].stdout,
                         "17\n")
        for wrong in "0", "-1", "two", "2 3":
            done, _ = self.run_command(top, "scripts/x", JOBS=wrong)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn("JOBS", done.stdout)


class PackagesTest(testbed.Testbed):
    """Other machines than the one at hand."""

    def setUp(self):
        super().setUp()
        self.installed = os.path.join(self.place, "installed")
        self.program("dpkg-query", '#!/bin/sh\n[ ! -e "$INSTALLED" ] ||\n'
                     "echo install ok installed\n")
        self.program("id", "#!/bin/sh\necho 1000\n")
        self.program("sudo", '#!/bin/sh\nshift\nexec env -u http_proxy "$@"\n')
        self.apt("", ': >"$INSTALLED"')

    def apt(self, update, install):
        """What apt-get does."""
        self.program("apt-get", testbed.NOTE + 'echo "proxy $http_proxy" >>"$NOTES"\n'
                     f"case $* in *update*) : ; {update} ;; *) {install} ;; esac\n")

    def packages(self, **env):
        """Ask for some."""
        return self.run_command(self.place, os.path.join(testbed.SCRIPTS, "packages"),
                                "tree", INSTALLED=self.installed, **env)

    def test_installs(self):
        done, noted = self.packages()
        self.assertEqual(done.returncode, 0)
        lines = [line for line in noted.splitlines() if line.startswith("apt-get")]
        self.assertEqual(len(lines), 2)
        for line in lines:
            self.assertIn("<DPkg::Lock::Timeout=300>", line)
        self.assertIn("<linux-source-6.12>", lines[1])
        self.assertEqual(self.packages()[1], "")

    def test_proxy(self):
        _, noted = self.packages(http_proxy="http://a b:1/")
        self.assertEqual(noted.count("proxy http://a b:1/\n"), 2)

    def test_a_source_that_does_not_answer(self):
        self.apt("exit 100", ': >"$INSTALLED"')
        self.assertEqual(self.packages()[0].returncode, 0)

    def test_no_such_package(self):
        self.apt("", "exit 100")
        done, _ = self.packages()
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("KDIR=", done.stdout)
        # A tree of the user's own makes that one unnecessary.
        done, noted = self.packages(KDIR="/")
        self.assertNotIn("linux-source", done.stdout + noted)

    def test_no_sudo(self):
        self.program("sudo", "#!/bin/sh\nexit 1\n")
        done, noted = self.packages()
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("sudo sh -c 'apt-get", done.stdout)
        self.assertIn("KDIR=", done.stdout)
        self.assertEqual(noted, "")

    def test_another_distribution(self):
        names = os.path.join(self.place, "names")
        os.mkdir(names)
        for directory in ("/bin", "/usr/bin"):
            for name in os.listdir(directory):
                link = os.path.join(names, name)
                if name not in ("dpkg-query", "apt-get") and \
                   not os.path.lexists(link):
                    os.symlink(os.path.join(directory, name), link)
        top = self.checkout()
        done, _ = self.run_command(top, "scripts/tree", PATH=names)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("KDIR=", done.stdout)

    def test_another_machine(self):
        self.program("uname", "#!/bin/sh\necho aarch64\n")
        top = self.checkout()
        for name in "test", "kunit", "demo", "smp":
            with self.subTest(command=name):
                done, noted = self.run_command(top, os.path.join("scripts", name))
                self.assertNotEqual(done.returncode, 0)
                self.assertIn("x86-64", done.stdout)
                self.assertEqual(noted, "")


PART = """#!/bin/sh
echo "begin ${0##*/}" >>"$NOTES"
figures() { mkdir -p "$BUILD/result" && echo "$*" >"$BUILD/result/${0##*/}"; }
%s
echo "end ${0##*/}" >>"$NOTES"
%s
"""


class PartsTest(testbed.Testbed):
    """Commands that are made of others."""

    def setUp(self):
        super().setUp()
        self.top = self.checkout()
        for path in glob.glob(os.path.join(self.top, "scripts/*_test.py")):
            os.unlink(path)
        write(os.path.join(self.top, "scripts/own_test.py"), "#!/bin/sh\n", 0o755)
        for name in "tree", "kernel", "user-tests", "packages":
            write(os.path.join(self.top, "scripts", name), "#!/bin/sh\n", 0o755)
        self.parts()

    def part(self, name, work="figures 5 0 1", end=""):
        """Have a part do something."""
        write(os.path.join(self.top, "scripts", name), PART % (work, end), 0o755)

    def parts(self):
        """All is well."""
        for name in "kunit", "kselftest", "peers", "smp", "check":
            self.part(name)

    def run_test(self, *command, **env):
        """Run make test. (the status, the last line, what the parts noted)"""
        done, noted = self.run_command(
            self.top, *(command or ("scripts/test",)), **dict({"JOBS": "2"}, **env))
        return done.returncode, done.stdout.splitlines()[-1], noted

    def test_figures_are_added(self):
        write(os.path.join(self.top, "build/result/smp"), "100 0 0\n")
        self.assertEqual(self.run_test()[:2], (0, "15 passed, 0 failed, 3 skipped"))

    def test_failures(self):
        for work, end, line in (
                ("figures 5 2 1", "exit 1", "15 passed, 2 failed, 3 skipped"),
                ("figures 5 2 1", "", "15 passed, 2 failed, 3 skipped"),
                ("figures 5 0 1", "exit 1", "10 passed, 1 failed, 2 skipped"),
                ("figures", "", "10 passed, 1 failed, 2 skipped"),
                ("", "exit 1", "10 passed, 1 failed, 2 skipped")):
            for name in "kunit", "kselftest", "peers":
                with self.subTest(part=name, work=work, end=end):
                    self.parts()
                    self.part(name, work, end)
                    status, last, noted = self.run_test()
                    self.assertEqual((status, last), (1, line))
                    self.assertEqual(noted.count("begin"), 3)

    def test_what_cannot_be_built(self):
        # Results of an earlier run do not count.
        self.assertEqual(self.run_test()[0], 0)
        write(os.path.join(self.top, "scripts/kernel"), "#!/bin/sh\nexit 1\n", 0o755)
        self.assertEqual(self.run_test()[:2], (1, "5 passed, 2 failed, 1 skipped"))

    def test_tests_of_scripts_come_first(self):
        write(os.path.join(self.top, "scripts/own_test.py"),
              "#!/bin/sh\nexit 1\n", 0o755)
        status, _, noted = self.run_test()
        self.assertEqual((status, noted), (1, ""))

    def test_side_by_side(self):
        for name, other in ("kselftest", "peers"), ("peers", "kselftest"):
            self.part(name, f'until grep -q "begin {other}" "$NOTES"; do\n'
                      "sleep 0.1; done; figures 5 0 1")
        self.assertEqual(self.run_test()[0], 0)

    def test_one_processor(self):
        _, _, noted = self.run_test(JOBS="1")
        self.assertEqual(noted, "".join(f"begin {name}\nend {name}\n" for name in
                                        ("kunit", "kselftest", "peers")))

    def test_interruption_ends_both(self):
        self.part("kselftest", 'until grep -q pid "$NOTES"; do sleep 0.1; done\n'
                  "echo ready >>\"$NOTES\"; sleep 1000")
        self.part("peers", 'echo "pid $$" >>"$NOTES"; sleep 1000')
        process, _ = self.start(self.top, "setsid", "scripts/test", JOBS="2")
        self.assertTrue(until(lambda: "ready" in read(self.notes)))
        peers = read(self.notes).partition("pid ")[2].split()[0]
        self.assertTrue(alive(peers))
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(testbed.PATIENCE)
        self.assertTrue(until(lambda: not alive(peers)))

    def test_nightly_goes_on(self):
        self.part("check", "", "exit 1")
        status, last, noted = self.run_test("scripts/nightly",
                                            PARTS="check smp")
        self.assertEqual((status, last), (1, "5 passed, 1 failed, 1 skipped"))
        self.assertEqual(noted.count("begin"), 2)
        self.part("check", "")
        self.assertEqual(self.run_test("scripts/nightly", PARTS="check smp")[:2],
                         (0, "6 passed, 0 failed, 1 skipped"))

    def test_nightly_runs_all(self):
        names = ["quick", "check", "docs", "patch", "kunit", "kselftest", "peers",
                 "leaks", "lockdep", "smp", "random", "kcsan", "bpf", "arm64", "bits",
                 "coverage", "demo", "clients", "drivers", "unload", "package-test",
                 "consumers"]
        log = 'mkdir -p "$BUILD/cases"; echo %s s/c >"$BUILD/cases/${0##*/}"'
        for name in names:
            self.part(name, log % "skipped")
        self.part("bench", 'mkdir -p "$BUILD/bench"\n'
                  'echo 1 >"$BUILD/bench/instructions.csv"', "exit 1")
        status, _, noted = self.run_test("scripts/nightly")
        self.assertEqual(status, 1)
        begun = [line.split()[1] for line in noted.splitlines() if "begin" in line]
        self.assertLessEqual(set(names) - {"quick"}, set(begun))
        self.assertEqual(begun.count("kunit"), 2)
        self.assertEqual(begun.count("random"), 2)
        self.part("arm64", log % "passed")
        status, last, _ = self.run_test("scripts/nightly")
        self.assertEqual((status, last.split(", ")[1]), (0, "0 failed"), last)

    def test_ci(self):
        program = read(os.path.join(testbed.TOP, ".ci/run"))
        for bad in "test", "smp", None:
            self.part("test", "", "exit 1" if bad == "test" else "")
            self.part("smp", "", "exit 1" if bad == "smp" else "")
            write(os.path.join(self.top, ".ci/run"), program, 0o755)
            done, noted = self.run_command(self.top, ".ci/run")
            with self.subTest(bad=bad):
                self.assertEqual(done.returncode, 1 if bad else 0)
                self.assertEqual(noted.count("begin"), 2)


class ProgramsTest(testbed.Testbed):
    """Which of the kselftests are run."""

    def setUp(self):
        super().setUp()
        self.top = self.checkout()
        self.programs = os.path.join(self.top, "build/kselftest/dma-buf")
        write(os.path.join(self.top, "build/tree/tools/testing/selftests/dma-buf/Makefile"),
              "emit_tests:\n\t@for test in sync sync_file; do"
              " echo $(COLLECTION):$$test; done\n")
        for name in "kernel", "user-tests", "packages":
            write(os.path.join(self.top, "scripts", name), "#!/bin/sh\n", 0o755)
        # The guest runs nothing, but notes what it should.
        write(os.path.join(self.top, "scripts/boot"), testbed.NOTE, 0o755)
        for name in "sync", "sync_file", "dropped":
            write(os.path.join(self.programs, name), "", 0o755)

    def run_programs(self, **env):
        """Names of the programs that are run."""
        _, noted = self.run_command(self.top, "scripts/kselftest", **env)
        return [os.path.basename(word.rstrip(">\n")) for word in noted.split(" <")
                if word.startswith(self.programs)]

    def test_no_program_of_another_time(self):
        self.assertEqual(self.run_programs(), ["sync", "sync_file"])

    def test_choice(self):
        self.assertEqual(self.run_programs(TEST="sync"), ["sync"])
        self.assertEqual(self.run_programs(TEST="*_file"), ["sync_file"])
        done, noted = self.run_command(self.top, "scripts/kselftest", TEST="dropped")
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual(noted, "")


class TreeTest(testbed.Testbed):
    """A tree of the user's own."""

    def test_repository_is_not_copied(self):
        top = self.checkout()
        write(os.path.join(top, "scripts/overlay"), "#!/bin/sh\n", 0o755)
        self.program("dpkg-query", "#!/bin/sh\necho install ok installed\n")
        self.program("git", "#!/bin/sh\necho 0123\n")
        user = os.path.join(self.place, "user tree")
        write(os.path.join(user, ".git/objects/x"), "")
        write(os.path.join(user, "Makefile"), "VERSION = 6\n")
        write(os.path.join(user, ".gitignore"), "")
        write(os.path.join(user, "mm/x.c"), "")
        for link in True, False:
            with self.subTest(link=link):
                if not link:
                    self.program("cp", '#!/bin/sh\ncase $1 in *l*) exit 1 ;; esac\n'
                                 'exec /bin/cp "$@"\n')
                done, _ = self.run_command(top, "scripts/tree", KDIR=user)
                self.assertEqual(done.returncode, 0, done.stdout)
                tree = os.path.join(top, "build/tree")
                self.assertEqual(sorted(os.listdir(tree)),
                                 [".gitignore", "Makefile", "mm"])
                self.assertTrue(os.path.exists(os.path.join(tree, "mm/x.c")))
                write(os.path.join(user, "Makefile"), "VERSION = 7\n")


if __name__ == "__main__":
    unittest.main()
