#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What a bad network does to a tunnel, packet by packet as observed behind the
bad network. See t_netem.sh."""
import os
import struct
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import genl  # noqa: E402
import taplib  # noqa: E402
from load import Stream  # noqa: E402
from taplib import equal, ok  # noqa: E402
from wire import Tap  # noqa: E402

HOME = {"west": ("10.9.0.1", "fd00:9::1"), "east": ("10.9.0.2", "fd00:9::2")}
families = {}
for ns in HOME:
    with taplib.netns(ns):
        families[ns] = genl.Family()


def counters(ns):
    return genl.counters(families[ns])


def numbers(tap):
    """Sequence numbers of the packets leaving, in order, by SPI."""
    seen = {}
    for leaving, _, frame in tap.frames():
        if leaving and frame[12:14] == b"\x08\0" and frame[23] == 17 and len(frame) > 64:
            spi, seq = struct.unpack_from("!LL", frame, 42)
            seen.setdefault(spi, []).append(seq)
            assert len(frame) <= 1514, "a super-packet behind netem"
    tap.close()
    return seen


def repeated(seqs):
    return len(seqs) - len(set(seqs))


def late(seqs, window):
    """How many came after one that is `window` ahead?"""
    top = count = 0
    for seq in seqs:
        count += seq + window <= top
        top = max(top, seq)
    return count


def disorder(seqs):
    return sum(seqs[i] < seqs[i - 1] for i in range(1, len(seqs)))


def run(gro):
    taplib.prefix = "gro %s: " % gro
    for ns, dev in (("west", "w0"), ("east", "e0")):
        os.system("ip netns exec %s ethtool -K %s gro %s" % (ns, dev, gro))
    before = {ns: counters(ns) for ns in HOME}
    taps = {"east": Tap("r", "re"), "west": Tap("r", "rw")}
    streams = [Stream("west", "east", HOME["east"][0], 1500000, cpu=0),
               Stream("east", "west", HOME["west"][1], 1500000, cpu=1)]
    ok(all([s.ok() for s in streams]), "TCP arrives both ways, every octet")
    for ns, tap in taps.items():
        seen = numbers(tap)
        equal(len(seen), 1, "one SA to the %s" % ns)
        seqs = list(seen.values())[0]
        twice = repeated(seqs)
        ok(disorder(seqs) > 5 and twice > 0, "the network to the %s was bad" % ns)
        print("# to the %s: %d packets, %d missing, %d twice, %d out of order, %d a window late" % (
            ns, len(seqs), max(seqs) - min(seqs) + 1 - len(set(seqs)), twice, disorder(seqs),
            late(seqs, 1024)))

        def moved():
            now = counters(ns)
            return {k: now[k] - before[ns][k] for k in now if now[k] != before[ns][k]}

        # What is still held back by the network comes.
        taplib.wait_for(2, lambda: moved().get("rx-replay", 0) >= twice)
        equal(moved(), {"rx-replay": twice} if twice else {},
              "in the %s, what came twice is dropped once, nothing else" % ns)


run("off")
run("on")
taplib.prefix = ""
taplib.finish()
