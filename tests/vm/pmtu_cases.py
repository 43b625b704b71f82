#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""ICMP errors "too big" about packets that esptun in namespace a sent to b, made with scapy and
sent by the router, who has seen none of them: which are believed. See t_pmtu.sh.

  pmtu_cases.py udp|esp|ike ADDRESS-OF-A ADDRESS-OF-B"""
import os
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import genl  # noqa: E402
import taplib  # noqa: E402
from scapy.layers.inet import ICMP, IP, UDP  # noqa: E402
from scapy.layers.inet6 import ICMPv6DestUnreach, ICMPv6PacketTooBig, IPv6  # noqa: E402
from scapy.packet import Raw  # noqa: E402
from taplib import equal, ok, wait_for  # noqa: E402

WHAT, A, B = sys.argv[1:]
SIX = ":" in A
PLAIN = WHAT == "esp"
ELSEWHERE = "2001:db8:b::66" if SIX else "198.51.100.66"
SPI_IN, SPI_OUT = 0x2001, 0x3001
ICMP_PROTO = 58 if SIX else 1
OUTER = (40 if SIX else 20) + (0 if PLAIN else 8)

with taplib.netns("a"):
    family, link = genl.Family(), genl.ifindex("vpn0")
with taplib.netns("router"):
    icmp = socket.socket(socket.AF_INET6 if SIX else socket.AF_INET, socket.SOCK_RAW, ICMP_PROTO)


def peer():
    return family.call("peer-get", {"ifindex": link, "peer": {"id": 1}}, False)[0]["peer"]


def last_sent():
    reply = family.call("sa-get", {"ifindex": link, "sa": {"dir": "out", "spi": SPI_OUT, "peer": 1}}, False)
    return reply[0]["sa"]["seq"]


def refused():
    return genl.counters(family)["rx-icmp-refused"]


def quote(data, to=B, port=4500, from_port=4500):
    """A datagram of a's, or ESP, that an error may quote."""
    inner = Raw(data) if PLAIN else UDP(sport=from_port, dport=port, len=1400, chksum=0) / Raw(data)
    if SIX:
        return bytes(IPv6(src=A, dst=to, nh=50 if PLAIN else 17, plen=1400) / inner)
    return bytes(IP(src=A, dst=to, proto=50 if PLAIN else 17, flags="DF", len=1420) / inner)


def esp(spi=SPI_OUT, seq=0):
    return spi.to_bytes(4, "big") + (seq & 0xffffffff).to_bytes(4, "big") + bytes(64)


def tell(mtu, quoted):
    if SIX:
        error = IPv6(dst=A) / ICMPv6PacketTooBig(mtu=mtu) / Raw(quoted)
        icmp.sendto(bytes(error[ICMPv6PacketTooBig]), (A, 0))
    else:
        icmp.sendto(bytes(ICMP(type=3, code=4, nexthopmtu=mtu) / Raw(quoted)), (A, 0))
    time.sleep(0.2)


def unreachable(quoted):
    if SIX:
        error = IPv6(dst=A) / ICMPv6DestUnreach(code=3) / Raw(quoted)
        icmp.sendto(bytes(error[ICMPv6DestUnreach]), (A, 0))
    else:
        icmp.sendto(bytes(ICMP(type=3, code=1) / Raw(quoted)), (A, 0))
    time.sleep(0.2)


def forget():
    family.call("peer-set", {"ifindex": link, "peer": {"id": 1, "keepalive": 0}})


def fits(mtu):
    """Bytes of an inner packet, AES-GCM: header, IV, ICV, padding to 4, two of trailer."""
    return ((mtu - OUTER - 32) & ~3) - 2


def forged():
    seq = last_sent()
    ok(seq > 1 << 20, "numbers began beyond the window", seq)
    bad = {
        "another SPI": quote(esp(SPI_OUT + 1, seq)),
        "the SPI of received packets": quote(esp(SPI_IN, seq)),
        "a number that was not sent": quote(esp(seq=seq + 1)),
        "a number of long ago": quote(esp(seq=seq - (1 << 20))),
        "number 0": quote(esp(seq=0)),
        "another destination": quote(esp(seq=seq), to=ELSEWHERE),
    }
    if not PLAIN:
        bad["another port of the peer"] = quote(esp(seq=seq), port=4501)
    for name, quoted in bad.items():
        before = refused()
        tell(1300, quoted)
        equal((peer()["mtu"], refused() - before), (fits(1500), 1),
              "an error that quotes %s is not believed, and counted" % name)
    before = refused()
    unreachable(quote(esp(SPI_OUT + 1, seq)))
    equal(refused() - before, 0, "one of another kind, which could not teach anything, is not counted")
    if not PLAIN:
        for name, data in (("IKE", bytes(4) + bytes(60)), ("a keepalive", b"\xff")):
            whole = quote(data)
            at = len(whole) - len(data) - 4
            whole = whole[:at] + (8 + len(data)).to_bytes(2, "big") + whole[at + 2:]
            tell(1300, whole)
            equal((peer()["mtu"], refused() - before), (fits(1500), 0),
                  "one that quotes %s is not believed; hosts without an agent send such" % name)
        tell(1300, quote(esp(seq=seq), from_port=4501))
        equal(peer()["mtu"], fits(1500), "nor one that quotes another port of ours")


def short():
    """Routers may quote 8 bytes behind the IP header: in UDP they show no SPI. Over IPv6 they quote more."""
    before = refused()
    for name, quoted in {"no more than the UDP header": quote(b""), "half of the ESP header": quote(esp()[:7])}.items():
        tell(1300, quoted)
        equal(peer()["mtu"], fits(1500 if SIX else 1300),
              "an error that quotes %s is %sbelieved" % (name, "not " if SIX else ""))
        forget()
    for name, quoted in {"port of the peer": quote(b"", port=4501), "port of ours": quote(b"", from_port=4501),
                         "destination": quote(b"", to=ELSEWHERE)}.items():
        tell(1300, quoted)
        equal(peer()["mtu"], fits(1500), "one as short with another %s is not" % name)
    if not SIX:
        tell(600, quote(b""))
        equal(peer()["mtu"], fits(1280), "600 from anybody are taken for 1,280")
        tell(0, quote(b""))
        equal(peer()["mtu"], fits(1280), "so is 0, of routers older than RFC 1191")
        tell(1000, quote(esp(seq=last_sent())))
        equal(peer()["mtu"], fits(1000), "a proven one still teaches less")
        forget()
    equal(refused() - before, 0, "none of these is counted")


def undiscovered():
    """The stack's own reading of the error is 0 then."""
    with taplib.netns("a"):
        subprocess.run(["sysctl", "-qw", "net.ipv4.ip_no_pmtu_disc=1"], check=True)
        tell(1400, quote(esp(seq=last_sent())))
        equal(peer()["mtu"], fits(1400), "with ip_no_pmtu_disc=1 the error's own number counts")
        subprocess.run(["sysctl", "-qw", "net.ipv4.ip_no_pmtu_disc=0"], check=True)
    forget()


def poisoned():
    """Over IPv4 the kernel's routes believe whoever quotes any UDP, or an echo reply."""
    tell(1300, bytes(IP(src=A, dst=B) / ICMP(type=0) / Raw(bytes(64))))
    with taplib.netns("a"):
        said = subprocess.run(["ip", "route", "get", B], stdout=subprocess.PIPE, check=True).stdout.decode()
        ping = subprocess.run(["ping", "-n", "-c", "3", "-i", "0.2", "-W", "9", "-M", "do", "-s", "1392", "10.9.0.2"],
                              stdout=subprocess.PIPE, check=False)
    ok("mtu 1300" in said, "the kernel's route has learned 1,300 from one of them", said)
    equal(peer()["mtu"], fits(1500), "the peer has not")
    ok(ping.returncode == 0, "longer packets leave whole", ping.stdout.decode())


def honest():
    seq = last_sent()
    before = refused()
    tell(1400, quote(esp(seq=seq)))
    ok(wait_for(3, lambda: peer()["mtu"] == fits(1400)), "the number sent last is believed", peer())
    tell(1390, quote(esp(seq=seq - 2)))
    ok(wait_for(3, lambda: peer()["mtu"] == fits(1390)), "so is one shortly before it", peer())
    tell(1450, quote(esp(seq=seq)))
    equal(peer()["mtu"], fits(1390), "more than what is known is not")
    tell(68, quote(esp(seq=seq)))
    if SIX:
        equal(peer()["mtu"], fits(1390), "nor less than 1,280, which every path carries")
        tell(1280, quote(esp(seq=seq)))
        ok(wait_for(3, lambda: peer()["mtu"] == fits(1280)), "1,280 is", peer())
    else:
        ok(wait_for(3, lambda: peer()["mtu"] == fits(552)), "68 bytes are taken for 552, the least", peer())
    equal(refused() - before, 0, "none of these is counted as refused")


def ike():
    """Over a path of 1,300 bytes that nobody has learned of."""
    with taplib.netns("b"):
        sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        sock.bind((B, 4500))
        sock.settimeout(3)
    data = bytes(range(1, 201)) * 7
    family.call("ike-send", {"ifindex": link, "ike": {"remote-address": B, "remote-port": 4500, "data": data.hex()}})
    try:
        got = sock.recv(2000)
    except socket.timeout:
        got = b""
    equal(len(got), 4 + len(data), "1,400 bytes arrive at once where the path carries 1,300")


if WHAT == "ike":
    ike()
else:
    forged()
    if not SIX:
        poisoned()
        undiscovered()
    if not PLAIN:
        short()
    honest()
taplib.finish()
