#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Packets that may move a peer, and packets that may not. Runs in the namespace of
the link vpn0, whose host has 192.0.2.1 and 192.0.2.11; the peer is in namespace east,
which has 192.0.2.2 and 192.0.2.22. See t_roam.sh."""
import json
import os
import socket
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import genl  # noqa: E402
import taplib  # noqa: E402
from espwire import ICMP, IP, Raw, Wire  # noqa: E402
from taplib import equal, ok  # noqa: E402

ALG = "aes-gcm-256"
HOME, HOME_TOO, PEER, PEER_TOO = "192.0.2.1", "192.0.2.11", "192.0.2.2", "192.0.2.22"
family = genl.Family()
LINK = genl.ifindex("vpn0")


def ask(op, **parts):
    return family.call(op, {"ifindex": LINK, **parts}, False)


def ip(*words):
    subprocess.run(["ip", *" ".join(words).split()], check=True)


def key(start):
    return bytes((start + i * 7) & 255 for i in range(36)).hex()


def selector(address):
    return {"address": address, "prefix-len": 32}


class Child:
    """A pair of SAs of peer 1, and the peer's end of it."""

    def __init__(self, number, inner="10.9.0.2", narrow=False):
        spi_in, spi_out = 0x2000 + number, 0x3000 + number
        start_in, start_out = 2 * number, 2 * number + 1
        only = {"ts-remote": [selector(inner)]} if narrow else {}
        for spi, direction, start in (spi_in, "in", start_in), (spi_out, "out", start_out):
            ask("sa-new", sa={"spi": spi, "dir": direction, "peer": 1, "mode": "tunnel",
                              "encr": 20, "encr-key": key(start), **only})
        self.inner, self.count = inner, 0
        with taplib.netns("east"):
            self.wire = Wire(ALG, False, PEER, HOME, spi_out, start_out, spi_in, start_in,
                             port=0)
        self.wire.sock.close()

    def packet(self):
        """The next packet of the peer: an echo request."""
        self.count += 1
        return self.wire.esp(IP(src=self.inner, dst="10.9.0.1") / ICMP(id=9, seq=self.count) /
                             Raw(b"x"))


def endpoint(port, address=PEER):
    with taplib.netns("east"):
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind((address, port))
    sock.settimeout(20)
    return sock


def peer():
    return ask("peer-get", peer={"id": 1})[0]["peer"]


def where():
    got = peer()
    return got["remote-address"], got["remote-port"]


def fresh(**changes):
    """The peer as if it were new: no SAs, no traffic, its address forgotten."""
    ask("flush")
    try:
        ask("peer-del", peer={"id": 1})
    except genl.NlError:
        pass
    ask("peer-new", peer={"id": 1, "keepalive": 0, **changes})


def answered(sock):
    """Where the next datagram to `sock` comes from."""
    try:
        return sock.recvfrom(65535)[1]
    except socket.timeout:
        return None


def sent(sock, packet, to=HOME):
    """Send; wait until it was received."""
    before = peer()["rx-packets"]
    sock.sendto(packet, (to, 4500))
    return taplib.wait_for(5, lambda: peer()["rx-packets"] > before)


# ---- which packet may move a peer --------------------------------------------------

def old_sa():
    """After a rekeying the old inbound SA stays for a while (RFC 7296 2.8)."""
    fresh()
    a, b, thief = endpoint(4777), endpoint(4888), endpoint(4666, PEER_TOO)
    old = Child(1)
    sent(a, old.packet())
    equal(where(), (PEER, 4777), "the first packet says where the peer is")
    held = old.packet()
    late = old.packet()
    new = Child(2)
    sent(b, old.packet())
    equal(where(), (PEER, 4888), "a new SA that the peer does not use yet: the old one moves it")
    sent(a, new.packet())
    equal(where(), (PEER, 4777), "the new SA moves it")
    watcher = genl.Family()
    watcher.subscribe()
    newest = old.packet()
    for name, packet in ("an old packet", held), ("the newest packet", newest):
        ok(sent(thief, packet), name + " of the old SA is received")
        equal(where(), (PEER, 4777), name + " of the old SA does not move the peer")
    # Of moves in quick succession, the last one is announced a second later.
    ok(not any(PEER_TOO in str(event) for event in watcher.events(1.5)), "nor is that announced")
    sent(thief, late)
    before = new.packet()
    sent(a, new.packet())
    sent(thief, before)
    equal(where(), (PEER, 4777), "nor does an old packet of the new SA")
    sent(b, new.packet())
    equal(where(), (PEER, 4888), "its newest one does")
    third = Child(3)
    sent(a, third.packet())
    sent(thief, new.packet())
    equal(where(), (PEER, 4777), "rekeyed again: what was new is old now")
    for sock in a, b, thief:
        sock.close()


def siblings():
    """SAs for different traffic do not replace each other."""
    fresh()
    a, b = endpoint(4777), endpoint(4888)
    first, second = Child(1, "10.9.0.2", True), Child(2, "10.9.0.3", True)
    sent(a, first.packet())
    sent(a, second.packet())
    sent(b, first.packet())
    equal(where(), (PEER, 4888), "the older of two children for different traffic moves the peer")
    again = Child(3, "10.9.0.2", True)
    sent(a, again.packet())
    sent(b, first.packet())
    equal(where(), (PEER, 4777), "until its successor is used")
    for sock in a, b:
        sock.close()


# ---- which of our addresses it writes to -------------------------------------------

def source():
    fresh()
    a, b = endpoint(4777), endpoint(4888)
    child = Child(1)
    for to in HOME, HOME_TOO, HOME, HOME_TOO:
        sent(a, child.packet(), to)
        equal(answered(a), (to, 4500), "written to %s, it answers from there" % to)
    equal(peer().get("learned-local-address"), HOME_TOO, "peer-get shows that address")
    ok("local-address" not in peer(), "not as a configured one", peer())
    shown = subprocess.check_output(["esptun", "-j", "peer", "show", "dev", "vpn0"])
    equal(json.loads(shown)[0].get("learned_local"), HOME_TOO, "so does esptun peer show")
    held = child.packet()
    successor = Child(2)
    sent(a, successor.packet(), HOME_TOO)
    answered(a)
    sent(a, held, HOME)
    equal(answered(a), (HOME_TOO, 4500), "a packet of an old SA does not change it")
    ip("addr del", HOME_TOO + "/24 dev w0")
    sent(a, successor.packet(), HOME)
    equal(answered(a), (HOME, 4500), "the address is gone and the peer writes to another: from there")
    ip("addr add", HOME_TOO + "/24 dev w0")
    sent(a, successor.packet(), HOME_TOO)
    equal(answered(a), (HOME_TOO, 4500), "it is back")
    ip("addr del", HOME_TOO + "/24 dev w0")
    subprocess.run(["ping", "-c1", "-W1", "10.9.0.2"], stdout=subprocess.DEVNULL, check=False)
    equal(answered(a), (HOME, 4500), "it is gone, nothing was received: from one that is left")
    ip("addr add", HOME_TOO + "/24 dev w0")

    ask("peer-set", peer={"id": 1, "local-address": HOME})
    sent(a, successor.packet(), HOME_TOO)
    equal(answered(a), (HOME, 4500), "the peer's configured address stays")
    ask("peer-set", peer={"id": 1, "local-address": "0.0.0.0"})
    ip("link set vpn0 type esptun local", HOME)
    sent(a, successor.packet(), HOME_TOO)
    equal(answered(a), (HOME, 4500), "the link's configured address stays")
    ip("link set vpn0 type esptun local 0.0.0.0")
    sent(a, successor.packet(), HOME_TOO)
    equal(answered(a), (HOME_TOO, 4500), "none is configured any more: as the peer writes")

    ask("peer-set", peer={"id": 1, "may-roam": 0, "remote-address": PEER, "remote-port": 4777})
    sent(a, successor.packet(), HOME_TOO)
    equal(answered(a), (HOME, 4500), "a peer that may not roam gets answers from routing's choice")
    for sock in a, b:
        sock.close()


def behind_another_link():
    """A peer configured with an address behind another link has not roamed there."""
    ip("link add vpn9 type esptun port 4509")
    ip("link set vpn9 up")
    fresh(**{"remote-address": PEER, "remote-port": 4777})
    a = endpoint(4777)
    child = Child(30)
    ip("route add", PEER, "dev vpn9")
    sent(a, child.packet())
    sent(a, child.packet())
    equal(peer().get("learned-local-address"), HOME, "a peer configured behind another link: it "
          "says which of our addresses it writes to")
    equal(genl.counters(family, "vpn0").get("roam-refused", 0), 0, "that is no refused roam")
    ip("link del vpn9")
    a.close()


old_sa()
siblings()
source()
behind_another_link()
taplib.finish()
