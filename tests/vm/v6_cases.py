#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What esptun in the west of two_hosts makes of IPv6 outer headers, sent from the east with
plain sockets, and what it puts there. See t_v6outside.sh."""
import os
import re
import socket
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import genl  # noqa: E402
import taplib  # noqa: E402
from scapy.layers.inet6 import IPv6ExtHdrFragment  # noqa: E402
from espwire import UDP, IPv6, Raw, Wire, key, trailer  # noqa: E402
from taplib import equal, ok  # noqa: E402
from wire import Tap, pseudo, fold  # noqa: E402

ALG = "aes-gcm-256"
WEST, EAST, LINK_LOCAL = "2001:db8::1", "2001:db8::2", "fe80::66"
EAST_TOO = "2001:db8::22"
SPI_OURS, SPI_THEIRS = 0x2001, 0x3001
IPV6_RECVTCLASS, IPV6_TCLASS = 66, 67

with taplib.netns("west"):
    family, link = genl.Family(), genl.ifindex("vpn0")
    inside = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    inside.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVTCLASS, 1)
    inside.bind(("fd00:9::1", 9999))
with taplib.netns("east"):
    east_family, east_link = genl.Family(), genl.ifindex("vpn0")


def ask(op, **parts):
    return family.call(op, {"ifindex": link, **parts}, False)


def run(ns, *command):
    return subprocess.run(["ip", "netns", "exec", ns, *command], check=True,
                          stdout=subprocess.PIPE, text=True).stdout


def counters():
    return genl.counters(family)


def moved(before):
    now = counters()
    return {k: v - before[k] for k, v in now.items() if v != before[k]}


def peer():
    return ask("peer-get", peer={"id": 1})[0]["peer"]


class Sender:
    """ESP packets with headers of any kind, from a raw socket in the east."""

    def __init__(self):
        with taplib.netns("east"):
            self.wire = Wire(ALG, False, EAST, WEST, SPI_THEIRS, 0xa0, SPI_OURS, 0x50, port=0)
            self.raw = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_RAW)

    def inner(self, ecn=0, number=0):
        return bytes(IPv6(src="fd00:9::2", dst="fd00:9::1", tc=ecn) /
                     UDP(sport=9999, dport=9999) / Raw(b"%08d" % number))

    def datagram(self, ecn=0, number=0, **outer):
        return self.packet(self.wire.seal(trailer(self.inner(ecn, number), 41)), **outer)

    def packet(self, payload, source=EAST, tclass=0, hops=64, zero=False, options=b""):
        length = 8 + len(payload)
        head = struct.pack("!LHBB", 6 << 28 | tclass << 20, len(options) + length,
                           60 if options else 17, hops) + \
            socket.inet_pton(socket.AF_INET6, source) + socket.inet_pton(socket.AF_INET6, WEST)
        udp = struct.pack("!HHHH", 4500, 4500, length, 0) + payload
        check = 0xffff - fold(udp, pseudo(head, 17, length)) or 0xffff
        return head + options + (udp if zero else udp[:6] + struct.pack("!H", check) + payload)

    def send(self, packet):
        self.raw.sendto(packet, (WEST, 0))


def arrives(seconds=20):
    """The traffic class of the next datagram inside, or None."""
    inside.settimeout(seconds)
    try:
        _, aux, _, _ = inside.recvmsg(100, 100)
    except socket.timeout:
        return None
    return struct.unpack("=i", aux[0][2])[0]


def install(sender):
    ask("flush")
    for spi, direction, start in ((SPI_OURS, "in", 0x50), (SPI_THEIRS, "out", 0xa0)):
        ask("sa-new", sa={"spi": spi, "dir": direction, "peer": 1, "encr": 20,
                          "encr-key": key(ALG, start)})
    sender.wire.seq = 0


def checksums(sender):
    before = counters()
    sender.send(sender.datagram())
    equal(arrives(), 0, "a datagram with a checksum arrives")
    for packet in [sender.datagram(zero=True) for _ in range(8)]:
        sender.send(packet)
    equal(arrives(1), None, "without one, none does")
    equal(moved(before), {"rx-zero-csum6": 8}, "which is counted")
    before = counters()
    ask("peer-set", peer={"id": 1, "udp-zero-csum6-rx": 1})
    sender.send(sender.datagram(zero=True))
    equal(arrives(), 0, "a peer that may leave it away is heard")
    sender.send(sender.datagram())
    equal(arrives(), 0, "and need not")
    # What nothing protects must not be where the peer is sought.
    sender.send(sender.datagram(zero=True, source=EAST_TOO))
    equal(arrives(), 0, "one from another address without a checksum arrives")
    equal(peer()["remote-address"], EAST, "but does not move the peer")
    for address in EAST_TOO, EAST:
        sender.send(sender.datagram(source=address))
        equal(arrives(), 0, "with one, it arrives from %s" % address)
        equal(peer()["remote-address"], address, "and moves the peer there")
    equal(moved(before), {}, "nothing is dropped")
    sender.send(sender.packet(bytes(4) + bytes(range(1, 40)), zero=True))
    sender.send(sender.packet(b"\xff", zero=True))
    taplib.wait_for(5, lambda: len(moved(before)) > 1)
    equal(moved(before), {"rx-zero-csum6": 1, "rx-keepalive": 1},
          "but IKE without a checksum is dropped; a keepalive is one")
    ask("peer-set", peer={"id": 1, "udp-zero-csum6-rx": 0})
    sender.send(sender.datagram(zero=True))
    taplib.wait_for(5, lambda: moved(before)["rx-zero-csum6"] > 1)
    equal(moved(before)["rx-zero-csum6"], 2, "until that is taken back")


def arrived(wanted):
    """Numbers, as they arrive, until no more do; longer if less than `wanted`."""
    got = []
    while True:
        inside.settimeout(20 if len(got) < wanted else 1)
        try:
            got.append(int(inside.recv(100)))
        except socket.timeout:
            return got


def seen():
    """How many packets, single or super, the firewall's INPUT chain had."""
    return int(re.search(r"packets (\d+)", run("west", "nft", "list", "table", "ip6", "seen"))[1])


def joined(sender):
    """What GRO may join. Packets are kept back, so that they meet in one run of NAPI."""
    run("east", "ethtool", "-K", "e0", "tx-udp-segmentation", "off", "tso", "off")
    run("west", "ethtool", "-K", "w0", "gro", "on")
    run("west", "nft", "table ip6 seen { chain in { type filter hook input priority 0; "
        "udp dport 4500 counter; }; }")
    run("east", "tc", "qdisc", "replace", "dev", "e0", "root", "netem", "slot", "700ms", "700ms")
    everything = list(range(12))
    others = everything[:5] + everything[6:]
    options = b"\x11\0\1\4\0\0\0\0"
    for name, special, which, pieces, wanted in (
            ("all alike", {}, (), 1, everything),
            ("one without a checksum", {"zero": True}, (5,), 2, others),
            ("none with a checksum", {"zero": True}, everything, 12, []),
            ("another hop limit", {"hops": 63}, (5,), 3, everything),
            ("another class", {"tclass": 2}, (5,), 3, everything),
            ("an extension header", {"options": options}, (5,), 2, [5] + others)):
        before = seen()
        # What takes long comes first: a slot opens 700 ms after the first packet of it was sent.
        packets = [sender.datagram(number=number, **(special if number in which else {}))
                   for number in everything]
        for packet in packets:
            sender.send(packet)
        equal(arrived(len(wanted)), wanted, "GRO, %s: what arrives" % name)
        equal(seen() - before, pieces, "GRO, %s: in so many pieces" % name)
    run("east", "tc", "qdisc", "del", "dev", "e0", "root")
    run("west", "nft", "delete table ip6 seen")


def congestion(sender):
    """RFC 6040 4.2, as scapy_cases.py for IPv4."""
    for inner, outer, wanted in ((0, 0, 0), (0, 2, 0), (1, 0, 1), (2, 0, 2), (2, 1, 1), (2, 3, 3),
                                 (1, 3, 3), (3, 0, 3)):
        sender.send(sender.datagram(ecn=inner, tclass=outer))
        equal(arrives(), wanted, "ECN: inner %d in outer %d" % (inner, outer))
    before = counters()
    sender.send(sender.datagram(ecn=0, tclass=3))
    equal(arrives(1), None, "ECN: congestion marked on what does not understand it")
    equal(moved(before), {"rx-ecn": 1}, "ECN: and counted")


def link_local(sender):
    before = counters()
    sender.send(sender.datagram(source=LINK_LOCAL))
    equal(arrives(), 0, "from a link-local address it arrives")
    equal(moved(before), {"roam-refused": 1}, "but the peer does not move there")
    equal(peer()["remote-address"], EAST, "it is where it was")


def outside(send):
    """Traffic class and hop limit of the one packet that leaves."""
    tap = Tap("west", "w0", 4)
    seen = []

    def look():
        seen.extend(((f[14] << 8 | f[15]) >> 4 & 0xff, f[21]) for leaves, _, f in tap.frames()
                    if leaves and f[12:14] == b"\x86\xdd" and f[20] == 17)
        return seen

    send()
    taplib.wait_for(1, look)
    tap.close()
    return seen


def headers():
    """Of what leaves: class and hop limit, set and inherited."""
    with taplib.netns("west"):
        out = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    for tclass in (0, 0xb8 | 2, 0x20 | 1):
        out.setsockopt(socket.IPPROTO_IPV6, IPV6_TCLASS, tclass)
        equal(outside(lambda: out.sendto(b"x", ("fd00:9::2", 9))), [(tclass, 64)],
              "class %#x inside is that outside, the hop limit the host's" % tclass)


def tunnels_in_one_another():
    """The hop limit of what may be an outer packet of a link bounds that of the next one."""
    with taplib.netns("west"):
        raw = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_RAW)
    ours, others = UDP(sport=4500, dport=9), UDP(sport=5353, dport=9)
    for name, above, hops, wanted in (
            ("from a link's port", ours / Raw(b"x"), 9, [(0, 8)]),
            ("from another port", others / Raw(b"x"), 9, [(0, 64)]),
            ("its first fragment", IPv6ExtHdrFragment(m=1) / ours / Raw(bytes(16)), 9, [(0, 8)]),
            ("a later one", IPv6ExtHdrFragment(offset=3, nh=17) / Raw(bytes(16)), 9, [(0, 8)]),
            ("the last hop", ours / Raw(b"x"), 1, [])):
        before = counters()
        packet = bytes(IPv6(src="fd00:9::1", dst="fd00:9::2", hlim=hops) / above)
        equal(outside(lambda: raw.sendto(packet, ("fd00:9::2", 0))), wanted,
              "UDP over IPv6 inside, %s, hop limit %d" % (name, hops))
        equal(moved(before).get("tx-loop", 0), 0 if wanted else 1, "and what is counted")


def ike(sender):
    """Up to the agent and down from it, with 16 octets of address each."""
    with taplib.netns("west"):
        agent = genl.Family()
    agent.call("ike-bind")
    message = bytes(range(1, 9)) + bytes(10) + bytes([34, 8]) + bytes(40)
    sender.send(sender.packet(bytes(4) + message))
    name, got = next(agent.each_event(20))
    got = got["ike"]
    equal((got["remote-address"], got["remote-port"], got["local-address"]), (EAST, 4500, WEST),
          "an IKE message goes up, with both addresses")
    tap = Tap("east", "e0", 4)
    for answer in ({}, {"local-address": WEST}):
        agent.call("ike-send", {"ifindex": link, "ike": {
            "remote-address": EAST, "remote-port": 4500, "data": message.hex(), **answer}})
        time.sleep(0.2)
        sent = [f[14:] for leaves, _, f in tap.frames() if not leaves and f[20] == 17]
        equal([(socket.inet_ntop(socket.AF_INET6, p[8:24]), p[48:]) for p in sent],
              [(WEST, bytes(4) + message)], "one goes down, from the right address")
    tap.close()
    agent.sock.close()


ask("peer-set", peer={"id": 1, "remote-address": EAST, "remote-port": 4500})
east_family.call("flush", {"ifindex": east_link})
sender = Sender()
install(sender)
checksums(sender)
joined(sender)
congestion(sender)
run("east", "ip", "addr", "add", LINK_LOCAL + "/64", "dev", "e0", "nodad")
link_local(sender)
headers()
tunnels_in_one_another()
ike(sender)
taplib.finish()
