#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Things that change in the middle of batches: MTU, keys, SAs, peers. esptun at
both ends of two_hosts. See t_batch.sh."""
import fcntl
import os
import socket
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import genl  # noqa: E402
import taplib  # noqa: E402
from espwire import key  # noqa: E402
from load import Stream, Until  # noqa: E402
from taplib import ok  # noqa: E402
from wire import Association, Tap, Wire  # noqa: E402

HOME = {"west": ("10.9.0.1", "fd00:9::1"), "east": ("10.9.0.2", "fd00:9::2")}
OTHER = {"west": "east", "east": "west"}
OUTER = {"west": "192.0.2.1", "east": "192.0.2.2"}
SIOCSIFMTU = 0x8922
ALG = "aes-gcm-256"
ROUNDS = int(os.environ.get("VM_ROUNDS") or 1)
families = {}
for ns in HOME:
    with taplib.netns(ns):
        families[ns] = genl.Family(), genl.ifindex("vpn0")
generation = 0


def call(ns, op, **values):
    family, link = families[ns]
    return family.call(op, dict(values, ifindex=link))


def spi(receiver, number):
    return {"west": 0x20000000, "east": 0x30000000}[receiver] + number


def start(receiver, number):
    return {"west": 0x50, "east": 0xa0}[receiver] + number


def add(ns, direction, number):
    """The SA of generation `number` at `ns`."""
    receiver = ns if direction == "in" else OTHER[ns]
    call(ns, "sa-new", sa={"spi": spi(receiver, number), "dir": direction, "peer": 1, "encr": 20,
                           "encr-key": key(ALG, start(receiver, number))})


def remove(ns, direction, number):
    receiver = ns if direction == "in" else OTHER[ns]
    named = {"peer": 1} if direction == "out" else {}
    call(ns, "sa-del", sa={"spi": spi(receiver, number), "dir": direction, **named})


def install(number):
    for direction in ("in", "out"):
        for ns in HOME:
            add(ns, direction, number)


def rekey():
    """As two agents do (RFC 7296 2.8): inbound at both ends first, then outbound,
    old ones last; old inbound some turns later, for what is still on its way."""
    global generation
    generation += 1
    install(generation)
    for ns in HOME:
        remove(ns, "out", generation - 1)
    if generation >= 5:
        for ns in HOME:
            remove(ns, "in", generation - 5)


def anew():
    """Only the newest SAs are left, under numbers never used before."""
    global generation
    for ns in HOME:
        call(ns, "flush")
    generation += 1
    install(generation)


def counters():
    return {f"{ns} {name}": value for ns, (family, _) in families.items()
            for name, value in genl.counters(family).items()}


def ip(ns, *command):
    subprocess.run(["ip", "-n", ns, *command], check=True)


def set_mtu(ns, dev, mtu):
    with taplib.netns(ns), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        fcntl.ioctl(s, SIOCSIFMTU, struct.pack("=16si12x", dev.encode(), mtu))


def during(name, disturb, allowed=(), turns=10):
    """Streams both ways, IPv4 and IPv6, while disturb(turn) is called over and
    over; they must arrive, nothing may leave in clear, and no drop be counted but
    those allowed."""
    global generation
    taplib.prefix = name + ": "
    before, first = counters(), generation
    tap = Tap("west", "w0")
    pieces = Until()
    streams = [Stream(src, OTHER[src], HOME[OTHER[src]][version], pieces)
               for src, version in (("west", 0), ("east", 0), ("west", 1), ("east", 1))]
    for turn in range(turns * ROUNDS):
        disturb(turn)
    pieces.finish()
    ok(all([s.ok() for s in streams]), "streams arrive, every octet")
    numbers = range(max(first - 5, 0), generation + 1)
    seen = Wire(tap, [Association(spi(ns, n), ALG, start(ns, n)) for ns in HOME for n in numbers],
                fragments=True)
    seen.read()
    tap.close()
    seen.judge(500, gaps=bool(allowed))
    now = counters()
    got = {k: now[k] - before.get(k, 0) for k in now if now[k] != before.get(k, 0)}
    print("# counted: %s" % got)
    ok(not {k.split()[1] for k in got} - set(allowed), "no drop is counted but what must be", got)


def pause(seconds):
    time.sleep(seconds)


def keys(turn):
    rekey()
    pause(0.1)


def mtus(turn):
    """The link's MTU, the underlay's, and both."""
    one, other = ((1400, 1500), (1280, 1500), (1434, 1400), (1300, 1340), (1434, 1500))[turn % 5]
    for ns, dev in (("west", "w0"), ("east", "e0")):
        set_mtu(ns, dev, other)
        set_mtu(ns, "vpn0", one)
    pause(0.1)


def holes(turn):
    """The SAs of one end are gone for a moment."""
    ns = ("west", "east")[turn % 2]
    for direction in (("out",), ("in",), ("in", "out"))[turn % 3]:
        remove(ns, direction, generation)
    pause(0.02)
    anew()
    pause(0.1)


def peers(turn):
    """The peer and all that hangs on it, replaced."""
    ns = ("west", "east")[turn % 2]
    call(ns, "flush")
    call(ns, "peer-del", peer={"id": 1})
    call(ns, "peer-new", peer={"id": 1, "remote-address": OUTER[OTHER[ns]], "remote-port": 4500,
                               "keepalive": 0})
    anew()
    pause(0.1)


def downs(turn):
    """The link down and up; IPv6 addresses go with it."""
    ns = ("west", "east")[turn % 2]
    ip(ns, "link", "set", "vpn0", "down")
    ip(ns, "link", "set", "vpn0", "up")
    ip(ns, "addr", "replace", HOME[ns][1] + "/64", "dev", "vpn0", "nodad")
    pause(0.1)


def offloads(turn):
    """What the underlay can do comes and goes."""
    on = ("off", "on")[turn % 2]
    for ns, dev in (("west", "w0"), ("east", "e0")):
        for feature in (("tx-udp-segmentation",), ("tx",), ("sg",), ("gro",))[turn // 2 % 4]:
            subprocess.run(["ip", "netns", "exec", ns, "ethtool", "-K", dev, feature, on],
                           check=True, stdout=subprocess.DEVNULL)
    pause(0.1)


install(0)
during("rekeying every 100 ms", keys)
# A packet bigger than a path that has just become smaller is answered with
# "too big", and counted.
during("MTUs", mtus, {"tx-too-big"})
for namespace, device in (("west", "w0"), ("east", "e0")):
    set_mtu(namespace, device, 1500)
    set_mtu(namespace, "vpn0", 1434)
during("offloads", offloads, turns=8)
for namespace, device in (("west", "w0"), ("east", "e0")):
    subprocess.run(["ip", "netns", "exec", namespace, "ethtool", "-K", device, "gro", "off", "tx",
                    "on", "sg", "on", "tx-udp-segmentation", "on"], check=True,
                   stdout=subprocess.DEVNULL)
gone = {"tx-no-sa", "tx-expired", "rx-no-sa", "rx-expired", "tx-held"}
during("SAs deleted", holes, gone)
during("peers deleted", peers, gone)
during("links down", downs, {"rx-link-down"} | gone, turns=4)
taplib.prefix = ""
taplib.finish()
