#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""UDP on port 4500 that is not esptun's, through and into a host that has it.
See t_foreign.sh."""
import os
import random
import re
import socket
import struct
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import genl  # noqa: E402
import taplib  # noqa: E402
from espwire import ICMP, IP, Raw, Wire  # noqa: E402
from load import Datagrams  # noqa: E402
from taplib import equal, ok  # noqa: E402
from wire import Tap  # noqa: E402

A, R_A, R_B, B = "198.51.100.2", "198.51.100.1", "203.0.113.1", "203.0.113.2"
OURS, OTHERS = 0x2001, 0x7002
dice = random.Random(3948)

with taplib.netns("r"):
    family = genl.Family()


SO_NO_CHECK = 11


def run(ns, *command):
    return subprocess.run(["ip", "netns", "exec", ns, *command], check=True,
                          stdout=subprocess.PIPE, text=True).stdout


def counted(unit, chain):
    """What the first counter of r's nft tables says, in "packets" or "bytes"."""
    return int(re.search(unit + r" (\d+)", run("r", "nft", "list", "table", "ip", chain))[1])


def counters():
    return genl.counters(family)


def esp_like(spi, size):
    """What a batch of ESP packets looks like, all of `size`: 40 of them."""
    return b"".join(struct.pack("!LL", spi, number + 1) + dice.randbytes(size - 8)
                    for number in range(40))


def load(d):
    """Bursts that invite merging; true if each datagram arrives as it was."""
    fine = True
    for spi in (OURS, OTHERS):
        for size in (1400, 52, 33):
            payload = esp_like(spi, size)
            fine &= d.got(d.burst(payload, size))
            fine &= d.got(d.burst(payload[:-5], size))
        # Of several SPIs in turn, of several sizes.
        sent = []
        for number in range(30):
            data = struct.pack("!LL", spi + number % 2, number) + \
                dice.randbytes((1000, 1000, 200, 999)[number % 4])
            sent += d.one(data)
        fine &= d.got(sent)
    # IKE, keepalives, nothing at all.
    fine &= d.got(d.burst(b"\0\0\0\0" + dice.randbytes(500) + b"\0\0\0\0" + dice.randbytes(300),
                          504))
    fine &= d.got([one for data in (b"\xff", b"\xff", b"", b"\0" * 4, b"\xff")
                   for one in d.one(data)])
    return fine


def untouched(name, d, forwards=True):
    before = counters()
    tap = Tap("b", "eth0")
    ok(load(d), name + ": every datagram arrives as it was sent")
    d.close()
    sizes = [len(frame) - 14 for _, _, frame in tap.frames()]
    tap.close()
    if forwards:
        # r's device there cannot segment: what passes is single packets.
        ok(len(sizes) > 500 and max(sizes) <= 1500, name + ": in packets within the MTU",
           "%d, up to %d octets" % (len(sizes), max(sizes or [0])))
    now = counters()
    moved = {k: now[k] - before[k] for k in now if now[k] != before[k]}
    ok(not moved, name + ": esptun counts none of it", moved)


def forwarded():
    untouched("forwarded", Datagrams("a", "b", B, 4500, 4500))


def unsummed():
    """Packets without a UDP checksum; the qdisc lets them go all at once."""
    run("a", "tc", "qdisc", "replace", "dev", "eth0", "root", "netem", "slot", "700ms", "700ms")
    before = counted("packets", "seen")
    d = Datagrams("a", "b", R_A, 4500, 4500, bind=B)
    d.tx.setsockopt(socket.SOL_SOCKET, SO_NO_CHECK, 1)
    sent = [one for number in range(12)
            for one in d.one(struct.pack("!LL", OURS, number + 1) + dice.randbytes(1392))]
    ok(d.got(sent), "translated, without checksums: every datagram arrives as it was sent")
    # In one, or in two if they did not all get there before the qdisc let them go.
    joined = counted("packets", "seen") - before
    ok(0 < joined < 6, "translated, without checksums: joined before", joined)
    d.close()
    run("a", "tc", "qdisc", "del", "dev", "eth0", "root")


def translated(joined):
    """Port forwarding to another host of what comes for our own address."""
    run("r", "nft", "table ip nat { chain pre { type nat hook prerouting priority -100; "
        "ip saddr %s udp dport 4500 dnat to %s; }; }" % (A, B))
    run("r", "nft", "table ip seen { chain on { type filter hook forward priority 0; "
        "udp dport 4500 counter; }; }")
    untouched("translated to another host",
              Datagrams("a", "b", R_A, 4500, 4500, bind=B))
    if joined:
        # GRO cannot know, and joins those with our SPI, 240 of 547.
        ok(counted("packets", "seen") < 500, "translated to another host: joined before",
           counted("packets", "seen"))
        unsummed()
    run("r", "nft", "delete table ip seen")
    run("r", "nft", "delete table ip nat")


def filtered():
    """The firewall's INPUT chain stands between the wire and us."""
    run("r", "nft", "table ip filter { chain in { type filter hook input priority 0; "
        "ip saddr %s udp dport 4500 counter drop; }; }" % A)
    before = counters()
    d = Datagrams("a", "b", R_A, 4500, 4500, bind=B)
    for spi in (OURS, OTHERS):
        d.burst(esp_like(spi, 1400), 1400)
        d.one(esp_like(spi, 100))
    d.close()
    # Headers come once or for each packet, as batches are seen; payload does not.
    ok(taplib.wait_for(5, lambda: counted("bytes", "filter") >= 2 * 40 * 1500),
       "the firewall sees all of it", "%d octets" % counted("bytes", "filter"))
    now = counters()
    ok(now == before, "and what it drops does not reach us",
       {k: now[k] - before[k] for k in now if now[k] != before[k]})
    run("r", "nft", "delete table ip filter")


def others_socket():
    """esptun on port 4600; another program has port 4500 of one address."""
    untouched("another's socket", Datagrams("a", "r", R_A, 4500, 4500), False)


def alive(port):
    """The link itself still works: scapy seals an echo request, esptun answers."""
    with taplib.netns("a"):
        wire = Wire("aes-gcm-256", False, A, R_A, 0x3001, 0xa0, OURS, 0x50)
    wire.seq = alive.seq
    wire.sock.sendto(wire.esp(IP(src="10.9.0.2", dst="10.9.0.1") / ICMP(type=8, id=7, seq=1) /
                              Raw(b"x" * 32)), (R_A, port))
    data = wire.receive()
    wire.sock.close()
    alive.seq = wire.seq
    ok(data is not None and wire.open(data)[ICMP].type == 0, "the tunnel itself works")


alive.seq = 0

MODES = {
    # How packets come into r: whole; singly through NAPI, where GRO may act;
    # the same with the two ways the stack has to merge foreign UDP.
    "whole": ("on", "off", "off", "off"),
    "gro": ("off", "on", "off", "off"),
    "gro forwarding": ("off", "on", "on", "off"),
    "gro list": ("off", "on", "off", "on"),
}
for mode, (uso, gro, forwarding, listed) in MODES.items():
    taplib.prefix = mode + ": "
    # Without TSO, too: else veth does not let what comes from there through GRO.
    run("a", "ethtool", "-K", "eth0", "tx-udp-segmentation", uso, "tso", uso)
    run("r", "ethtool", "-K", "ra", "gro", gro, "rx-udp-gro-forwarding", forwarding,
        "rx-gro-list", listed)
    if sys.argv[1] == "4500":
        forwarded()
        translated(gro == "on")
        filtered()
    else:
        others_socket()
    alive(int(sys.argv[1]))
taplib.prefix = ""
taplib.finish()
