#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Packets that come for a reserved SPI before its key. Runs in the namespace of the link vpn0
(192.0.2.1); peer 1 is in namespace east, at 192.0.2.2 port 4777. With the argument "leave"
some packets are left waiting. See t_early.sh."""
import os
import socket
import struct
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import genl  # noqa: E402
import taplib  # noqa: E402
from espwire import IP, UDP, Raw, Wire, key, trailer  # noqa: E402
from taplib import equal, ok  # noqa: E402

ALG, KEY = "aes-gcm-256", 0x50
HOME, PEER, PORT = "192.0.2.1", "192.0.2.2", 4777
UNKNOWN_SPI = 0x7777
MOST = 256  # ESPTUN_EARLY_ONE
UDP_SEGMENT, SO_RCVBUFFORCE = 103, 33
family = genl.Family()
LINK = genl.ifindex("vpn0")


def ask(op, **parts):
    return family.call(op, {"ifindex": LINK, **parts}, False)


def counters():
    return genl.counters(family, "vpn0")


def raised(before):
    """Counters of drops that changed, and by how much; what barrier() does is not counted."""
    now = counters()
    return {k: v - before.get(k, 0) for k, v in now.items()
            if v > before.get(k, 0) and k not in ("rx-keepalive", "rx-no-sa")}


def endpoint(port):
    with taplib.netns("east"):
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind((PEER, port))
        sock.connect((HOME, 4500))
    return sock


def barrier(sock):
    """All that `sock` sent was received."""
    before = counters().get("rx-no-sa", 0)
    sock.send(struct.pack("!LL", UNKNOWN_SPI, 1) + bytes(32))
    return taplib.wait_for(5, lambda: counters().get("rx-no-sa", 0) > before)


def send_all(sock, packets):
    """Not faster than they are received: the queue of the underlay has room for 256."""
    for number, packet in enumerate(packets):
        if number % 100 == 99:
            barrier(sock)
        sock.send(packet)


class Listener:
    """Inner datagrams that arrived; each begins with its number."""

    def __init__(self):
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 23)
        self.sock.bind(("10.9.0.1", 7000))

    def numbers(self, wanted):
        """As many as are wanted, and then those that nobody wants."""
        got = []
        self.sock.settimeout(20)
        try:
            while len(got) < wanted:
                got.append(struct.unpack("!L", self.sock.recv(2000)[:4])[0])
            self.sock.settimeout(0.3)
            while True:
                got.append(struct.unpack("!L", self.sock.recv(2000)[:4])[0])
        except socket.timeout:
            return got


class Early:
    """A reserved SPI, and the peer's end of what will have it."""

    def __init__(self, esn=False):
        self.esn, self.count = esn, 0
        self.spi = ask("spi-alloc", sa={"peer": 1})[0]["sa"]["spi"]
        with taplib.netns("east"):
            self.wire = Wire(ALG, esn, PEER, HOME, 0x3000, 0xa0, self.spi, KEY, port=0)
        self.wire.sock.close()
        self.inner = bytes(IP(src="10.9.0.2", dst="10.9.0.1") /
                           UDP(sport=7000, dport=7000, chksum=0) / Raw(bytes(60)))

    def packet(self):
        inner = self.inner[:28] + struct.pack("!L", self.count) + self.inner[32:]
        self.count += 1
        return self.wire.seal(trailer(inner, 4))

    def packets(self, count):
        return [self.packet() for _ in range(count)]

    def send(self, sock, count):
        send_all(sock, self.packets(count))
        barrier(sock)

    def give_key(self, **more):
        ask("sa-new", sa={"spi": self.spi, "dir": "in", "peer": 1, "mode": "tunnel", "encr": 20,
                          "encr-key": key(ALG, KEY).hex(), **({"esn": 1} if self.esn else {}),
                          **more})

    def end(self):
        ask("sa-del", sa={"spi": self.spi, "dir": "in"})


def where():
    peer = ask("peer-get", peer={"id": 1})[0]["peer"]
    return peer["remote-address"], peer["remote-port"]


# ---- received ----------------------------------------------------------------------

def in_order(sock, listener):
    for esn in False, True:
        before = counters()
        sa = Early(esn)
        sa.send(sock, 50)
        sa.give_key()
        sa.send(sock, 50)
        name = "with extended numbers" if esn else "before the key and after it"
        equal(listener.numbers(100), list(range(100)), name + ": all arrive as they were sent")
        equal(raised(before), {}, name + ": none is dropped")
        sa.end()


def all_the_time(sock, listener):
    """The key comes while packets do, and the window is no larger than it must be."""
    total = 600
    for turn in range(3):
        sa = Early()
        before, packets = counters(), sa.packets(total)
        keyed, begun = threading.Event(), threading.Event()

        def send():
            for number, packet in enumerate(packets[:200]):  # not more than wait for the key
                if number == 100:
                    begun.set()
                sock.send(packet)
            keyed.wait(60)
            barrier(sock)
            send_all(sock, packets[200:])

        sender = threading.Thread(target=send)
        sender.start()
        begun.wait(60)
        sa.give_key(**{"replay-window": 32})
        keyed.set()
        sender.join()
        name = "the key comes between them, %d: " % (turn + 1)
        equal(listener.numbers(total), list(range(total)), name + "all arrive as they were sent")
        equal(raised(before), {}, name + "none is dropped")
        sa.end()


def super_packet(sock, listener):
    sa = Early()
    before, packets = counters(), sa.packets(20)
    sock.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, len(packets[0]))
    sock.send(b"".join(packets))
    sock.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, 0)
    barrier(sock)
    sa.give_key()
    equal(listener.numbers(20), list(range(20)), "a super-packet: all of it arrives")
    equal(raised(before), {}, "a super-packet: none of it is dropped")
    sa.end()


def refused_key(sock, listener):
    sa = Early()
    sa.send(sock, 3)
    try:
        sa.give_key(**{"encr-key": "11" * 5})
        ok(False, "a bad key is refused")
    except genl.NlError:
        pass
    sa.give_key()
    equal(listener.numbers(3), [0, 1, 2], "a bad key was refused: what waits goes on waiting")
    sa.end()


# ---- dropped -----------------------------------------------------------------------

def too_many(sock, listener):
    sa = Early()
    before = counters()
    sa.send(sock, MOST + 44)
    equal(raised(before), {"rx-larval": 44}, "more than wait at once: counted")
    sa.give_key()
    equal(listener.numbers(MOST), list(range(MOST)), "the first ones arrive")
    sa.end()


def too_large(sock, listener):
    """What large packets take of memory is bounded for one SA, and for all."""
    begin, count, size = counters(), 80, 16000

    def send(sa, number):
        for i in range(number):
            sock.send(struct.pack("!LL", sa.spi, 1) + bytes(size))
            if i % 10 == 9:  # each takes eleven places of the underlay's queue
                barrier(sock)
        barrier(sock)

    def waiting(sent):
        return sent - raised(begin).get("rx-larval", 0)

    sas = [Early() for _ in range(12)]
    send(sas[0], count)
    ok(waiting(count) <= (1 << 20) // size, "large packets: at most 1 MB of one SA waits",
       waiting(count))
    for sa in sas[1:]:
        send(sa, count)
    ok(waiting(len(sas) * count) <= (4 << 20) // size, "at most 4 MB of a namespace",
       waiting(len(sas) * count))
    ask("flush")
    equal(raised(begin), {"rx-larval": len(sas) * count}, "each is counted once")
    sa, before = Early(), counters()
    send(sa, 1)
    equal(raised(before), {}, "then there is room again")
    sa.end()


def given_up(sock, listener):
    for name, end in (("the SPI is given up", Early.end),
                      ("all SAs are removed", lambda _: ask("flush"))):
        sa = Early()
        before = counters()
        sa.send(sock, 5)
        equal(raised(before), {}, name + ": until then they wait")
        end(sa)
        equal(raised(before), {"rx-larval": 5}, name + ": counted")
    sa = Early()
    before = counters()
    sa.send(sock, 5)
    begun = time.monotonic()
    ok(taplib.wait_for(5, lambda: raised(before) == {"rx-larval": 5}),
       "no key for a while: counted", raised(before))
    ok(time.monotonic() - begun > 3, "not at once")
    sa.give_key()
    sa.send(sock, 2)
    equal(listener.numbers(2), [5, 6], "the key comes later: what comes then arrives")
    sa.end()


def strangers(sock, listener):
    other = endpoint(PORT + 1)
    subprocess.run("ip link add vpn9 type esptun port 4509".split(), check=True)
    sa = Early()
    before = counters()
    sa.send(other, 3)
    equal(raised(before), {"rx-larval": 3}, "from elsewhere than the peer: counted at once")
    no_sa = counters()["rx-no-sa"]
    sock.connect((HOME, 4509))
    sock.send(sa.packet())
    sock.connect((HOME, 4500))
    ok(taplib.wait_for(5, lambda: counters()["rx-no-sa"] == no_sa + 1),
       "to another link: no SA", counters())
    forged = sa.packet()
    sock.send(forged[:-1] + bytes([forged[-1] ^ 1]))
    sock.send(sa.packet()[:20])
    sock.send(sa.packet())
    barrier(sock)
    sa.give_key()
    equal(listener.numbers(1), [6], "what is not authentic waits, too, but does not arrive")
    equal(raised(before), {"rx-larval": 3, "rx-auth": 1, "rx-truncated": 1}, "and is counted")
    subprocess.run("ip link del vpn9".split(), check=True)
    other.close()
    sa.end()


def link_down(sock, listener):
    sa = Early()
    before = counters()
    sa.send(sock, 3)
    subprocess.run("ip link set vpn0 down".split(), check=True)
    sa.give_key()
    equal(raised(before), {"rx-link-down": 3}, "the link is down when the key comes: counted")
    subprocess.run("ip link set vpn0 up".split(), check=True)
    sa.send(sock, 1)
    equal(listener.numbers(1), [3], "up again: what comes then arrives")
    sa.end()


# ---- where the peer is -------------------------------------------------------------

def no_roaming(sock, listener):
    old, new = Early(), Early()
    old.give_key()
    there = endpoint(PORT + 1)
    new.send(sock, 3)
    old.send(there, 1)
    listener.numbers(1)
    equal(where(), (PEER, PORT + 1), "the peer moves while packets from where it was wait")
    new.give_key()
    equal(listener.numbers(3), [0, 1, 2], "they arrive")
    equal(where(), (PEER, PORT + 1), "and do not move it back")
    new.send(sock, 1)
    listener.numbers(1)
    equal(where(), (PEER, PORT), "a packet that comes after the key does")
    there.close()
    old.end()
    new.end()


def main():
    sock = endpoint(PORT)
    if sys.argv[1:] == ["leave"]:
        Early().send(sock, 20)
        return
    listener = Listener()
    for case in (in_order, all_the_time, super_packet, refused_key, too_many, too_large, given_up,
                 strangers, link_down, no_roaming):
        case(sock, listener)
    taplib.finish()


main()
