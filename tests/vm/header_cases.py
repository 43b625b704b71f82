#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Outer headers of what esptun in the west of two_hosts sends, as tshark reads them.
"send" sends one packet of every case, whose number is the inner UDP port; "judge FILE"
looks for them in a capture. See t_header.sh."""
import os
import socket
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import genl  # noqa: E402
import taplib  # noqa: E402
from scapy.layers.inet import IP, UDP  # noqa: E402
from scapy.layers.inet6 import IPv6  # noqa: E402
from scapy.packet import Raw  # noqa: E402
from taplib import equal, ok  # noqa: E402

FIRST = 20000
OUTSIDE = {4: "192.0.2.2", 6: "2001:db8::2"}
LINK_DEFAULT = {"tos": "inherit", "ttl": "auto", "df": "inherit", "flowlabel": "sa"}
OF_LINK = 65535
PEER_WORDS = {"tos inherit": 1, "ttl auto": 0, "ttl inherit": 256, "df inherit": 0, "df set": 1,
              "df unset": 2, "flow-label sa": 0, "flow-label inner": 1}


LABEL_CASES = 8


def cases():
    """(name, family outside, link's settings, peer's settings, family inside, packet, wanted).
    A packet: TOS, TTL, DF, octets. Wanted: TOS, TTL, DF, pieces; None if nothing leaves."""
    for out in (4, 6):
        # IPv6 has no DF; pieces tell.
        df = out == 4
        for inside in (4, 6):
            plain = (0xb8 | 2, 9, True, 100)
            yield "as it is", out, "", "", inside, plain, (0xb8 | 2, 64, df, 1)
            yield "a link's DSCP, ECN as inside", out, "tos 0x48", "", inside, plain, \
                (0x48 | 2, 64, df, 1)
            yield "a link's ECN is none", out, "tos 0x4b", "", inside, (0xb8 | 3, 9, True, 100), \
                (0x48 | 3, 64, df, 1)
            yield "a peer's DSCP", out, "tos 0x48", "tos 0x28", inside, plain, (0x28 | 2, 64, df, 1)
            yield "a peer that inherits the DSCP", out, "tos 0x48", "tos inherit", inside, plain, \
                (0xb8 | 2, 64, df, 1)
            yield "a link's TTL", out, "ttl 33", "", inside, plain, (0xb8 | 2, 33, df, 1)
            yield "a link that inherits the TTL", out, "ttl inherit", "", inside, plain, \
                (0xb8 | 2, 9, df, 1)
            yield "a peer's TTL", out, "ttl inherit", "ttl 77", inside, plain, (0xb8 | 2, 77, df, 1)
            yield "a peer that inherits the TTL", out, "ttl 33", "ttl inherit", inside, plain, \
                (0xb8 | 2, 9, df, 1)
            yield "a peer with the system's TTL", out, "ttl 33", "ttl auto", inside, plain, \
                (0xb8 | 2, 64, df, 1)
            large = (0, 9, True, 1600)
            yield "too large", out, "", "", inside, large, None
            yield "too large, DF unset by the link", out, "df unset", "", inside, large, \
                (0, 64, False, 2)
            yield "too large, DF unset by the peer", out, "df set", "df unset", inside, large, \
                (0, 64, False, 2)
            yield "small, DF unset", out, "df unset", "", inside, plain, (0xb8 | 2, 64, False, 1)
        open_ = (0, 9, False, 100)
        yield "may be fragmented", out, "", "", 4, open_, (0, 64, False, 1)
        yield "may be fragmented, large", out, "", "", 4, (0, 9, False, 1600), (0, 64, False, 2)
        yield "DF set by the link", out, "df set", "", 4, open_, (0, 64, df, 1)
        yield "DF set by the peer", out, "df unset", "df set", 4, open_, (0, 64, df, 1)
        yield "DF set, large", out, "df set", "", 4, (0, 9, False, 1600), None
        yield "DF of the inner one for the peer", out, "df set", "df inherit", 4, open_, \
            (0, 64, False, 1)
    # The end of the list is about labels and checksums, see judge_labels().
    small = (0, 9, True, 100)
    for link, peer in (("flowlabel inner", ""), ("", "flow-label inner"),
                       ("flowlabel inner", "flow-label sa")):
        for _ in range(LABEL_CASES):
            yield "%s %s" % (link, peer), 6, link, peer, 4, small, (0, 64, False, 1)
    for out in (4, 6):
        yield "no checksum over IPv6", out, "", "udp-zero-csum6-tx 1", 4, small, \
            (0, 64, out == 4, 1)


def run(*command):
    subprocess.run(["ip", "netns", "exec", "west", *command], check=True)


class Settings:
    """Of link and peer; programs take their time to start where this runs."""

    def __init__(self):
        with taplib.netns("west"):
            self.family, self.ifindex = genl.Family(), genl.ifindex("vpn0")
        self.link = None

    def set(self, out, link, peer):
        words = dict(LINK_DEFAULT, **dict([link.split()] if link else []))
        if words != self.link:
            run("ip", "link", "set", "vpn0", "type", "esptun",
                *[word for pair in words.items() for word in pair])
            self.link = words
        own = {"tos": OF_LINK, "ttl": OF_LINK, "df": OF_LINK, "flow-label": OF_LINK,
               "udp-zero-csum6-tx": 0}
        if peer:
            name, value = peer.split()
            own[name] = PEER_WORDS[peer] if peer in PEER_WORDS else int(value, 0)
        self.family.call("peer-set", {"ifindex": self.ifindex, "peer": {
            "id": 1, "remote-address": OUTSIDE[out], **own}})


def packet(inside, port, tos, ttl, df, octets):
    upper = UDP(sport=9, dport=port)
    if inside == 6:
        return bytes(IPv6(src="fd00:9::1", dst="fd00:9::2", tc=tos, hlim=ttl) / upper /
                     Raw(bytes(octets - 48)))
    return bytes(IP(src="10.9.0.1", dst="10.9.0.2", tos=tos, ttl=ttl, flags="DF" if df else 0) /
                 upper / Raw(bytes(octets - 28)))


def send():
    with taplib.netns("west"):
        raw = {4: socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW),
               6: socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_RAW)}
    to, settings = {4: "10.9.0.2", 6: "fd00:9::2"}, Settings()
    for number, (name, out, link, peer, inside, what, wanted) in enumerate(cases()):
        settings.set(out, link, peer)
        for _ in range(2 if "flow" in link + peer else 1):
            raw[inside].sendto(packet(inside, FIRST + number, *what), (to[inside], 0))
        if wanted is None:
            # A route that learned of a smaller MTU would refuse before esptun is asked.
            run("ip", "-%d" % inside, "route", "flush", "cache")


def seen(path):
    """By inner port: TOS, TTL, DF, pieces; a set of flow label and UDP checksum."""
    fields = ("udp.dstport", "ip.dsfield", "ip.ttl", "ip.flags.df", "ip.fragment.count",
              "ipv6.tclass", "ipv6.hlim", "ipv6.fragment.count", "ipv6.flow", "udp.checksum")
    said = subprocess.run(
        ["tshark", "-n", "-r", path, "-o", "esp.enable_encryption_decode:TRUE", "-Y",
         "esp.spi == 0x3001 && udp", "-T", "fields", "-E", "separator=;", "-E", "occurrence=a"] +
        [word for f in fields for word in ("-e", f)], check=True, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, text=True).stdout
    found, more = {}, {}
    for line in said.splitlines():
        ports, tos, ttl, df, pieces, tclass, hlim, pieces6, label, check = [
            f.split(",") for f in line.split(";")]
        port = int(ports[-1])
        # The outer header is the first one of its family in the frame.
        if OUTER6.get(port):
            found[port] = (int(tclass[0], 0), int(hlim[0]), False, int(pieces6[0] or 1))
        else:
            found[port] = (int(tos[0], 0), int(ttl[0]), df[0] in ("1", "True"),
                           int(pieces[0] or 1))
        more.setdefault(port, set()).add((int(label[0] or "0", 0), int(check[0], 0)))
    return found, more


OUTER6 = {FIRST + i: case[1] == 6 for i, case in enumerate(cases())}


def judge_labels(more):
    """RFC 6438, RFC 6935."""
    last = FIRST + len(OUTER6) - 2
    first = last - 3 * LABEL_CASES
    labels = [[{one for one, _ in more.get(port, {(0, 0)})} for port in range(at, at + LABEL_CASES)]
              for at in range(first, last, LABEL_CASES)]
    of_sa = {one for port in range(FIRST, first) if OUTER6[port]
             for one, _ in more.get(port, ())}
    equal(len(of_sa), 1, "all packets of an SA have one flow label")
    ok(0 not in of_sa, "which is not 0")
    for name, group in zip(("of the link", "of the peer"), labels):
        ok(all(len(one) == 1 for one in group), "inner flows, %s: each has one label" % name, group)
        # Of 2^20.
        equal(len(set.union(*group) | of_sa), LABEL_CASES + 1,
              "inner flows, %s: another one than others and the SA" % name)
        ok(0 not in set.union(*group), "inner flows, %s: not 0" % name)
    equal(set.union(*labels[2]), of_sa, "a peer with the SA's label although its link has others")
    zero = [{check for _, check in more.get(port, ())} == {0} for port in (last, last + 1)]
    ok(zero[1], "without UDP checksum over IPv6, for a peer that asks for it")
    with_one = [port for port in range(FIRST, last) if OUTER6[port] and port in more]
    ok(with_one and all(check for port in with_one for _, check in more[port]),
       "with one for others")


def judge(path):
    found, more = seen(path)
    for number, (name, out, _, _, inside, _, wanted) in enumerate(cases()):
        equal(found.get(FIRST + number), wanted, "IPv%d in IPv%d, %s" % (inside, out, name))
    judge_labels(more)
    taplib.finish()


if sys.argv[1] == "send":
    send()
else:
    judge(sys.argv[2])
