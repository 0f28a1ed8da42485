#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Become weston, with a child that opens devices for it.

launcher.py WESTON [ARGUMENT...]

The DRM backend of weston does not open devices. It asks logind, or whoever has the other
end of the socket that WESTON_LAUNCHER_SOCK names. That is weston-launch, which wants a
terminal and Debian does not have, or this: the same protocol for a guest without both.
"""

import os
import socket
import struct
import sys

OPEN, OPEN_REPLY = 0, 3


def answer(request):
    """(reply, descriptors) to one message of the compositor."""
    opcode, flags = struct.unpack_from("=ii", request)
    path = request[struct.calcsize("=ii"):].rstrip(b"\0")
    try:
        if opcode != OPEN:
            raise OSError
        return struct.pack("=ii", OPEN_REPLY, 0), [os.open(path, flags)]
    except OSError:
        return struct.pack("=ii", OPEN_REPLY, -1), []


def serve(compositor):
    """Open what the compositor asks for, until it has gone."""
    while request := compositor.recv(4096):
        reply, descriptors = answer(request)
        socket.send_fds(compositor, [reply], descriptors)
        for descriptor in descriptors:
            os.close(descriptor)


def main(arguments):
    """Be the compositor; a child serves it."""
    if not arguments:
        sys.exit(__doc__)
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    if not os.fork():
        far.close()
        serve(near)
        os._exit(0)
    os.set_inheritable(far.fileno(), True)
    os.environ["WESTON_LAUNCHER_SOCK"] = str(far.fileno())
    os.execvp(arguments[0], arguments)


if __name__ == "__main__":
    main(sys.argv[1:])
