#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Allocations fail in the middle of batches. See t_nomem.sh."""
import os
import socket
import struct
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.environ["VM_TOP"], "tests/vm"))
import genl  # noqa: E402
import taplib  # noqa: E402
from load import BLOCK, Datagrams, Stream, Until  # noqa: E402
from taplib import equal, ok  # noqa: E402
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


def spis(tap):
    """Of the ESP packets that left: outer IP has no options."""
    for leaves, _, frame in tap.frames():
        if leaves and frame[23] == socket.IPPROTO_UDP and len(frame) > 46:
            yield struct.unpack_from("!L", frame, 42)[0]


def refused_sas(percent):
    """An outbound SA that was refused for want of memory has sent nothing: its key may be
    used again from number 1 on, which is the IV."""
    taplib.prefix = "failslab, %d %%: " % percent
    with taplib.netns("west"):
        link = genl.ifindex("vpn0")
    # The first selector is there long before the last one.
    selectors = [{"address": "10.9.0.2", "prefix-len": 32}]
    selectors += [{"address": "10.%d.%d.0" % (20 + i // 200, i % 200), "prefix-len": 24}
                  for i in range(255)]
    tap = Tap("west", "w0", 100)
    d = Datagrams("west", "east", HOME["east"][0], 9000)
    stop = threading.Event()

    def flood():
        while not stop.is_set():
            try:
                d.one(b"x")
            except OSError:
                pass
    sender = threading.Thread(target=flood, daemon=True)
    sender.start()
    failing("failslab", percent)
    refused, accepted = set(), set()
    begun = time.monotonic()
    # A kernel that watches itself does little in 20 seconds.
    while len(refused) < 30 and time.monotonic() < begun + (20 if refused else 200):
        spi = 0x5000 + len(refused) + len(accepted)
        sa = {"spi": spi, "dir": "out", "peer": 1}
        try:
            families["west"].call("sa-new", {"ifindex": link, "sa": {
                **sa, "mode": "tunnel", "encr": 20, "encr-key": "%02x" % (spi & 255) * 36,
                "ts-remote": selectors}})
        except genl.NlError:
            refused.add(spi)
            continue
        except OSError:
            # It did not even leave: a request of that length takes memory that may be refused.
            continue
        accepted.add(spi)
        put("failslab/probability", 0)
        families["west"].call("sa-del", {"ifindex": link, "sa": sa})
        put("failslab/probability", percent)
    put("failslab/probability", 0)
    stop.set()
    sender.join()
    d.close()
    seen = set(spis(tap))
    tap.close()
    print("# %d accepted, %d of them seen; %d refused" % (
        len(accepted), len(accepted & seen), len(refused)))
    ok(refused, "SAs were refused")
    equal(sorted(refused & seen), [], "none of them has sent anything")


run("failslab", 5)
run("failslab", 20)
run("fail_page_alloc", 30)
refused_sas(1)
taplib.prefix = ""
taplib.finish()
