#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Hostile super-packets for esptun in the west of two_hosts. See t_gro.sh."""
import os
import socket
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import genl  # noqa: E402
import taplib  # noqa: E402
from espwire import IP, UDP, Raw, Wire, key, trailer  # noqa: E402
from taplib import equal  # noqa: E402

ALG = "aes-gcm-256"
OURS, SECOND, NOBODYS = 0x2001, 0x2002, 0x7002
UDP_SEGMENT = 103
SO_RCVBUFFORCE = 33

with taplib.netns("west"):
    family, link = genl.Family(), genl.ifindex("vpn0")
    inside = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    inside.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 32 << 20)
    inside.bind(("10.9.0.1", 9999))
with taplib.netns("east"):
    wire = Wire(ALG, False, "192.0.2.2", "192.0.2.1", 0x3001, 0xa0, OURS, 0x50)


def counters():
    total = {}
    for reply in family.call("stats-get", dump=True):
        for name, value in reply.get("stats", {}).items():
            total[name] = total.get(name, 0) + value
    return total


def install(esn):
    """New SAs, so that numbers begin again."""
    family.call("flush", {"ifindex": link})
    for spi in (OURS, SECOND):
        family.call("sa-new", {"ifindex": link, "sa": {
            "spi": spi, "dir": "in", "peer": 1, "encr": 20, "encr-key": key(ALG, 0x50),
            **({"esn": True} if esn else {})}})
    wire.esn, wire.seq = esn, 0


def packet(number, size=100, seq=None, spi=None):
    """An ESP packet with a datagram inside that says `number`."""
    inner = bytes(IP(src="10.9.0.2", dst="10.9.0.1") / UDP(sport=9999, dport=9999) /
                  Raw(b"%08d" % number * (size // 8)))
    return wire.seal(trailer(inner, 4), seq, spi)


def forged(esp, seq=None):
    """The last octet of the ICV is wrong, and the number, if wanted."""
    if seq is not None:
        esp = esp[:4] + seq.to_bytes(4, "big") + esp[8:]
    return esp[:-1] + bytes([esp[-1] ^ 1])


def burst(packets):
    wire.sock.sendmsg([b"".join(packets)], [(socket.IPPROTO_UDP, UDP_SEGMENT,
                                             len(packets[0]).to_bytes(2, sys.byteorder))],
                      0, ("192.0.2.1", 4500))


def arrived(wanted):
    """What arrives, until nothing more does; longer if less than `wanted`."""
    got = []
    while True:
        inside.settimeout(2 if len(got) < wanted else 0.1)
        try:
            data = inside.recv(1 << 17)
        except socket.timeout:
            return got
        number = data[:8]
        got.append(int(number) if data == number * (len(data) // 8) else data[:40])


def case(name, packets, wanted, **counted):
    """`wanted`: numbers that arrive, in order; `counted`: how counters move."""
    before = counters()
    burst(packets)
    equal(arrived(len(wanted)), wanted, name)
    now = counters()
    equal({k: now[k] - before[k] for k in now if now[k] != before[k]},
          {k.replace("_", "-"): v for k, v in counted.items()}, name + ": what is counted")


def cases():
    many = [packet(i) for i in range(40)]
    numbers = list(range(40))
    case("a batch", many, numbers)
    case("the same once more", many, [], rx_replay=40)
    many = [packet(i) for i in range(40)]
    case("some of it twice", many[:20] + many[10:], numbers, rx_replay=10)
    many = [packet(i) for i in range(40)]
    case("backwards", many[::-1], numbers[::-1])
    for place in (0, 20, 39):
        many = [packet(i) for i in range(40)]
        many[place] = forged(many[place])
        case("number %d forged" % place, many, numbers[:place] + numbers[place + 1:], rx_auth=1)
    many = [forged(packet(i)) for i in range(40)]
    case("all forged", many, [], rx_auth=40)
    for place in (0, 20):
        many = [packet(i) for i in range(40)]
        many[place] = b"\0" * len(many[0])
        case("IKE as number %d" % place, many, numbers[:place] + numbers[place + 1:],
             rx_ike_no_agent=1)
        many = [packet(i, spi=NOBODYS if i == place else None) for i in range(40)]
        case("an unknown SPI as number %d" % place, many,
             numbers[:place] + numbers[place + 1:], rx_no_sa=1)
    case("two SAs in turn", [packet(i, spi=(OURS, SECOND)[i % 2]) for i in range(40)], numbers)
    many = [packet(i) for i in range(40)]
    case("a shorter last one", many + [packet(40, 48)], numbers + [40])
    for short in (1, 7, 8, 31):
        case("%d octets of a last one" % short, [packet(i) for i in range(40)] +
             [packet(40)[:short]], numbers, rx_truncated=1)
    # Too far apart for one look at the window.
    wire.seq += 64
    case("numbers far apart", [packet(i, seq=wire.seq + 1 + i * 70) for i in range(40)], numbers)
    wire.seq += 40 * 70
    for size in (8000, 32000):
        n = 60000 // size
        case("%d octets each" % size, [packet(i, size) for i in range(n)], list(range(n)))
    case("33000 and 31000 octets", [packet(1, 33000), packet(2, 31000)], [1, 2])


def around():
    """Without ESN the number never cycles (RFC 4303 3.3.3): what stands behind
    2**32 - 1 is an old packet, whatever the one before claims to be."""
    old = [packet(i) for i in range(40)]
    case("to be repeated", old, list(range(40)))
    case("repeated behind a forged last number",
         [forged(packet(0), 0xffffffff)] + old[:39], [], rx_auth=1, rx_replay=39)
    case("the SA still works", [packet(i) for i in range(40)], list(range(40)))
    case("the last number", [packet(1, seq=0xffffffff)] + old[:39], [1], rx_replay=39)


def run(mode, esn, segmentation, gro):
    for ns, dev, feature, value in (("east", "e0", "tx-udp-segmentation", segmentation),
                                    ("west", "w0", "gro", gro)):
        subprocess.run(["ip", "netns", "exec", ns, "ethtool", "-K", dev, feature, value],
                       check=True, stdout=subprocess.DEVNULL)
    taplib.prefix = mode + ": "
    if not esn:
        install(esn)
        around()
    install(esn)
    cases()


run("whole", False, "on", "off")
run("gro", False, "off", "on")
run("whole, ESN", True, "on", "off")
taplib.prefix = ""
taplib.finish()
