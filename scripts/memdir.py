#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Say where a UML guest can keep its memory: memdir.py SIZE FALLBACK

The guest's memory is a file, unlinked at once, that must be executable and
hold all of it. A tmpfs is best, but the /dev/shm of a container often is too
small or not executable; the fallback is an ordinary directory.
"""

import os
import sys

SHM = "/dev/shm"
UNITS = {"K": 10, "M": 20, "G": 30}


def memory_dir(size, fallback):
    """Choose a directory for a guest with SIZE (as in 512M) of memory.

    UML adds the gap between its text and its heap, several hundred MiB.
    """
    need = int(size.rstrip("KMGkmg")) << UNITS.get(size[-1].upper(), 0)
    need += 1 << UNITS["G"]
    try:
        shm = os.statvfs(SHM)
    except OSError:
        return fallback
    if shm.f_flag & os.ST_NOEXEC or shm.f_bavail * shm.f_frsize < need:
        return fallback
    return SHM if os.access(SHM, os.W_OK) else fallback


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    print(memory_dir(sys.argv[1], sys.argv[2]))
