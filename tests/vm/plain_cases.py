#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A peer in user space at the east end of two_hosts, esptun in the west. See
t_peer_plain.sh."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import genl  # noqa: E402
import taplib  # noqa: E402
from espuser import Peer  # noqa: E402
from espwire import key  # noqa: E402
from load import BLOCK, Child, Datagrams, Stream  # noqa: E402
from taplib import equal, ok  # noqa: E402

SPI_WEST, SPI_EAST = 0x2001, 0x3001
ALG = "aes-gcm-256"
WEST, WEST6, EAST, EAST6 = "10.9.0.1", "fd00:9::1", "10.9.0.2", "fd00:9::2"

with taplib.netns("west"):
    family, link = genl.Family(), genl.ifindex("vpn0")


def ethtool(ns, dev, *features):
    subprocess.run(["ip", "netns", "exec", ns, "ethtool", "-K", dev, *features], check=True,
                   stdout=subprocess.DEVNULL)


def sas():
    family.call("flush", {"ifindex": link})
    for spi, direction, start in ((SPI_WEST, "in", 0x50), (SPI_EAST, "out", 0xa0)):
        family.call("sa-new", {"ifindex": link, "sa": {
            "spi": spi, "dir": direction, "peer": 1, "encr": 20, "encr-key": key(ALG, start)}})


def counters():
    return {k: v for k, v in genl.counters(family).items() if k.startswith("rx-") or
            k.startswith("tx-")}



def bursts():
    fine = True
    d = Datagrams("west", "east", EAST)
    for size in (1, 500, 1372):
        fine &= d.got(d.burst(BLOCK[:size * 30 + 1], size))
    d.close()
    d = Datagrams("east", "west", WEST)
    for size in (1, 500, 1372):
        fine &= d.got([d.one(BLOCK[i:][:size])[0] for i in range(30)] + d.one(BLOCK[:1]))
    d.close()
    return fine


def run(name, batching, offload, gro):
    taplib.prefix = name + ": "
    ethtool("west", "w0", "tx-udp-segmentation", offload)
    ethtool("east", "e0", "tx-udp-segmentation", offload)
    ethtool("west", "w0", "gro", gro)
    ethtool("east", "e0", "gro", gro)
    sas()
    before = counters()
    peer = Peer("east", "192.0.2.2", "192.0.2.1", [EAST + "/24", EAST6 + "/64"], ALG,
                SPI_EAST, 0xa0, SPI_WEST, 0x50, batching)
    stop, end = os.pipe()

    def child():
        os.close(end)
        return peer.run(stop)

    worker = Child(child)
    os.close(peer.tun)
    peer.sock.close()
    ok(Stream("west", "east", EAST, 400000).ok(), "TCP to it arrives")
    ok(Stream("east", "west", WEST6, 400000).ok(), "TCP over IPv6 from it arrives")
    ok(bursts(), "bursts of datagrams both ways arrive")
    os.close(end)
    seen = worker.result()
    os.close(stop)
    ok(isinstance(seen, dict) and not seen["bad"] and seen["datagrams"] > 300 and
       seen["longest"] <= 1472,
       "it saw ordinary ESP, one packet in each datagram", str(seen))
    print("# %s" % seen)
    now = counters()
    equal({k: now[k] - before[k] for k in now if now[k] != before[k]}, {},
          "esptun counts no drop")


run("whole", False, "on", "off")
run("split", False, "off", "on")
# The other way round: a peer that hands its packets over in batches.
run("whole, from batches", True, "on", "off")
run("split, from batches", True, "off", "on")
taplib.prefix = ""
taplib.finish()
