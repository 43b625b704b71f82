#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Hostile and odd packets of IP protocol 50 for esptun in the west of two_hosts, sent from the
east with raw sockets: what is taken, what is dropped by which counter, what moves the peer, and
which ICMP errors are believed. See t_plain_esp.sh.

  esp50_cases.py 4|6"""
import os
import random
import socket
import struct
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import genl  # noqa: E402
import taplib  # noqa: E402
from espwire import IP, UDP, Raw, Wire, trailer  # noqa: E402
from taplib import equal, ok, wait_for  # noqa: E402

SIX = sys.argv[1] == "6"
taplib.prefix = "IPv%s: " % sys.argv[1]
FAMILY = socket.AF_INET6 if SIX else socket.AF_INET
NET = "2001:db8::" if SIX else "192.0.2."
WEST, EAST, ELSEWHERE = NET + "1", NET + "2", NET + "66"
ALG, SPI_OURS, SPI_THEIRS = "aes-gcm-256", 0x2001, 0x3001
HEADERS = 40 if SIX else 20

with taplib.netns("west"):
    family, link = genl.Family(), genl.ifindex("vpn0")
    inside = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    inside.bind(("10.9.0.1", 9999))
with taplib.netns("east"):
    raw = socket.socket(FAMILY, socket.SOCK_RAW, 50)
    whole = socket.socket(FAMILY, socket.SOCK_RAW, socket.IPPROTO_RAW)
    icmp = socket.socket(FAMILY, socket.SOCK_RAW, 58 if SIX else 1)
    # Its number is nothing that a receiver could ask for: only seal() is used.
    wire = Wire(ALG, False, EAST, WEST, SPI_THEIRS, 0xa0, SPI_OURS, 0x50, port=0)


def counters():
    return genl.counters(family)


def moved(before):
    now = counters()
    return {k: v - before[k] for k, v in now.items() if v != before[k]}


def peer():
    return family.call("peer-get", {"ifindex": link, "peer": {"id": 1}}, False)[0]["peer"]


def last_sent():
    reply = family.call("sa-get", {"ifindex": link, "sa": {"dir": "out", "spi": SPI_THEIRS, "peer": 1}}, False)
    return reply[0]["sa"]["seq"]


def packet(number, seq=None):
    inner = IP(src="10.9.0.2", dst="10.9.0.1") / UDP(sport=9999, dport=9999) / Raw(b"%08d" % number)
    return wire.seal(trailer(bytes(inner), 4), seq)


def header(length, source, more=b"", proto=50):
    if SIX:
        return struct.pack("!LHBB", 6 << 28, length, proto, 64) + \
            socket.inet_pton(FAMILY, source) + socket.inet_pton(FAMILY, WEST)
    return struct.pack("!BBHHHBBH", 0x45 + len(more) // 4, 0, 20 + len(more) + length, 0, 0, 64, proto, 0) + \
        socket.inet_pton(FAMILY, source) + socket.inet_pton(FAMILY, WEST) + more


def send(data, source=None, more=b""):
    if source or more:
        whole.sendto(header(len(data), source or EAST, more) + data, (WEST, 0))
    else:
        raw.sendto(data, (WEST, 0))


def arrived():
    """Numbers of the packets that came out of the tunnel."""
    got = []
    inside.settimeout(0.3)
    try:
        while True:
            got.append(int(inside.recv(100)))
    except socket.timeout:
        return got


def lengths():
    before = counters()
    for n in range(0, 201):
        send((struct.pack("!LL", SPI_OURS, 1) + bytes(200))[:n])
    time.sleep(0.3)
    now = moved(before)
    # ESP header, IV, ICV and the shortest trailer: 34 bytes, and a multiple of 4 (RFC 4303 2.4).
    good = len([n for n in range(0, 201) if n >= 36 and n % 4 == 0])
    equal((now.get("rx-auth"), now.get("rx-truncated")), (good, 201 - 8 - good),
          "packets of 8 to 200 bytes with a good SPI: not authentic, or not possible")
    equal(set(now) - {"rx-auth", "rx-truncated"}, set(), "and nothing else is counted")


def others():
    before = counters()
    for spi in (0, 1, 255, 256, SPI_THEIRS, SPI_OURS + 1, 0xffffffff):
        send(struct.pack("!LL", spi, 1) + bytes(60))
    time.sleep(0.3)
    equal(moved(before), {}, "packets with other SPIs are left to the kernel")


def rubbish():
    before = counters()
    chance = random.Random(50)
    for _ in range(2000):
        data = bytearray(packet(0, seq=wire.seq + 1))
        for _ in range(chance.randint(1, 3)):
            data[chance.randrange(4, len(data))] ^= chance.randint(1, 255)
        send(bytes(data[:chance.choice((len(data), len(data), chance.randrange(8, len(data))))]))
    time.sleep(0.5)
    now = moved(before)
    equal(sum(now.get(k, 0) for k in ("rx-auth", "rx-truncated", "rx-replay")), 2000,
          "2,000 damaged packets: each is dropped and counted once (%r)" % now)
    equal(arrived(), [], "and none gets through")


def proper():
    good = packet(1)
    send(good)
    equal(arrived(), [1], "a proper packet gets through")
    before = counters()
    send(good)
    send(good, source=ELSEWHERE)
    equal(arrived(), [], "its copies do not")
    equal(moved(before), {"rx-replay": 2}, "and are counted")
    equal(peer()["remote-address"], EAST, "a copy from elsewhere moves nobody")
    before = counters()
    send(packet(2)[:-1] + b"\0", source=ELSEWHERE)
    time.sleep(0.2)
    equal(peer()["remote-address"], EAST, "nor does a forged packet")


def divided():
    data = packet(3)
    cut = 24
    if SIX:
        def fragment(offset, more):
            return struct.pack("!BBHL", 50, 0, offset | more, 77)
        parts = [(fragment(0, 1) + data[:cut]), (fragment(cut, 0) + data[cut:])]
        for part in reversed(parts):
            whole.sendto(header(len(part), EAST, proto=44) + part, (WEST, 0))
    else:
        for offset, part in ((cut, data[cut:]), (0, data[:cut])):
            flags = offset // 8 | (0x2000 if offset == 0 else 0)
            whole.sendto(struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(part), 77, flags, 64, 50, 0) +
                         socket.inet_aton(EAST) + socket.inet_aton(WEST) + part, (WEST, 0))
    equal(arrived(), [3], "one that comes in fragments, the last one first")
    if not SIX:
        send(packet(4), more=bytes([1, 1, 1, 0]))
        equal(arrived(), [4], "one with IP options")


def errors():
    """ICMP that a packet of ours is too big for the path."""
    def tell(mtu, spi, seq, to=EAST):
        if SIX:
            quoted = struct.pack("!LHBB", 6 << 28, 100, 50, 64) + \
                socket.inet_pton(FAMILY, WEST) + socket.inet_pton(FAMILY, to)
            data = struct.pack("!BBHL", 2, 0, 0, mtu) + quoted + struct.pack("!LL", spi, seq & 0xffffffff) + bytes(92)
        else:
            quoted = struct.pack("!BBHHHBBH", 0x45, 0, 120, 0, 0x4000, 64, 50, 0) + \
                socket.inet_aton(WEST) + socket.inet_aton(to)
            data = struct.pack("!BBHHH", 3, 4, 0, 0, mtu) + quoted + struct.pack("!LL", spi, seq & 0xffffffff)
            total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
            while total >> 16:
                total = (total & 0xffff) + (total >> 16)
            data = data[:2] + struct.pack("!H", ~total & 0xffff) + data[4:]
        icmp.sendto(data, (WEST, 0))
        time.sleep(0.2)

    def fits(mtu):
        return ((mtu - HEADERS - 32) & ~3) - 2

    seq = last_sent()
    ok(seq > 0, "there is a packet that an error can be about")
    for name, spi, number, to in (("another SPI", SPI_THEIRS + 1, seq, EAST),
                                  ("the SPI of received packets", SPI_OURS, seq, EAST),
                                  ("a number that was not sent", SPI_THEIRS, seq + 1, EAST),
                                  ("a number of long ago", SPI_THEIRS, seq - (1 << 20), EAST),
                                  ("another destination", SPI_THEIRS, seq, ELSEWHERE)):
        tell(1300, spi, number, to)
        equal(peer()["mtu"], fits(1500), "an ICMP error with %s is not believed" % name)
    tell(1400, SPI_THEIRS, seq)
    ok(wait_for(3, lambda: peer()["mtu"] == fits(1400)), "one about a packet that was sent is", peer())


def roams():
    send(packet(5), source=ELSEWHERE)
    equal(arrived(), [5], "a proper packet from another address")
    equal((peer()["remote-address"], peer()["remote-port"]), (ELSEWHERE, 4500),
          "moves the peer, which keeps its port")
    send(packet(6))
    equal(arrived(), [6], "and one from the first address")
    equal(peer()["remote-address"], EAST, "moves it back")


others()
lengths()
rubbish()
proper()
divided()
errors()
roams()
taplib.finish()
