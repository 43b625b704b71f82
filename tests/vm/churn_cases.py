#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""churn_cases.py SECONDS: SAs are replaced as fast as can be while one CPU sends
super-packets both ways. The old ones go at once, with packets in the middle of them
and batches queued for the other CPU. See t_churn.sh."""
import os
import socket
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import genl  # noqa: E402
import taplib  # noqa: E402
from espwire import key  # noqa: E402
from load import Child, Until, sock  # noqa: E402
from taplib import ok  # noqa: E402

INNER = {"west": "10.9.0.1", "east": "10.9.0.2"}
OTHER = {"west": "east", "east": "west"}
ALGORITHMS = (("aes-gcm-256", 20), ("chacha20-poly1305", 28))
SIZE, EACH, PORT, UDP_SEGMENT = 1300, 40, 7000, 103
families = {}
for ns in INNER:
    with taplib.netns(ns):
        families[ns] = genl.Family(), genl.ifindex("vpn0")


def sa(ns, direction, number):
    receiver = ns if direction == "in" else OTHER[ns]
    named = {"spi": {"west": 0x20000000, "east": 0x30000000}[receiver] + number, "dir": direction}
    return dict(named, peer=1) if direction == "out" else named


def call(op, ns, **values):
    family, link = families[ns]
    family.call(op, {"ifindex": link, "sa": values})


def replace(number):
    alg, encr = ALGORITHMS[number % len(ALGORITHMS)]
    for direction in ("in", "out"):
        for ns in INNER:
            receiver = ns if direction == "in" else OTHER[ns]
            call("sa-new", ns, **dict(sa(ns, direction, number), peer=1, encr=encr, **{
                "encr-key": key(alg, (number + (receiver == "west") * 128) & 255)}))
    for ns in INNER:
        for direction in ("in", "out") if number > 1 else ():
            call("sa-del", ns, **sa(ns, direction, number - 1))


def send(source, until):
    source.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, SIZE)
    for _ in until:
        source.send(bytes(SIZE * EACH))


def inbound(ns):
    return sum(r["peer"]["rx-packets"] for r in families[ns][0].call("peer-get", dump=True))


until, senders, sinks = Until(0), [], []
replace(1)
for ns in INNER:
    # Nobody reads, but neither is anybody told that there is no port.
    sinks.append(sock(ns, socket.SOCK_DGRAM))
    sinks[-1].bind((INNER[ns], PORT))
for ns in INNER:
    source = sock(ns, socket.SOCK_DGRAM)
    source.connect((INNER[OTHER[ns]], PORT))
    senders.append(Child(send, source, until, cpu=0))
os.sched_setaffinity(0, {os.cpu_count() - 1})
end, turns = time.monotonic() + int(sys.argv[1]), 1
while time.monotonic() < end or turns <= 20:
    turns += 1
    replace(turns)
before = {ns: inbound(ns) for ns in INNER}
print("# %d times; received: %s" % (turns, before))
ok(taplib.wait_for(20, lambda: all(inbound(ns) > before[ns] for ns in INNER)),
   "the last ones carry packets")
until.finish()
ok([s.result() for s in senders] == [None, None], "the senders ended well")
taplib.finish()
