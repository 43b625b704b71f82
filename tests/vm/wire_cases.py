#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""esptun at both ends of two_hosts, all its traffic judged on the underlay.
wire_cases.py [6] - with 6, the outer packets are IPv6. See t_wire.sh, t_v6outside.sh."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import genl  # noqa: E402
import taplib  # noqa: E402
from espwire import key  # noqa: E402
from load import BLOCK, Datagrams, Stream  # noqa: E402
from taplib import ok  # noqa: E402
from wire import Association, Tap, Wire  # noqa: E402

SPI_WEST, SPI_EAST = 0x2001, 0x3001
HOME = {"west": ("10.9.0.1", "fd00:9::1"), "east": ("10.9.0.2", "fd00:9::2")}
OTHER = {"west": "east", "east": "west"}
families = {}
for ns in HOME:
    with taplib.netns(ns):
        families[ns] = genl.Family(), genl.ifindex("vpn0")
alg, esn = "aes-gcm-256", False
OUTER6 = sys.argv[1:] == ["6"]
# What fits the path.
MTU = 1418 if OUTER6 else 1438


def sas():
    """New SAs at both ends, under the same SPIs."""
    for ns, spis in (("west", ((SPI_WEST, "in", 0x50), (SPI_EAST, "out", 0xa0))),
                     ("east", ((SPI_EAST, "in", 0xa0), (SPI_WEST, "out", 0x50)))):
        family, link = families[ns]
        family.call("flush", {"ifindex": link})
        for spi, direction, start in spis:
            family.call("sa-new", {"ifindex": link, "sa": {
                "spi": spi, "dir": direction, "peer": 1, "esn": int(esn),
                "encr": 28 if "chacha" in alg else 20, "encr-key": key(alg, start),
                # See esptun_sas in lib.sh.
                **({"replay-window": 16384} if direction == "in" else {})}})


def counters(ns):
    return genl.counters(families[ns][0])


def offloads(**features):
    for ns, dev in (("west", "w0"), ("east", "e0")):
        command = ["ip", "netns", "exec", ns, "ethtool", "-K", dev]
        for name, value in features.items():
            command += [name.replace("_", "-"), value]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def observe(name, load, least):
    """Run a load that returns whether it arrived, and judge its packets."""
    taplib.prefix = "%s, %s: " % (mode, name)
    sas()
    tap = Tap("west", "w0")
    before = {ns: counters(ns) for ns in HOME}
    ok(load(), "arrives, every octet")
    seen = Wire(tap, [Association(SPI_WEST, alg, 0x50, esn),
                      Association(SPI_EAST, alg, 0xa0, esn)])
    seen.read()
    tap.close()
    seen.judge(least)
    if OUTER6:
        labels = [seen.labels.get(a.spi, ()) for a in seen.by_spi.values() if a.seqs]
        ok(all(len(one) == 1 for one in labels) and len(set().union(*labels) - {0}) == len(labels),
           "all packets are IPv6, with one flow label for each SA", labels)
    moved = {}
    for ns in HOME:
        now = counters(ns)
        moved.update({ns + " " + k: v - before[ns][k] for k, v in now.items()
                      if v != before[ns][k]})
    ok(not moved, "no drop is counted", str(moved))
    return seen


def tcp(src, version, total, **more):
    dst = OTHER[src]
    return lambda: Stream(src, dst, HOME[dst][version], total, **more).ok()


def crowd():
    """Streams both ways, IPv4 and IPv6, on both CPUs at the same time."""
    streams = [Stream(src, OTHER[src], HOME[OTHER[src]][version], 600000, cpu=cpu)
               for cpu, (src, version) in enumerate((("west", 0), ("east", 0),
                                                     ("west", 1), ("west", 0),
                                                     ("east", 1), ("west", 0)))]
    return all([s.ok() for s in streams])


def udp_l4(version):
    """Super-packets of UDP: sizes around what matters, and short last ones."""
    def load():
        d = Datagrams("west", "east", HOME["east"][version])
        fine = True
        largest = MTU - 4 - (28, 48)[version]
        for size in (1, 2, 3, 17, 100, 1000, largest - 1, largest):
            for count in (2, 31, 44):
                for tail in (0, 1, size // 2):
                    payload = BLOCK[count:][:size * count + tail]
                    fine &= d.got(d.burst(payload, size))
        d.close()
        return fine
    return load


def udp_sizes():
    """Every remainder of the padding, the smallest, the largest, in bursts."""
    fine = True
    for version in (0, 1):
        d = Datagrams("west", "east", HOME["east"][version])
        for start in (0, 100, 1380):
            sent = []
            for size in range(start, start + 20):
                sent += d.one(BLOCK[size:][:size])
            fine &= d.got(sent)
        d.close()
    return fine


def tcp_odd(version):
    """Maximal segment sizes and writes that leave all sorts of ends."""
    def load():
        fine = True
        for mss in (100, 537, 1001, 1278):
            for sizes in ((mss * 7 + 1,), (1, mss - 1, 3 * mss + 2, 20000, mss)):
                fine &= Stream("west", "east", HOME["east"][version], 60000 + mss, sizes,
                               mss=mss, nodelay=True).ok()
        return fine
    return load


def largest(seen, whole):
    """Do super-packets reach the wire, as the mode says?"""
    if whole:
        # Only the batching path sends them; either way all was opened above.
        print("# largest frame %d, batches of up to %d" % (
            seen.n_largest, max(max(a.batches or [0]) for a in seen.by_spi.values())))
    else:
        ok(seen.n_largest <= 1500, "no frame exceeds the MTU", seen.n_largest)
    print("# checksums: %d pending, %d zero, %d in full" % (seen.pending, seen.zero, seen.full))


MODES = (
    ("whole", dict(tx="on", tx_udp_segmentation="on"), "aes-gcm-256", False),
    ("split", dict(tx="on", tx_udp_segmentation="off"), "chacha20-poly1305", True),
    ("bare", dict(tx="off", tx_udp_segmentation="off"), "aes-gcm-128", True),
)
for mode, features, alg, esn in MODES:
    offloads(**features)
    seen = observe("TCP", tcp("west", 0, 1500000), 1000)
    largest(seen, mode == "whole")
    observe("TCP over IPv6, back", tcp("east", 1, 500000), 300)
    seen = observe("streams on two CPUs", crowd, 2000)
    largest(seen, mode == "whole")
    seen = observe("UDP_SEGMENT", udp_l4(0), 1000)
    largest(seen, mode == "whole")
    if mode != "bare":
        observe("UDP_SEGMENT over IPv6", udp_l4(1), 1000)
        observe("TCP in odd sizes", tcp_odd(0), 1000)
    if mode != "split":
        observe("TCP over IPv6 in odd sizes", tcp_odd(1), 1000)
        observe("UDP of many sizes", udp_sizes, 120)
taplib.prefix = ""
taplib.finish()
