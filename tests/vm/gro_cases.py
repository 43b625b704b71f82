#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Hostile super-packets for esptun in the west of two_hosts, and single packets
that GRO may join to one. See t_gro.sh."""
import os
import re
import socket
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import genl  # noqa: E402
import taplib  # noqa: E402
from espwire import IP, UDP, Raw, Wire, key, trailer  # noqa: E402
from taplib import equal, ok  # noqa: E402

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
    raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)


def run(ns, *command):
    return subprocess.run(["ip", "netns", "exec", ns, *command], check=True,
                          stdout=subprocess.PIPE, text=True).stdout


run("west", "nft", "table ip seen { chain in { type filter hook input priority 0; "
    "udp dport 4500 counter; }; }")


def seen():
    """How many packets, single or super, the firewall's INPUT chain had."""
    return int(re.search(r"packets (\d+)", run("west", "nft", "list", "table", "ip", "seen"))[1])


def counters():
    return genl.counters(family)


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


def case(name, packets, wanted, send=burst, **counted):
    """`wanted`: numbers that arrive, in order; `counted`: how counters move."""
    before = counters()
    send(packets)
    equal(arrived(len(wanted)), wanted, name)
    now = counters()
    equal({k: now[k] - before[k] for k in now if now[k] != before[k]},
          {k.replace("_", "-"): v for k, v in counted.items()}, name + ": what is counted")


def cases():
    many = [packet(i) for i in range(40)]
    numbers = list(range(40))
    before = seen()
    case("a batch", many, numbers)
    ok(seen() - before <= 4, "arrives in one piece, or few", seen() - before)
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


def datagram(payload, number, **fields):
    """A whole IP packet; with UDP's checksum unless `chksum` says otherwise."""
    fields = {"flags": "DF", "id": number + 1, "ttl": 64, **fields}
    udp = {k: fields.pop(k) for k in ("chksum", "len") if k in fields}
    return bytes(IP(src="192.0.2.2", dst="192.0.2.1", **fields) /
                 UDP(sport=4500, dport=4500, **udp) / Raw(payload))


def collected(datagrams):
    for one in filter(None, datagrams):
        raw.sendto(one, ("192.0.2.1", 0))


def joining(name, pieces, special=None, wanted=None, total=12, every=None, **counted):
    """Packets of one size; number 5 is sent as `special`, a function, makes it.
    They arrive as `pieces` packets, in the order `wanted`."""
    datagrams = [(special if special and i == 5 else
                  lambda i: datagram(packet(i), i, **every or {}))(i) for i in range(total)]
    before = seen()
    case(name, datagrams, list(range(total)) if wanted is None else wanted, send=collected,
         **counted)
    equal(seen() - before, pieces, name + ": so many pieces")


def singles():
    """What GRO may join and what not. The qdisc keeps packets back for a while
    and lets them go at once, so that they meet in one run of NAPI."""
    run("east", "tc", "qdisc", "replace", "dev", "e0", "root", "netem", "slot", "700ms", "700ms")
    numbers = list(range(12))
    without, last = numbers[:5] + numbers[6:], numbers[:5] + numbers[6:] + [5]
    joining("with checksums", 1)
    joining("without checksums", 1, every={"chksum": 0})
    joining("more than a batch", 2, total=70)
    joining("one wrong checksum", 2, lambda i: datagram(packet(i), i, chksum=0xdead), without)
    joining("one without a checksum", 2, lambda i: datagram(packet(i), i, chksum=0), last)
    joining("another TTL", 3, lambda i: datagram(packet(i), i, ttl=63))
    joining("a congestion mark", 3, lambda i: datagram(packet(i), i, tos=3), without, rx_ecn=1)
    joining("that may be fragmented", 1, every={"flags": 0})
    joining("of which numbers lack", 2, lambda i: b"", without, every={"flags": 0})
    joining("shorter", 2, lambda i: datagram(packet(i, 48), i))
    joining("longer", 3, lambda i: datagram(packet(i, 200), i))
    joining("octets behind the datagram", 3,
            lambda i: datagram(packet(i) + b"behind", i, len=8 + len(packet(i)), chksum=0),
            every={"chksum": 0})
    joining("IKE", 3, lambda i: datagram(b"\0" * len(packet(i)), i), without, rx_ike_no_agent=1)
    joining("a keepalive", 3, lambda i: datagram(b"\xff", i), without, rx_keepalive=1)
    joining("an unknown SPI", 3, lambda i: datagram(packet(i, spi=NOBODYS), i), without,
            rx_no_sa=1)
    joining("another SA", 3, lambda i: datagram(packet(i, spi=SECOND), i))
    run("east", "tc", "qdisc", "del", "dev", "e0", "root")


def modes(mode, esn, segmentation, gro):
    # Without TSO, too: else veth does not let what comes from there through GRO.
    run("east", "ethtool", "-K", "e0", "tx-udp-segmentation", segmentation, "tso", segmentation)
    run("west", "ethtool", "-K", "w0", "gro", gro)
    taplib.prefix = mode + ": "
    if not esn:
        install(esn)
        around()
    install(esn)
    cases()
    if gro == "on":
        singles()


modes("whole", False, "on", "off")
modes("gro", False, "off", "on")
modes("whole, ESN", True, "on", "off")
taplib.prefix = ""
taplib.finish()
