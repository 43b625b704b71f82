#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What a stranger and a peer that lies can send to esptun in namespace west: frames made from
scratch in namespace mallory, every field of every header wrong in turn. Each must be counted as
what it is, exactly, or be the kernel's affair; nothing else may change. See t_adversary.sh."""
import contextlib
import os
import random
import socket
import struct
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import genl  # noqa: E402
import taplib  # noqa: E402
from espwire import Wire, trailer  # noqa: E402
from load import Child, sock  # noqa: E402
from taplib import equal, ok  # noqa: E402
from wire import fold  # noqa: E402

WEST, WEST6, MALLORY, MALLORY6 = "192.0.2.1", "2001:db8::1", "198.51.100.2", "2001:db8:1::2"
INSIDE, LIAR, HONEST = "10.9.0.1", "10.9.0.3", "10.9.0.2"
SPI, SPI_WINDOW, WINDOW = 0x2002, 0x2b55, 128
PORT, FLOW_PORT = 9999, 9998
SO_RCVBUFFORCE = 33

with taplib.netns("west"):
    family, link = genl.Family(), genl.ifindex("vpn0")
    inside = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    inside.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 8 << 20)
    inside.bind((INSIDE, PORT))
ours = bytes.fromhex(sys.argv[1].replace(":", ""))
with taplib.netns("mallory"):
    raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    raw.bind(("m0", 0))
    wire = Wire("aes-gcm-256", False, MALLORY, WEST, 0x3002, 0xc0, SPI, 0x70, port=0)
serial = 0


def counters():
    return genl.counters(family)


def moved(before):
    now = counters()
    return {k: v - before.get(k, 0) for k, v in now.items() if v != before.get(k, 0)}


def peer(number):
    return family.call("peer-get", {"ifindex": link, "peer": {"id": number}})[0]["peer"]


# ---- frames ----


def ip4(data, version=4, ihl=None, tos=0, total=None, ident=7, flags=0, ttl=64, proto=17, check=None,
        src=MALLORY, dst=WEST, options=b""):
    ihl = 5 + len(options) // 4 if ihl is None else ihl
    total = 20 + len(options) + len(data) if total is None else total
    head = struct.pack("!BBHHHBBH", version << 4 | ihl, tos, total, ident, flags, ttl, proto, 0) + \
        socket.inet_aton(src) + socket.inet_aton(dst) + options
    # A header that says it is longer has its sum over as much.
    summed = fold((head + data)[:max(ihl, 5) * 4])
    check = ~summed & 0xffff if check is None else check
    return b"\x08\x00" + head[:10] + struct.pack("!H", check) + head[12:] + data


def ip6(data, version=6, tclass=0, label=0, total=None, following=17, hops=64, src=MALLORY6, dst=WEST6):
    head = struct.pack("!LHBB", version << 28 | tclass << 20 | label, len(data) if total is None else total,
                       following, hops)
    return b"\x86\xdd" + head + socket.inet_pton(socket.AF_INET6, src) + \
        socket.inet_pton(socket.AF_INET6, dst) + data


def udp(data, sport=4500, dport=4500, length=None, check=None, src=MALLORY, dst=WEST):
    length = 8 + len(data) if length is None else length
    head = struct.pack("!HHHH", sport, dport, length, 0)
    if check is None:
        kind = socket.AF_INET6 if ":" in src else socket.AF_INET
        pseudo = socket.inet_pton(kind, src) + socket.inet_pton(kind, dst) + struct.pack("!LL", length, 17)
        check = ~fold(pseudo + head + data) & 0xffff or 0xffff
    return head[:6] + struct.pack("!H", check) + data


def send(packet):
    raw.send(ours + bytes(5) + b"\2" + packet)


def numbered(src=LIAR, dst=INSIDE, tos=0):
    """An inner packet with a number, and the number."""
    global serial
    serial += 1
    data = b"%08d" % serial
    return ip4(udp(data, PORT, PORT, src=src, dst=dst), src=src, dst=dst, tos=tos)[2:]


def sealed(inner=None, seq=None, spi=None):
    return wire.seal(trailer(inner or numbered(), 4), seq, spi)


def plain(esp, **fields):
    return ip4(udp(esp, check=0), **fields)


def arrivals():
    """Numbers out of the tunnel, up to that of one more good packet: what was sent before it has
    been judged by then."""
    send(plain(sealed()))
    got, last = [], serial
    inside.settimeout(20)
    with contextlib.suppress(socket.timeout):
        while not got or got[-1] != last:
            got.append(int(inside.recv(100)))
    return got[:-1] if got and got[-1] == last else got + ["and no more"]


def expect(name, frames, count=None, arrive=0):
    """These frames raise these counters and no other; so many come out of the tunnel."""
    before = counters()
    for frame in frames:
        send(frame)
    got = arrivals()
    return ok((moved(before), len(got)) == (count or {}, arrive), name,
              "counted %r, wanted %r; %d arrived, wanted %d" % (moved(before), count, len(got), arrive))


# ---- outer headers ----


def outer4():
    def each(name, values, arrives=False, **more):
        frames = [plain(sealed(), **{**more, name: v}) for v in values]
        expect("IPv4 %s %s: %s" % (name, ", ".join(str(v) for v in values[:12]),
                                   "taken" if arrives else "the kernel's affair"),
               frames, {}, len(frames) if arrives else 0)

    each("version", [v for v in range(16) if v != 4])
    each("ihl", [0, 1, 2, 3, 4, 6, 10, 15])
    each("total", [0, 1, 19, 20, 21, 27, 28, 40, 60, 65535])
    each("ident", [0, 1, 0x8000, 0xffff], True)
    each("flags", [0x4000, 0x8000, 0xc000], True)
    each("flags", [0x2000, 0x0001, 0x1fff, 0x3fff, 0x2001])
    each("ttl", [1, 2, 255], True)
    each("proto", [p for p in range(0, 256, 5) if p != 17] + [50, 51, 4, 41, 6])
    each("check", [0x1234, 0xffff])
    each("src", ["127.0.0.1", "224.0.0.1", "255.255.255.255", "0.0.0.0", WEST, INSIDE])
    each("src", ["203.0.113.7", "192.0.2.2", "198.51.100.254"], True)
    each("dst", ["127.0.0.1", "203.0.113.7"])
    each("options", [b"\1\1\1\0", b"\x94\4\0\0", b"\7\7\4\0\0\0\0\0"], True)
    each("options", [b"\x83\7\4\xc6\x33\x64\2\0", b"\7\0\0\0", b"\7\x28\4\0", b"\x44\1\0\0"])
    expect("IPv4 tos, all of them: a mark of congestion on what does not know it",
           [plain(sealed(), tos=tos) for tos in range(256)], {"rx-ecn": 64}, 192)


def outer_udp():
    def each(name, values, arrives=False, count=None, **more):
        frames = [ip4(udp(sealed(), **{**more, name: v})) for v in values]
        expect("UDP %s %s" % (name, ", ".join(str(v) for v in values[:12])), frames, count,
               len(frames) if arrives else 0)

    each("sport", [0, 1, 4500, 65535], True)
    each("dport", [0, 1, 500, 4499, 4501, 65535])
    each("length", [0, 1, 7, 200, 1000, 65535], check=0)
    each("check", [0, None], True)
    each("check", [0x1234, 1])
    full = 8 + len(sealed())
    # What UDP says is all that there is: cut short, ESP is not authentic or not possible.
    cut = list(range(8, full))
    good = len([n for n in cut if n - 8 >= 36 and (n - 8) % 4 == 0])
    each("length", cut, count={"rx-auth": good, "rx-truncated": len(cut) - good}, check=0)


def outer6():
    def frame(**fields):
        at = {k: fields[k] for k in ("src", "dst") if k in fields}
        return ip6(udp(sealed(), **{"src": MALLORY6, "dst": WEST6, **at}), **fields)

    def each(name, values, arrives=False):
        frames = [frame(**{name: v}) for v in values]
        expect("IPv6 %s %s" % (name, ", ".join(str(v) for v in values[:12])), frames, {},
               len(frames) if arrives else 0)

    def extended(number, header):
        return ip6(header + udp(sealed(), src=MALLORY6, dst=WEST6), following=number)

    each("version", [v for v in range(16) if v != 6])
    each("label", [0, 1, 0xfffff], True)
    each("total", [0, 1, 7, 8, 20, 60, 65535])
    each("hops", [1, 255], True)
    each("following", [1, 4, 41, 50, 51, 58, 59, 132, 255])
    each("src", ["::1", "ff02::1"])
    each("src", ["2001:db8:77::1", WEST6], True)
    expect("IPv6 traffic class, all of them", [frame(tclass=t) for t in range(256)], {"rx-ecn": 64}, 192)
    padding = b"\x11\0\1\4\0\0\0\0"
    expect("IPv6 destination and hop-by-hop options, a fragment that is the whole",
           [extended(60, padding), extended(0, padding), extended(44, b"\x11\0\0\0\0\0\0\7")], {}, 3)
    expect("IPv6 routing header of type 0, options that lie about their length, half a fragment",
           [extended(43, b"\x11\2\0\1\0\0\0\0" + bytes(16)), extended(60, b"\x11\xff\1\4\0\0\0\0"),
            extended(60, b"\x11\0\1\x20\0\0\0\0"), extended(44, b"\x11\0\0\1\0\0\0\x08")], {})
    expect("UDP over IPv6 without a checksum, and with a wrong one",
           [ip6(udp(sealed(), check=c, src=MALLORY6, dst=WEST6)) for c in (0, 0x1234)], {"rx-zero-csum6": 1})


# ---- ESP ----


class Window:
    """RFC 4303 3.4.3, written down once more."""

    def __init__(self, size):
        self.size, self.top, self.seen = size, 0, set()

    def takes(self, number):
        return number > self.top or (number > max(0, self.top - self.size) and number not in self.seen)

    def add(self, number):
        self.seen.add(number)
        self.top = max(self.top, number)


def every_bit():
    # What was lost before is behind the window.
    wire.seq += 5000
    arrivals()
    top, frames, wanted = wire.seq, [], {"rx-no-sa": 32}
    for bit in range(len(sealed()) * 8):
        data = bytearray(sealed())
        data[bit // 8] ^= 0x80 >> bit % 8
        frames.append(plain(bytes(data)))
        if bit < 32:
            continue
        number = struct.unpack_from("!L", data, 4)[0]
        # From here on none is authentic, so the window stays.
        reason = "rx-replay" if number == top or number <= top - 1024 else "rx-auth"
        wanted[reason] = wanted.get(reason, 0) + 1
    expect("each of %d bits of an ESP packet" % len(frames), frames, wanted)


def lengths():
    for name, spi, chosen in (("our SPI", SPI, None), ("a stranger's SPI", 0x7777, "rx-no-sa"),
                              ("no SPI, which is IKE", 0, "rx-ike-no-agent")):
        wanted = {}
        for n in range(201):
            reason = "rx-truncated" if n < 8 else chosen
            reason = reason or ("rx-auth" if n >= 36 and n % 4 == 0 else "rx-truncated")
            wanted[reason] = wanted.get(reason, 0) + 1
        far = struct.pack("!LL", spi, wire.seq + 50)
        expect("0 to 200 octets with %s" % name, [plain((far + bytes(200))[:n]) for n in range(201)], wanted)


def window():
    """Any order, in bursts that the kernel joins."""
    chance, model, number = random.Random(4303), Window(WINDOW), 1
    before, arrive, replays = counters(), [], 0
    for _ in range(40):
        for _ in range(50):
            number = chance.choice((number + 1, number + 1, number + 1, model.top + chance.randrange(1, 40),
                                    max(0, model.top - chance.randrange(WINDOW + 70)), max(0, model.top - WINDOW),
                                    max(1, model.top - WINDOW + 1)))
            send(plain(sealed(seq=number, spi=SPI_WINDOW)))
            if model.takes(number) and number:
                model.add(number)
                arrive.append(serial)
            else:
                replays += 1
        got = arrivals()
        wanted, arrive = arrive, []
        if got != wanted:
            return ok(False, "window of %d" % WINDOW, "arrived %s, wanted %s" % (got, wanted))
    return equal(moved(before), {"rx-replay": replays},
                 "2,000 numbers about the edges of a window of %d: %d are replays, the others arrive" % (
                     WINDOW, replays))


def inner_lengths():
    inner = numbered()
    size = len(inner)
    frames, bad, whole = [], 0, 0
    for claimed in range(size + 60):
        packet = ip4(inner[20:], src=LIAR, dst=INSIDE, total=claimed)[2:]
        frames.append(plain(sealed(packet)))
        bad += claimed < 20 or claimed > size
        whole += claimed == size
    expect("an inner IPv4 length from 0 to %d of %d" % (size + 59, size), frames, {"rx-inner": bad}, whole)
    frames = [plain(sealed(ip4(inner[20:], src=LIAR, dst=INSIDE, ihl=ihl)[2:])) for ihl in range(16)]
    expect("an inner header length from 0 to 15 words", frames,
           {"rx-inner": len([i for i in range(16) if i < 5 or i * 4 > size])}, 1)
    expect("inner versions other than that of the trailer",
           [plain(sealed(ip4(inner[20:], src=LIAR, dst=INSIDE, version=v)[2:])) for v in range(16) if v != 4],
           {"rx-inner": 15})


def selectors():
    expect("a peer that uses another's inner address, or ours, or any other",
           [plain(sealed(numbered(src=src))) for src in (HONEST, INSIDE, "0.0.0.0", "255.255.255.255", "10.9.0.4")],
           {"rx-ts": 5})
    expect("or writes to where it may not", [plain(sealed(numbered(dst=dst))) for dst in (HONEST, "224.0.0.1", WEST)],
           {"rx-ts": 3})


# ---- fragments, size ----


def fragments():
    def parts(ident, cuts, data):
        edges = [0] + cuts + [len(data)]
        return [ip4(data[a:b], ident=ident, flags=a // 8 | (0x2000 if b < len(data) else 0))
                for a, b in zip(edges, edges[1:])]

    one = parts(101, [8, 16, 40], udp(sealed(), check=0))
    expect("in fragments of 8 octets and more, the last first", one[::-1], {}, 1)
    data = udp(sealed(), check=0)
    expect("fragments that overlap", [ip4(data[:40], ident=102, flags=0x2000), ip4(data[32:], ident=102, flags=4)], {})
    expect("one of which is missing", parts(103, [16, 40], udp(sealed(), check=0))[1:], {})
    big = udp(struct.pack("!LL", SPI, wire.seq + 100) + os.urandom(65476), check=0)
    edges = list(range(1400, len(big), 1400))
    expect("65,484 octets of ESP that are not authentic", parts(104, edges, big), {"rx-auth": 1})
    inner = ip4(udp(bytes(60000), PORT + 1, 9, src=LIAR, dst=INSIDE), src=LIAR, dst=INSIDE)[2:]
    big = udp(sealed(inner), check=0)
    expect("60,000 that are", parts(105, list(range(1400, len(big), 1400)), big), {})


# ---- who and where the peer is ----


def roaming():
    family.call("peer-set", {"ifindex": link, "peer": {"id": 2, "may-roam": 1}})
    # A peer is followed by the newest of its SAs that it has used, and only by that.
    family.call("sa-del", {"ifindex": link, "sa": {"spi": SPI_WINDOW, "dir": "in"}})
    send(plain(sealed()))
    arrivals()

    def where():
        got = peer(2)
        return got["remote-address"], got["remote-port"]

    home = where()
    send(ip4(udp(sealed(), 4777, check=0), src="203.0.113.7"))
    inside.recv(100)
    equal(where(), ("203.0.113.7", 4777), "a new packet from elsewhere moves its peer")
    arrivals()
    old = sealed()
    send(plain(sealed()))
    send(ip4(udp(old, 4777, check=0)))
    got = arrivals()
    equal((len(got), where()), (2, home), "one that is late arrives, and does not move its peer")
    again = sealed()
    send(plain(again))
    before = counters()
    send(ip4(udp(again, 4777, check=0), src="203.0.113.7"))
    bad = sealed()
    send(ip4(udp(bad[:-1] + bytes([bad[-1] ^ 1]), 4777, check=0), src="203.0.113.7"))
    arrivals()
    equal((where(), moved(before)), (home, {"rx-replay": 1, "rx-auth": 1}),
          "neither a replayed nor a forged packet from elsewhere moves it")
    before = counters()
    send(plain(sealed(), src="10.9.0.99"))
    equal((len(arrivals()), moved(before)), (1, {"roam-refused": 1}),
          "one from where a route leads into the tunnel arrives, does not move it, is counted")
    send(ip4(udp(sealed(), 0, check=0)))
    inside.recv(100)
    equal(where(), home, "nor does it move to port 0")
    for dst in ("255.255.255.255", "192.0.2.255", "224.0.0.1"):
        send(plain(sealed(), dst=dst))
        time.sleep(0.2)
        learned = peer(2).get("learned-local-address")
        ok(learned in (None, WEST), "written to %s it does not learn that" % dst, learned)
        arrivals()
    family.call("peer-set", {"ifindex": link, "peer": {"id": 2, "may-roam": 0, "remote-address": MALLORY,
                                                       "remote-port": 4500}})


def errors():
    """ICMP that quotes packets of ours: nothing about the tunnel to the honest peer changes but
    its MTU, and that not below what the kernel allows."""
    before, was = counters(), peer(1)
    quoted = ip4(udp(struct.pack("!LL", 0x3001, 1) + bytes(60), check=0), src=WEST, dst="192.0.2.2")[2:]
    for kind, codes in ((3, [c for c in range(17) if c != 4]), (4, [0]), (5, range(4)), (11, range(2)), (12, range(3)),
                        (250, [0])):
        for code in codes:
            for size in (len(quoted), 28, 20, 8):
                body = struct.pack("!BBHL", kind, code, 0, 0) + quoted[:size]
                body = body[:2] + struct.pack("!H", ~fold(body) & 0xffff) + body[4:]
                for src in (MALLORY, "192.0.2.2"):
                    send(ip4(body, proto=1, src=src))
    arrivals()
    now = peer(1)
    equal((moved(before), [now.get(k) for k in ("remote-address", "remote-port", "mtu")]),
          ({}, [was.get(k) for k in ("remote-address", "remote-port", "mtu")]),
          "forged ICMP errors of every kind but one change nothing about the honest peer")


# ---- floods ----


def flood(name, make, n, counted):
    """In bursts that fit the queue of the device: what is counted is then all there was."""
    before = counters()
    for i in range(0, n, 200):
        for k in range(200):
            send(make(i + k))
        arrivals()
    got = moved(before)
    ok(sum(got.get(k, 0) for k in counted) == n and set(got) <= set(counted), "%d %s: each is counted" % (n, name), got)


def floods():
    def from_many(i):
        return "203.0.%d.%d" % (113 + i // 250 % 4, 1 + i % 250)

    ike = b"\0\0\0\0" + os.urandom(8) + bytes(8) + b"\x21\x20\x22\x08" + bytes(4) + struct.pack("!L", 28)
    flood("keepalives", lambda i: plain(b"\xff", src=from_many(i)), 4000, ["rx-keepalive"])
    flood("IKE messages without an agent", lambda i: plain(ike, src=from_many(i)), 2000, ["rx-ike-no-agent"])
    with taplib.netns("west"):
        agent = genl.Family()
    agent.call("ike-bind")
    kinds = ["rx-ike", "rx-ike-limited", "rx-ike-too-long"]
    flood("IKE messages of one source", lambda i: plain(ike), 2000, kinds)
    flood("IKE messages of a thousand sources", lambda i: plain(ike, src=from_many(i)), 4000, kinds)
    agent.sock.close()


# ---- and meanwhile ----


def honest_flow(seconds):
    """Numbers sent through the honest peer's tunnel, and how many came."""
    rx, tx = sock("west", socket.SOCK_DGRAM), sock("east", socket.SOCK_DGRAM)
    rx.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 8 << 20)
    rx.bind((INSIDE, FLOW_PORT))
    rx.setblocking(False)
    n, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        for _ in range(2):
            tx.sendto(bytes(1000), (INSIDE, FLOW_PORT))
            n += 1
        time.sleep(0.005)
    time.sleep(0.5)
    got = 0
    with contextlib.suppress(BlockingIOError):
        while rx.recv(2000):
            got += 1
    rx.close()
    tx.close()
    return got / n


def bombard(frames, rate):
    while True:
        for i in range(0, len(frames), 10):
            for frame in frames[i:i + 10]:
                send(frame)
            time.sleep(10 / rate)


def goodput():
    """An honest peer's share while strangers send, against the share it has while as much goes
    to a port that is nobody's affair."""
    chance = random.Random(9)
    esp = [b"\xff", b"\0\0\0\0" + bytes(60), struct.pack("!LL", SPI, 1 << 30) + chance.randbytes(1200),
           struct.pack("!LL", 0x2001, 1 << 30) + chance.randbytes(1200), struct.pack("!LL", 0x7777, 1) + bytes(400)]
    with taplib.netns("west"):
        sink = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sink.bind((WEST, 4600))
    shares = {}
    for port in (4600, 4500):
        child = Child(bombard, [ip4(udp(data, dport=port, check=0)) for data in esp * 20], 3000, cpu=1)
        shares[port] = honest_flow(6)
        child.kill()
    sink.close()
    arrivals()
    ok(shares[4500] >= 0.95 * shares[4600], "beside 3,000 hostile packets a second a tunnel keeps its goodput (%.3f of "
       "what was sent; %.3f if they go elsewhere)" % (shares[4500], shares[4600]))


os.sched_setaffinity(0, {0})
for part in (outer4, outer_udp, outer6, every_bit, lengths, window, inner_lengths, selectors, fragments, roaming,
             errors, floods, goodput):
    taplib.prefix = part.__name__.replace("_", " ") + ": "
    part()
taplib.finish()
