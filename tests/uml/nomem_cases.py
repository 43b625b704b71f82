#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Allocations fail in the middle of batches. See t_nomem.sh."""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.environ["VM_TOP"], "tests/vm"))
import genl  # noqa: E402
import taplib  # noqa: E402
from load import BLOCK, Datagrams, Stream, Until  # noqa: E402
from taplib import ok  # noqa: E402
from wire import Association, Tap, Wire  # noqa: E402

HOME = {"west": ("10.9.0.1", "fd00:9::1"), "east": ("10.9.0.2", "fd00:9::2")}
OTHER = {"west": "east", "east": "west"}
DEBUG = "/sys/kernel/debug/"
families = {}
for ns in HOME:
    with taplib.netns(ns):
        families[ns] = genl.Family()


def put(path, value):
    with open(DEBUG + path, "w") as f:
        f.write(str(value))


def failing(what, percent):
    """Of the allocations that cannot wait, as all in the data path are, so many fail."""
    put(what + "/times", -1)
    put(what + "/verbose", 0)
    put(what + "/interval", 1)
    put(what + "/ignore-gfp-wait", "Y")
    if what == "fail_page_alloc":
        put(what + "/min-order", 0)
    put(what + "/probability", percent)


def counters():
    total = {}
    for ns, family in families.items():
        for reply in family.call("stats-get", dump=True):
            for name, value in reply.get("stats", {}).items():
                total[ns + " " + name] = total.get(ns + " " + name, 0) + value
    return total


def drops():
    return sum(v for k, v in counters().items() if k.endswith("-nomem"))


def bursts():
    for version in (0, 1):
        d = Datagrams("west", "east", HOME["east"][version], 9000 + version)
        for size in (100, 1300):
            try:
                d.burst(BLOCK[:size * 30 + 1], size)
            except OSError:
                pass
        d.close()


def run(what, percent):
    taplib.prefix = "%s, %d %%: " % (what, percent)
    before, zero = counters(), drops()
    tap = Tap("west", "w0", 100)
    pieces = Until(0.05)
    streams = [Stream(src, OTHER[src], HOME[OTHER[src]][version], pieces)
               for src, version in (("west", 0), ("east", 1))]
    # Connected first; then until enough of ours went wrong.
    time.sleep(1)
    failing(what, percent)
    deadline = time.monotonic() + 20
    while drops() < zero + 20 and time.monotonic() < deadline:
        bursts()
        time.sleep(0.1)
    put(what + "/probability", 0)
    pieces.finish()
    ok(all([s.ok() for s in streams]), "streams arrive, every octet")
    seen = Wire(tap, [Association(0x2001, "aes-gcm-256", 0x50),
                      Association(0x3001, "aes-gcm-256", 0xa0)], lossy=True)
    seen.read()
    tap.close()
    seen.judge(100, gaps=True)
    now = counters()
    got = {k: now[k] - before.get(k, 0) for k in now if now[k] != before.get(k, 0)}
    print("# counted: %s" % got)
    ok(got, "memory was refused to us")
    ok(set(k.split()[1] for k in got) <= {"tx-nomem", "rx-nomem"},
       "counted as want of memory, nothing else", got)


run("failslab", 5)
run("failslab", 20)
run("fail_page_alloc", 30)
taplib.prefix = ""
taplib.finish()
