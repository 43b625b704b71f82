#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""merge_cases.py [SEED]: inner packets of some flows, alike or nearly so, in
batches with foul ones among them; what the west's stack sees must be the good
ones, each once, a flow's in order. Super-packets are taken apart by the rules of
segmentation and must give back the very octets sent. See t_merge.sh."""
import os
import random
import re
import socket
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import genl  # noqa: E402
import taplib  # noqa: E402
from espwire import Wire, key, trailer  # noqa: E402
from taplib import ok  # noqa: E402
from wire import OUTGOING, Tap, fold, pseudo  # noqa: E402

assert OUTGOING == 4
UDP_SEGMENT = 103
SPI_WEST, SPI_EAST, SPI_SECOND = 0x2001, 0x3001, 0x2002
FIN, SYN, RST, PSH, ACK, URG, ECE, CWR = (1 << i for i in range(8))
# Nobody's address: the stack drops them once the observer has seen them.
SRC, DST = {4: b"\x0a\x09\x00\x02", 6: bytes.fromhex("fd0000090000000000000000" "00000002")}, \
    {4: b"\x0a\x09\x00\x4d", 6: bytes.fromhex("fd0000090000000000000000" "0000004d")}
# CWR belongs to the first. Newer kernels' own GRO joins what has it in each
# (SKB_GSO_TCP_ACCECN), or the same identification, and their GSO restores it.
NEWER_GRO = tuple(int(n) for n in re.findall(r"\d+", os.uname().release)[:2]) >= (6, 18)
dice = None


def sometimes(one_in):
    return dice.randrange(one_in) == 0


def fill(octets, at, value):
    return octets[:at] + struct.pack("!H", value) + octets[at + 2:]


def ip_header(version, proto, length, ident, tos, ttl, df, more=b""):
    if version == 6:
        return struct.pack("!LHBB", 6 << 28 | tos << 20, length, proto, ttl) + SRC[6] + DST[6]
    head = struct.pack("!BBHHHBBH", 0x45 + len(more) // 4, tos, 20 + len(more) + length, ident,
                       df << 14, ttl, proto, 0) + SRC[4] + DST[4] + more
    return fill(head, 10, 0xffff - fold(head) % 0xffff)


class Flow:
    """A TCP connection's packets one way, with now and then a field changed."""

    def __init__(self, port):
        self.version = dice.choice((4, 6))
        self.port, self.seq, self.ack = port, dice.randrange(1 << 32), dice.randrange(1 << 32)
        self.window, self.id, self.step = 500, dice.randrange(65536), dice.choice((0, 1, 1, 1))
        self.tos, self.ttl, self.df = 0, 64, True
        self.stamps = dice.choice((None, 1))
        self.size = dice.choice((100, 536, 1000, 1300, 1))

    def packet(self):
        if sometimes(25):
            self.ack += dice.randrange(5000)
        for name, values in (("window", (500, 501)), ("tos", (0, 2, 3, 0x10)), ("ttl", (64, 63)),
                             ("df", (True, True, False)), ("size", (100, 536, 1000, 1300)),
                             ("step", (0, 1, 1, 2))):
            if sometimes(60):
                setattr(self, name, dice.choice(values))
        if self.stamps and sometimes(8):
            self.stamps += 1
        flags = ACK
        for flag, one_in in ((PSH, 12), (FIN, 150), (SYN, 200), (RST, 200), (URG, 150),
                             (ECE, 100), (CWR, 60)):
            flags |= flag if sometimes(one_in) else 0
        size = self.size
        if sometimes(15):
            size = dice.choice((0, 1, size // 2, size - 1))
        elif sometimes(40):
            size += 1
        if sometimes(40):
            self.seq += dice.choice((1, 5000, -size))
        options = b""
        if self.stamps:
            options = struct.pack("!BBBBLL", 1, 1, 8, 10, self.stamps, 7)
        elif sometimes(60):
            options = b"\1\1\1\1"
        body = dice.randbytes(size)
        reserved = dice.randrange(1, 8) if sometimes(100) else 0
        above = struct.pack("!HHLLBBHHH", self.port, 80, self.seq & 0xffffffff,
                            self.ack & 0xffffffff, 5 + len(options) // 4 << 4 | reserved, flags,
                            self.window, 0, 0) + options + body
        self.seq += size
        more = b"\1\1\1\0" if self.version == 4 and sometimes(60) else b""
        head = ip_header(self.version, 6, len(above), self.id & 0xffff, self.tos, self.ttl,
                         self.df, more)
        self.id += self.step
        above = fill(above, 16, 0xffff - fold(above, pseudo(head, 6, len(above))) % 0xffff)
        packet = head + above
        if sometimes(30):
            # A checksum that is wrong: the stack is to find out.
            at = dice.choice((len(packet) - 1, len(head) + 16, 10 if self.version == 4 else -1))
            at %= len(packet)
            packet = packet[:at] + bytes([packet[at] ^ 0x10]) + packet[at + 1:]
        return packet


def stray():
    """What is not TCP."""
    body = dice.randbytes(dice.choice((0, 8, 100, 1000)))
    version = dice.choice((4, 6))
    proto = dice.choice((17, 1, 47, 6))
    if proto == 17:
        body = struct.pack("!HHHH", dice.randrange(1, 4), 53, 8 + len(body), 0) + body
        head = ip_header(version, 17, len(body), 7, 0, 64, True)
        return head + fill(body, 6, 0xffff - fold(body, pseudo(head, 17, len(body))) % 0xffff
                           or 0xffff)
    # TCP too short to be any, or in a fragment.
    head = ip_header(version, proto, len(body), 7, 0, 64, False)
    if version == 4 and sometimes(2):
        head = fill(fill(head, 6, dice.choice((0x2000, 0x2010, 0x0010))), 10, 0)
        head = fill(head, 10, 0xffff - fold(head) % 0xffff)
    return head + body


def sound(packet):
    """Are the checksums right? Packets with wrong ones are not held back by GRO
    and may overtake their flow."""
    head = 20 if packet[0] >> 4 == 4 else 40
    return (head == 40 or fold(packet[:20]) == 0xffff) and \
        fold(packet[head:], pseudo(packet, 6, len(packet) - head)) == 0xffff


def flow_of(packet):
    """What keeps its order: a TCP flow; anything else is alone."""
    if packet[0] == 0x45 and packet[9] == 6 and not packet[6] & 0x3f and not packet[7] and \
            len(packet) >= 40:
        return packet[12:24]
    if packet[0] >> 4 == 6 and packet[6] == 6 and len(packet) >= 60:
        return packet[8:44]
    return packet


def id_fits(ahead, number, df):
    """May segment `number` have an identification so far ahead of the first one's? Where there
    is no fragmentation it means nothing (RFC 6864 4.1): there they may be the same in each, and the
    kernel's GRO joins a packet with a super-packet without knowing which of the two that one has."""
    if df:
        return ahead <= number
    return ahead == number or NEWER_GRO and not ahead


def segments(frame, wanted):
    """`frame` taken apart as sending it would (tcp_gso_segment), into payloads as
    long as those of the packets `wanted`; as many as it holds."""
    head = 20 if frame[0] >> 4 == 4 else 40
    doff = (frame[head + 12] >> 4) * 4
    ip, tcp, data = frame[:head], frame[head:head + doff], frame[head + doff:]
    at, out = 0, []
    while True:
        if len(out) == len(wanted):
            return None
        sent = wanted[len(out)]
        size = len(sent) - head - (sent[head + 12] >> 4) * 4
        last = at + size == len(data)
        if at + size > len(data) or not size and not last:
            return None
        flags = tcp[13]
        if not last:
            flags &= ~(PSH | FIN)
        if out and not (NEWER_GRO and wanted[1][head + 13] & CWR):
            flags &= ~CWR
        above = tcp[:4] + struct.pack("!L", (struct.unpack_from("!L", tcp, 4)[0] + at) &
                                      0xffffffff) + tcp[8:13] + bytes([flags]) + tcp[14:16] + \
            b"\0\0" + tcp[18:] + data[at:at + size]
        if head == 20:
            first, ident = (struct.unpack_from("!H", p, 4)[0] for p in (ip, sent))
            below = fill(ip, 2, 20 + len(above))
            if not id_fits(ident - first & 0xffff, len(out), ip[6] & 0x40):
                return None
            below = fill(fill(below, 4, ident), 10, 0)
            below = fill(below, 10, 0xffff - fold(below) % 0xffff)
        else:
            below = fill(ip, 4, len(above))
        above = fill(above, 16, 0xffff - fold(above, pseudo(below, 6, len(above))) % 0xffff)
        if below + above != sent:
            return None
        out.append(sent)
        at += size
        if last:
            return out


class Expected:
    def __init__(self, packets):
        self.flows, self.left = {}, len(packets)
        for packet in packets:
            flow = flow_of(packet)
            if flow is not packet and not sound(packet):
                flow = packet
            self.flows.setdefault(flow, []).append(packet)
        self.merged, self.faults = [], []

    def see(self, frame):
        queue = self.flows.get(frame) or self.flows.get(flow_of(frame)) or []
        if not queue:
            self.faults.append("nobody sent %d octets %s" % (len(frame), frame[:60].hex()))
            return
        if queue[0] == frame:
            gone = queue[:1]
        else:
            gone = segments(frame, queue[:70])
            if gone:
                self.merged.append(len(gone))
            else:
                self.faults.append("%d octets %s ... instead of %d octets %s ..." % (
                    len(frame), frame[:72].hex(), len(queue[0]), queue[0][:72].hex()))
                # Whatever it was, go on behind it if it is known.
                gone = queue[:queue.index(frame) + 1] if frame in queue else []
        del queue[:len(gone)]
        self.left -= len(gone)


class East:
    """The sender: any octets as ESP, in batches that stay whole if all are of one
    size, last may be shorter."""

    def __init__(self):
        with taplib.netns("east"):
            self.wire = Wire("aes-gcm-256", False, "192.0.2.2", "192.0.2.1", SPI_EAST, 0xa0,
                             SPI_WEST, 0x50)
        self.second = 0
        self.sent = []

    def esp(self, inner, size=0):
        """Sealed; `size`: with traffic flow padding up to so many octets of ESP."""
        proto = 4 if inner[0] >> 4 == 4 else 41
        padding = max(size - 8 - 8 - 16 - 2 - len(inner), 0)
        plain = trailer(inner + bytes(padding), proto)
        if sometimes(10):
            self.second += 1
            return self.wire.seal(plain, seq=self.second, spi=SPI_SECOND)
        return self.wire.seal(plain)

    def foul(self, size):
        """A datagram to be dropped."""
        kind = dice.randrange(5)
        if kind == 0 and self.sent:
            return dice.choice(self.sent[-30:])
        good = self.wire.seal(trailer(dice.randbytes(max(size - 40, 1)), 4))
        if kind == 1:
            return good[:-1] + bytes([good[-1] ^ 1])
        if kind == 2:
            return struct.pack("!L", 0x7f000001) + good[4:]
        if kind == 3:
            return bytes(4) + good[4:]
        return good[:dice.choice((7, 12, 30, len(good) - 4))]

    def send(self, datagrams):
        """In order, runs of one size in one go."""
        run = []
        for data in datagrams + [None]:
            if run and (data is None or len(data) > len(run[0]) or not data or
                        len(run[-1]) != len(run[0]) or len(run) == 40 or
                        len(run) * len(run[0]) > 60000):
                more = [] if len(run) == 1 else [(socket.IPPROTO_UDP, UDP_SEGMENT, len(
                    run[0]).to_bytes(2, sys.byteorder))]
                self.wire.sock.sendmsg([b"".join(run)], more, 0, ("192.0.2.1", 4500))
                run = []
            if data:
                run.append(data)


def sas():
    with taplib.netns("west"):
        family, link = genl.Family(), genl.ifindex("vpn0")
    family.call("flush", {"ifindex": link})
    for spi in (SPI_WEST, SPI_SECOND):
        family.call("sa-new", {"ifindex": link, "sa": {
            "spi": spi, "dir": "in", "peer": 1, "encr": 20, "replay-window": 4096,
            "encr-key": key("aes-gcm-256", 0x50)}})


def ethtool(ns, dev, *features):
    subprocess.run(["ip", "netns", "exec", ns, "ethtool", "-K", dev, *features], check=True,
                   stdout=subprocess.DEVNULL)


def run(mode, offload, gro, seed, foul, join="on"):
    global dice
    dice = random.Random(seed)
    taplib.prefix = "%s%s, seed %d: " % (mode, ", foul ones among them" if foul else "", seed)
    # A device that can segment TCP hands all over without NAPI, and so without GRO.
    ethtool("east", "e0", "tx-udp-segmentation", offload, "tso", offload)
    ethtool("west", "w0", "gro", gro)
    ethtool("west", "vpn0", "gro", join)
    sas()
    east, good = East(), []
    tap = Tap("west", "vpn0")
    flows, number = [Flow(1000 + i) for i in range(6)], 6
    for _ in range(BATCHES):
        if sometimes(3):
            number += 1
            flows[dice.randrange(6)] = Flow(1000 + number)
        flow, datagrams = dice.choice(flows), []
        # Padded to one size, packets of all sizes stay in one batch.
        size = dice.choice((0, 0, 1460 - 60))
        for _ in range(dice.randrange(2, 50)):
            if sometimes(12):
                flow = dice.choice(flows)
            inner = stray() if sometimes(25) else flow.packet()
            if foul and sometimes(15):
                datagrams.append(east.foul(size or flow.size + 80))
            sealed = east.esp(inner, size)
            good.append(inner)
            east.sent.append(sealed)
            datagrams.append(sealed)
        east.send(datagrams)
        time.sleep(0.01)
    expected = Expected(good)

    def seen():
        for leaving, _, frame in tap.frames():
            if not leaving:
                expected.see(frame)
        return expected.left <= 0

    taplib.wait_for(20, seen)
    tap.close()
    east.wire.sock.close()
    ok(not expected.left and not expected.faults,
       "the %d good packets, each once, a flow's in order" % len(good),
       "\n".join(["%d missing" % expected.left] + expected.faults[:10]))
    ok(bool(expected.merged) == (join == "on"), "GRO of the tunnel is %s: super-packets come "
       "accordingly" % join, expected.merged)
    print("# super-packets: %d, of %d packets, the largest of %d" % (
        len(expected.merged), sum(expected.merged), max(expected.merged or [0])))


# Without NAPI packets wait in the backlog of the CPU that sent them: who sends on one
# CPU sends in order.
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
BATCHES = int(os.environ.get("MERGE_BATCHES") or 60)
first = int(sys.argv[1]) if len(sys.argv) > 1 else 1
for turn in range(int(os.environ.get("VM_ROUNDS") or 1)):
    for i, (way, uso, napi) in enumerate((("whole", "on", "off"), ("through GRO", "off", "on"))):
        for fouls in (False, True):
            run(way, uso, napi, first + turn * 10 + i * 2 + fouls, fouls)
    run("GRO off", "on", "on", first + turn * 10 + 9, True, "off")
taplib.prefix = ""
taplib.finish()
