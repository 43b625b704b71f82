#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What gateways forward into the tunnel comes in all the shapes the stack has
for super-packets. See t_gateway.sh."""
import os
import random
import socket
import struct
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import genl  # noqa: E402
import taplib  # noqa: E402
from load import BLOCK, Child, Datagrams, Stream  # noqa: E402
from espwire import IP, UDP, IPv6, Raw  # noqa: E402
from scapy.layers.inet import TCP  # noqa: E402
from taplib import ok  # noqa: E402
from wire import Association, Tap, Wire  # noqa: E402

LAN = {"lana": ("10.1.0.2", "fd00:1::2"), "lanb": ("10.2.0.2", "fd00:2::2")}
families = {}
for ns in ("gwa", "gwb"):
    with taplib.netns(ns):
        families[ns] = genl.Family()


def ethtool(ns, dev, **features):
    command = ["ip", "netns", "exec", ns, "ethtool", "-K", dev]
    for name, value in features.items():
        command += [name.replace("_", "-"), value]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def counters():
    return {f"{ns} {name}": value for ns, family in families.items()
            for name, value in genl.counters(family).items()}


def moved(before):
    now = counters()
    return {k: now[k] - before.get(k, 0) for k in now if now[k] != before.get(k, 0)}


def datagrams():
    fine = True
    for src, dst, version in (("lana", "lanb", 0), ("lanb", "lana", 1)):
        d = Datagrams(src, dst, LAN[dst][version])
        for size in (1, 33, 500, 1380):
            fine &= d.got(d.burst(BLOCK[:size * 40 + size // 2], size))
        d.close()
    return fine


def run(name, lan_tso, gro, forwarding, listed):
    """`name`: how a LAN host's packets come to its gateway."""
    taplib.prefix = name + ": "
    for lan, gateway in (("lana", "gwa"), ("lanb", "gwb")):
        ethtool(lan, "eth0", tso=lan_tso, tx_udp_segmentation=lan_tso)
        ethtool(gateway, "lan0", gro=gro, rx_udp_gro_forwarding=forwarding, rx_gro_list=listed)
        ethtool(gateway, "wan0", gro=gro)
    before = counters()
    tap = Tap("gwa", "wan0")
    streams = [Stream("lana", "lanb", LAN["lanb"][0], 700000, cpu=0),
               Stream("lanb", "lana", LAN["lana"][1], 700000, cpu=1)]
    ok(all([s.ok() for s in streams]), "TCP both ways, IPv4 and IPv6")
    ok(datagrams(), "bursts of datagrams both ways")
    seen = Wire(tap, [Association(0x2001, "aes-gcm-256", 0x50),
                      Association(0x3001, "aes-gcm-256", 0xa0)])
    seen.read()
    tap.close()
    seen.judge(1200, own=False)
    ok(not moved(before), "no drop is counted", moved(before))


# ---- what a packet socket can do to a link ----

VNET = struct.Struct("=BBHHHH")
PACKET_VNET_HDR = 15
dice = random.Random(4301)


def odd_packet():
    """A packet and a virtio_net_hdr for it (flags, GSO type, header length,
    segment size, checksum start and offset), more or less wrong."""
    version = dice.choice((4, 6))
    ip = IP(src="10.9.0.1", dst="10.9.0.2", id=dice.randrange(65536)) if version == 4 else \
        IPv6(src="fd00:9::1", dst="fd00:9::2")
    size = dice.choice((0, 1, 2, 7, 500, 1380, 1400, 9000, 65535))
    # No more than some hundred segments: what delays them is not the matter here.
    body = Raw(dice.randbytes(min(dice.choice((0, 1, 7, 100, 1400, 3000, 9000, 40000)),
                                  200 * size or 1400)))
    above = dice.choice((TCP(sport=1, dport=2, flags=dice.choice(("A", "PA", "FA", "SA", ""))),
                         UDP(sport=1, dport=2), None))
    packet = bytearray(bytes(ip / above / body if above is not None else ip / body))
    start = 20 if version == 4 else 40
    kind = dice.choice((0, 1, 4, 3, 1 | 0x80, 4 | 0x80, 5))
    header = [dice.choice((0, 1, 1, 1, 3)), kind, dice.choice((0, start + 20, start + 8, 14)),
              size, dice.choice((start, start, start, 0, 1, 60, 30000)),
              dice.choice((16, 16, 6, 6, 0, 1, 30000))]
    for _ in range(dice.choice((0, 0, 0, 1, 2, 5))):
        packet[dice.randrange(min(len(packet), 60))] = dice.randrange(256)
    if dice.random() < 0.2:
        del packet[dice.randrange(len(packet)):]
    return VNET.pack(*header) + packet


def odd_packets():
    """Such packets into gwa's end of the tunnel while streams pass it."""
    taplib.prefix = "odd packets: "
    with taplib.netns("gwa"):
        s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        s.setsockopt(263, PACKET_VNET_HDR, 1)
        plain = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0)
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 22)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 22)
    s.settimeout(1)
    packets = [odd_packet() for _ in range(int(os.environ.get("ODD_PACKETS", "1500")))]

    def shoot():
        sent = refused = 0
        for number, packet in enumerate(packets):
            protocol = (0x0800, 0x86dd, 0x1234)[number % 3 if number % 7 == 0 else
                                                 packet[VNET.size:][:1] >= b"\x60"]
            try:
                if number % 5:
                    s.sendto(packet, ("vpn0", protocol))
                else:
                    plain.sendto(packet[VNET.size:][:1400], ("vpn0", protocol))
                sent += 1
            except OSError:
                refused += 1
        return [sent, refused]

    # See one_queue in lib.sh.
    for gateway in ("gwa", "gwb"):
        ethtool(gateway, "wan0", gro="on", tso="off")
    before = counters()
    tap = Tap("gwa", "wan0")
    streams = [Stream("lana", "lanb", LAN["lanb"][0], 500000),
               Stream("lanb", "lana", LAN["lana"][1], 500000)]
    sent, refused = Child(shoot).result()
    ok(sent > 100, "%d sent, %d the packet socket refused" % (sent, refused))
    ok(all([one.ok() for one in streams]), "streams beside them arrive, every octet")
    both = [Association(0x2001, "aes-gcm-256", 0x50), Association(0x3001, "aes-gcm-256", 0xa0)]
    seen = Wire(tap, both, fragments=True)
    for a in both:
        a.strict = False
    seen.read()
    tap.close()
    ok(not seen.faults, "all that leaves is proper ESP", "\n".join(seen.faults))
    got = moved(before)
    # To an address that nobody has they go to and fro until their hop limit ends. A later fragment
    # of UDP may be an outer packet of ours: with a hop limit of 1 gwb counts it as tx-loop.
    allowed = {"gwa tx-malformed", "gwa tx-too-big", "gwb rx-inner", "gwa tx-crypto",
               "gwa tx-no-sa", "gwb tx-loop"}
    print("# counted: %s" % got)
    ok(not set(got) - allowed, "counted only as what they are", got)


SHAPES = (
    ("TSO over veth", "on", "off", "off", "off"),
    ("single packets", "off", "off", "off", "off"),
    ("merged by GRO", "off", "on", "on", "off"),
    ("merged by GRO into lists", "off", "on", "off", "on"),
)
for shape in SHAPES:
    run(*shape)
odd_packets()
taplib.prefix = ""
taplib.finish()
