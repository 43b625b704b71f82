# SPDX-License-Identifier: GPL-2.0-or-later
"""in_memory.py TEXT < PIDS: the names of those processes whose memory holds it."""

import re
import sys


def pieces(pid):
    """All that the process can read."""
    with open(f'/proc/{pid}/maps') as maps, open(f'/proc/{pid}/mem', 'rb', 0) as mem:
        for line in maps:
            start, end, rights = re.match(r'([0-9a-f]+)-([0-9a-f]+) (....)', line).groups()
            if rights[0] == 'r' and '[v' not in line:
                mem.seek(int(start, 16))
                yield mem.read(int(end, 16) - int(start, 16))


for number in sys.stdin.read().split():
    if any(sys.argv[1].encode() in piece for piece in pieces(number)):
        with open(f'/proc/{number}/comm') as name:
            print(name.read().strip())
