# SPDX-License-Identifier: GPL-2.0
"""Where programs may work: in no place whose name would be taken apart."""

import re
import sys

# Characters that make, a command line of a kernel, mount or QEMU takes for more than
# a part of a name; as in lib.sh.
SPECIAL = re.compile(r"""[\s\x00-\x1f\x7f:,"'`$#%&;|<>(){}*?\[\]\\!]""")


def check(program, what, path):
    """Leave with one line unless the name of a directory can be handed on."""
    if SPECIAL.search(path):
        sys.exit(f"{program}: the name of the {what} has a character that no "
                 f"kernel can be built or booted with: {path}")
