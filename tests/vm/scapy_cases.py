#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""scapy as the east end of two_hosts; esptun is in namespace west, with one
peer. See t_scapy.sh. All cases for two algorithms, the shorter ones for all."""
import os
import socket
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import genl  # noqa: E402
import taplib  # noqa: E402
from espwire import (ALGORITHMS, ICMP, IP, UDP, ICMPv6EchoRequest, IPv6, Raw, Wire,  # noqa: E402
                     echo_reply, key, trailer)
from taplib import equal, ok  # noqa: E402

WEST, EAST = "10.9.0.1", "10.9.0.2"
WEST6, EAST6 = "fd00:9::1", "fd00:9::2"
SPI_WEST, SPI_EAST = 0x2001, 0x3001
SPI_NARROW = 0x2002
SPI_LIMITED = 0x2003
KEY_WEST, KEY_EAST = 0x50, 0xa0

with taplib.netns("west"):
    family = genl.Family()
    link = genl.ifindex("vpn0")
alg = esn = wire = None
echo_id = 0


def counters():
    return genl.counters(family)


def raised(before):
    """What was counted since then."""
    now = counters()
    return {k: now[k] - before[k] for k in now if now[k] != before[k]}


def echo(src=EAST, dst=WEST, data=b"x" * 32):
    """An inner echo request nobody has sent before."""
    global echo_id
    echo_id += 1
    if ":" in src:
        return IPv6(src=src, dst=dst) / ICMPv6EchoRequest(id=echo_id, seq=1, data=data)
    return IP(src=src, dst=dst) / ICMP(type=8, id=echo_id, seq=1) / Raw(data)


def reply_id(data):
    """The identifier of an echo reply in a datagram from the tunnel, or None."""
    if len(data) < 30:
        return None
    inner = bytes(wire.open(data))
    if inner[0] >> 4 == 4 and inner[9] == 1 and inner[20] == 0:
        return int.from_bytes(inner[24:26], "big")
    if inner[0] >> 4 == 6 and inner[6] == 58 and inner[40] == 129:
        return int.from_bytes(inner[44:46], "big")
    return None


def replies(timeout=20.0):
    """Identifiers of the answers out of the tunnel, up to that to the last
    echo(): packets keep their order, so one let in before it answers before it."""
    got = []
    while True:
        data = wire.receive(timeout)
        if data is None:
            return got
        number = reply_id(data)
        if number is not None:
            got.append(number)
        if number == echo_id:
            return got


def answered(timeout=20.0):
    """The answer to the last echo() comes out of the tunnel."""
    return echo_id in replies(timeout)


def alive():
    wire.send(wire.esp(echo()))
    return answered()


def drop(name, counter, datagram):
    """`datagram` must raise `counter` by one, nothing else, and not get in;
    then the tunnel must still work."""
    wire.drain()
    before = counters()
    wire.send(datagram)
    bad = echo_id
    wire.send(wire.esp(echo()))
    answers = replies()
    now = counters()
    got = {k: now[k] - before[k] for k in now if now[k] != before[k]}
    ok(got == {counter: 1} and answers == [echo_id], name,
       "counters raised: %r, wanted only %s; %s; tunnel %s afterwards" %
       (got, counter, "it was let in" if bad in answers else "not let in",
        "works" if echo_id in answers else "is broken"))


def answer_ping(target, size, seen):
    ping = subprocess.Popen(
        ["ip", "netns", "exec", "west", "ping", "-n", "-c1", "-W30", "-s", str(size), target],
        stdout=subprocess.DEVNULL)
    while ping.poll() is None:
        data = wire.receive(0.3)
        if data is not None:
            seen.append(data)
            reply = echo_reply(wire.open(data))
            if reply is not None:
                wire.send(wire.esp(reply))
    return ping.returncode == 0


def outbound():
    """What esptun sends, seen by scapy and by the cryptography library."""
    seen = []
    for target in (EAST, EAST6):
        sizes = (56, 57, 58, 59)
        # One at a time: after the first answer ping does not wait long for others.
        fine = [size for size in sizes if answer_ping(target, size, seen)]
        equal(fine, list(sizes), "ping %s, answered by scapy" % target)

    opened = [wire.unseal(data) for data in seen]
    equal({o[0] for o in opened}, {SPI_EAST}, "our packets carry the SPI the peer chose")
    numbers = [o[1] for o in opened]
    equal(numbers, list(range(numbers[0], numbers[0] + len(numbers))),
          "sequence numbers rise by one")
    equal(len({o[2] for o in opened}), len(opened), "no IV is used twice")
    ok(all((len(d) - 32) % 4 == 0 for d in seen), "ciphertext is a multiple of four octets")
    good = True
    for _, _, _, plain in opened:
        pad, next_header = plain[-2], plain[-1]
        inner = plain[:len(plain) - 2 - pad]
        good &= pad < 4 and plain[len(inner):-2] == bytes(range(1, pad + 1))
        good &= next_header == (4 if inner[0] >> 4 == 4 else 41)
        good &= len(inner) == (int.from_bytes(inner[2:4], "big") if next_header == 4 else
                               int.from_bytes(inner[4:6], "big") + 40)
    ok(good and opened, "padding 1, 2, 3 ..., shortest; next header 4 or 41")


def inbound():
    wire.send(wire.esp(echo()))
    ok(answered(), "scapy's IPv4 packet gets in and is answered")
    wire.send(wire.esp(echo(EAST6, WEST6)))
    ok(answered(), "scapy's IPv6 packet gets in and is answered")
    wire.send(wire.seal(trailer(bytes(echo()), 4, 256)))
    ok(answered(), "long padding (RFC 4303 2.4) gets in")
    wire.send(wire.seal(trailer(bytes(echo()) + b"\0" * 77, 4)))
    ok(answered(), "traffic flow padding (RFC 4303 2.7) gets in")
    wire.send(wire.seal(trailer(bytes(echo(EAST6, WEST6)) + b"\x55" * 33, 41)))
    ok(answered(), "traffic flow padding behind IPv6 gets in")
    late = wire.next_seq()
    wire.seq += 900
    ok(alive(), "a jump of 900 sequence numbers")
    wire.send(wire.esp(echo(), late))
    ok(answered(), "a packet 900 late, inside the window, gets in")


def not_drops():
    for name, counter, datagram in (
            ("NAT keepalive", "rx-keepalive", b"\xff"),
            ("dummy packet, next header 59", "rx-dummy", None)):
        if datagram is None:
            datagram = wire.seal(trailer(b"junk junk junk", 59))
        drop(name, counter, datagram)


def truncations():
    full = wire.esp(echo())
    wire.send(full)
    answered()
    for length in (0, 1, 4, 8, 15, 16, 31, 32, 33):
        if length == 1:
            drop("one octet that is not 0xff", "rx-truncated", b"\x20")
        else:
            # A new sequence number each, or replay would be the reason.
            whole = wire.esp(echo())
            drop("cut to %d octets" % length, "rx-truncated", whole[:length])
    whole = wire.esp(echo())
    drop("cut by one octet", "rx-truncated", whole[:-1])
    whole = wire.esp(echo())
    drop("cut by four octets: aligned, so its ICV is wrong", "rx-auth", whole[:-4])
    drop("non-ESP marker and nobody to take it", "rx-ike-no-agent", b"\0\0\0\0" + b"\x11" * 28)


def forgeries():
    whole = wire.esp(echo())
    drop("a bit of the ICV flipped", "rx-auth", whole[:-1] + bytes([whole[-1] ^ 1]))
    drop("a bit of the payload flipped", "rx-auth",
         whole[:20] + bytes([whole[20] ^ 0x80]) + whole[21:])
    drop("a bit of the IV flipped", "rx-auth", whole[:8] + bytes([whole[8] ^ 1]) + whole[9:])
    changed = (wire.next_seq()).to_bytes(4, "big")
    drop("another sequence number written in", "rx-auth", whole[:4] + changed + whole[8:])
    wire.send(whole)
    other = type(wire.cipher_out)(bytes(len(wire.raw_key_out) - 4))
    drop("made with another key", "rx-auth",
         wire.seal(trailer(bytes(echo()), 4), cipher=other))
    far = wire.seq + 100000
    drop("a far sequence number, forged, does not move the window", "rx-auth",
         wire.seal(trailer(bytes(echo()), 4), seq=far, cipher=other))
    for spi in (0x7fffffff, 255, 1, 0x01200000):
        drop("SPI %#x nobody has" % spi, "rx-no-sa",
             wire.seal(trailer(bytes(echo()), 4), spi=spi))
    drop("SPI of the outbound SA", "rx-no-sa",
         wire.seal(trailer(bytes(echo()), 4), spi=SPI_EAST))


def replays():
    whole = wire.esp(echo())
    wire.send(whole)
    answered()
    drop("the same packet again", "rx-replay", whole)
    old = wire.seq - 1
    wire.seq += 5000
    alive()
    # With ESN, what is behind the window is taken for ahead, RFC 4303 A2.2.
    drop("far behind the window", "rx-auth" if esn else "rx-replay", wire.esp(echo(), old))
    drop("just behind the window", "rx-auth" if esn else "rx-replay",
         wire.esp(echo(), wire.seq - 1024))
    wire.send(wire.esp(echo(), wire.seq - 1000))
    ok(answered(), "inside the window")
    if not esn:
        drop("sequence number 0", "rx-replay", wire.seal(trailer(bytes(echo()), 4), seq=0))


def bad_inside():
    inner = bytes(echo())
    plain = trailer(inner + b"y", 4)
    assert plain[-2] > 0
    drop("padding octets not 1, 2, 3", "rx-padding",
         wire.seal(plain[:-3] + b"\x77" + plain[-2:]))
    drop("pad length longer than the packet", "rx-padding",
         wire.seal(inner + bytes(-(len(inner) + 2) % 4) + b"\xff\x04"))
    for number in (0, 6, 17, 50, 255):
        drop("next header %d in tunnel mode" % number, "rx-next-header",
             wire.seal(trailer(inner, number)))

    def inner_case(name, octets, next_header=4):
        drop("inner: " + name, "rx-inner", wire.seal(trailer(octets, next_header)))

    inner_case("nothing", b"")
    inner_case("19 octets of IPv4", inner[:19])
    inner_case("IPv6 under next header 4", bytes(echo(EAST6, WEST6)))
    inner_case("IPv4 under next header 41", inner + b"\0" * 40, 41)
    inner_case("header length 4", bytes([0x44]) + inner[1:])
    inner_case("header longer than the packet", bytes([0x4f]) + inner[1:2] + b"\0\x20" +
               inner[4:32])
    inner_case("total length beyond the packet", inner[:2] + b"\x10\0" + inner[4:])
    inner_case("total length below the header", inner[:2] + b"\0\x13" + inner[4:])
    six = bytes(echo(EAST6, WEST6))
    inner_case("39 octets of IPv6", six[:39], 41)
    inner_case("IPv6 payload beyond the packet", six[:4] + b"\x10\0" + six[6:], 41)


def narrow():
    """An SA whose selectors allow 10.9.0.2 udp 7 to 10.9.0.1, and echo."""
    sas("in", SPI_NARROW, KEY_WEST, **{
        "ts-local": [{"address": WEST, "prefix-len": 32}],
        "ts-remote": [{"address": EAST, "prefix-len": 32, "protocol": 17,
                       "port-start": 7, "port-end": 9},
                      {"address": EAST, "prefix-len": 32, "protocol": 1}]})
    number = 0

    def sealed(inner):
        nonlocal number
        number += 1
        return wire.seal(trailer(bytes(inner), 4 if inner.version == 4 else 41),
                         spi=SPI_NARROW, seq=number)

    wire.send(sealed(echo()))
    ok(answered(), "within the selectors")
    drop("selectors: inner source", "rx-ts", sealed(echo(src="10.9.0.3")))
    drop("selectors: inner destination", "rx-ts", sealed(echo(dst="10.9.0.5")))
    drop("selectors: address family", "rx-ts", sealed(echo(EAST6, WEST6)))
    drop("selectors: protocol", "rx-ts",
         sealed(IP(src=EAST, dst=WEST, proto=132) / Raw(b"x" * 20)))
    for port in (6, 10):
        drop("selectors: port %d outside 7 to 9" % port, "rx-ts",
             sealed(IP(src=EAST, dst=WEST) / UDP(sport=port, dport=4444) / Raw(b"x" * 20)))
    drop("selectors: a later fragment has no ports to match", "rx-ts-fragment",
         sealed(IP(src=EAST, dst=WEST, proto=17, frag=100) / Raw(b"\0\7" * 20)))
    family.call("sa-del", {"ifindex": link, "sa": {"spi": SPI_NARROW, "dir": "in"}})
    drop("its SPI after the SA is deleted", "rx-no-sa", sealed(echo()))


def expired():
    sas("in", SPI_LIMITED, KEY_WEST, **{"hard-packets": 2})

    def sealed(number):
        return wire.seal(trailer(bytes(echo()), 4), spi=SPI_LIMITED, seq=number)

    for number in (1, 2):
        wire.send(sealed(number))
        ok(answered(), "packet %d of an SA with a hard limit of 2" % number)
    drop("packet 3 of it", "rx-expired", sealed(3))
    family.call("sa-del", {"ifindex": link, "sa": {"spi": SPI_LIMITED, "dir": "in"}})


def link_down():
    subprocess.run(["ip", "-n", "west", "link", "set", "vpn0", "down"], check=True)
    before = counters()
    wire.send(wire.esp(echo()))
    taplib.wait_for(3, lambda: raised(before))
    equal(raised(before), {"rx-link-down": 1}, "packet for a link that is down")
    subprocess.run(["ip", "-n", "west", "link", "set", "vpn0", "up"], check=True)
    # The kernel takes IPv6 addresses away when a link goes down.
    subprocess.run(["ip", "-n", "west", "addr", "replace", WEST6 + "/64", "dev", "vpn0",
                    "nodad"], check=True)
    ok(taplib.wait_for(5, alive), "up again, the tunnel works")


def congestion():
    """RFC 6040 4.2: what the outer header's ECN field does to the inner one.
    The kernel answers an echo with the TOS it got."""
    def through(inner, outer):
        request = echo()
        request.tos = inner
        wire.drain()
        wire.sock.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, outer)
        wire.send(wire.esp(request))
        wire.sock.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, 0)
        data = wire.receive()
        return None if data is None else wire.open(data)[IP].tos & 3

    for inner, outer, wanted in ((2, 3, 3), (1, 3, 3), (2, 0, 2), (2, 2, 2), (1, 2, 1),
                                 (0, 2, 0), (3, 0, 3)):
        equal(through(inner, outer), wanted, "ECN: inner %d in outer %d" % (inner, outer))
    request = wire.esp(echo())
    wire.sock.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, 3)
    before = counters()
    wire.send(request)
    taplib.wait_for(3, lambda: raised(before))
    entered = answered(0.3)
    wire.sock.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, 0)
    equal((entered, raised(before)), (False, {"rx-ecn": 1}),
          "ECN: congestion marked on what does not understand it")
    ok(alive(), "and the tunnel works")


def rollover():
    """The high half of a 64-bit sequence number is never sent: RFC 4303 A2."""
    for number in (0x7ffffff0, 0xfffffff0, 0xffffffff, 0x100000000, 0x100000001):
        wire.seq = number - 1
        ok(alive(), "extended sequence number %#x" % number)
    drop("replayed from before the rollover", "rx-replay", wire.esp(echo(), 0xffffffff))
    wire.send(wire.esp(echo(), 0xfffffffe))
    ok(answered(), "a late one from before the rollover gets in")
    drop("made with the wrong high half", "rx-auth",
         wire.seal(trailer(bytes(echo()), 4), seq=0x200000010))


def sas(direction, spi, start, **more):
    family.call("sa-new", {"ifindex": link, "sa": dict({
        "spi": spi, "dir": direction, "peer": 1, "esn": int(esn),
        "encr": 28 if "chacha" in alg else 20, "encr-key": key(alg, start)}, **more)})


def run(algorithm, extended, full):
    global alg, esn, wire
    alg, esn = algorithm, extended
    taplib.prefix = "%s esn %s: " % (alg, "on" if esn else "off")
    family.call("flush", {"ifindex": link})
    sas("in", SPI_WEST, KEY_WEST)
    sas("out", SPI_EAST, KEY_EAST)
    wire = Wire(alg, esn, "192.0.2.2", "192.0.2.1", SPI_EAST, KEY_EAST, SPI_WEST, KEY_WEST)
    outbound()
    inbound()
    if full:
        not_drops()
        truncations()
        forgeries()
        replays()
        bad_inside()
        congestion()
        narrow()
        expired()
        link_down()
    if esn:
        rollover()
    wire.sock.close()


for one in ALGORITHMS:
    for with_esn in (False, True):
        run(one, with_esn, (one, with_esn) in (("aes-gcm-256", False),
                                               ("chacha20-poly1305", True)))
taplib.finish()
