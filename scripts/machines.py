# SPDX-License-Identifier: GPL-2.0
"""The machines that scripts/boot can run a kernel on.

Each tells the command line that starts a guest. In it the kernel's log goes to
the standard output, what the program prints to the descriptor tty. The guest's
root is that of the machine at hand, read-only; BOOT_DIR is writable.
"""

import os

HERE = os.path.dirname(os.path.realpath(__file__))


def kernel_args(args, out, tty):
    """What any kernel is told; tty is the guest's name of the terminal."""
    return ["ro", "loglevel=8", "oops=panic",
            # Tests that are built in run only if asked for.
            "kunit.enable=0", "dmabuf_selftests.st_filter=none",
            f"init={HERE}/guest-init", f"BOOT_DIR={out}",
            f"BOOT_TTY={tty}"] + args.kernel_arg


def uml(args, out, tty):
    """User Mode Linux: the kernel is a program."""
    return [os.path.abspath(args.kernel), f"mem={args.memory}",
            "root=/dev/root", "rootfstype=hostfs", "console=tty0",
            "con=null", "con0=null,fd:1", "ssl=null", f"ssl0=null,fd:{tty}",
            "uml_dir=uml/", "umid=guest"] + kernel_args(args, out, "ttyS0")


def share(path, tag, readonly):
    """Options of QEMU for a directory that the guest can mount by its tag."""
    return ["-virtfs", f"local,path={path},mount_tag={tag},"
            "security_model=none,multidevs=remap"
            + (",readonly=on" if readonly else "")]


def devices(args):
    """Options of QEMU for devices that were asked for. The guest can ask the monitor, at
    its third serial port, for what the devices show: QEMU connects to itself."""
    if not args.device:
        return []
    found = ["-chardev", "socket,id=monitor,path=monitor,server=on,wait=off",
             "-mon", "chardev=monitor", "-serial", "unix:monitor"]
    for device in args.device:
        found += ["-device", device]
    return found


def display(args):
    """Options of QEMU for a window. Only a device that draws by OpenGL needs one, of an X
    server that the caller has."""
    drawn = any("-gl" in device.partition(",")[0] for device in args.device)
    return ["-display", "sdl,gl=on" if drawn else "none"]


def qemu(args, out, tty):
    """An emulated PC, with several CPUs, or with a clock of instructions."""
    kernel = ["root=boot_root", "rootfstype=9p",
              "rootflags=trans=virtio,version=9p2000.L,cache=loose",
              "console=ttyS0", "panic=-1",
              # On a busy machine the timer seems not to work in the moment of the check.
              "no_timer_check"] + kernel_args(args, out, "ttyS1")
    # While the kernel looks at its CPU it forgets for a moment that there are five
    # levels of page tables. KASAN takes an interrupt then for a wild access.
    accel = (["-cpu", "max", "-accel", "tcg,thread=single",
              "-icount", "shift=0,sleep=off"] if args.icount else
             ["-cpu", "max,la57=off", "-accel", "tcg,thread=multi"])
    return (["qemu-system-x86_64", "-machine", "q35", "-smp", str(args.cpus),
             "-m", args.memory, "-nodefaults", "-no-user-config",
             "-no-reboot",
             "-serial", "stdio", "-serial", f"file:/dev/fd/{tty}"]
            + display(args) + devices(args) + accel
            + share("/", "boot_root", True) + share(out, "boot_dir", False)
            + ["-kernel", os.path.abspath(args.kernel),
               "-append", " ".join(kernel)])


def command_line(args, out, tty):
    """Compose the command for the machine that was asked for."""
    machine = qemu if args.cpus or args.icount else uml
    return machine(args, out, tty)
