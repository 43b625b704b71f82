# SPDX-License-Identifier: GPL-2.0-or-later
"""What esptun puts on the wire, judged by other code: frames are taken from the
underlay by a packet socket, super-packets split, every ESP packet opened with
OpenSSL, and the packet inside looked at down to its checksums."""
import socket
import struct

import taplib
from espwire import ALGORITHMS, key

SOL_PACKET, PACKET_STATISTICS, PACKET_AUXDATA = 263, 6, 8
SO_RCVBUFFORCE = 33
OUTGOING = 4
CSUM_NOT_READY = 1 << 3
ICV = 16
# Never seen in what is encrypted, but once in 2**96; load.py puts it everywhere.
MARK = b"sent in clear"


class Tap:
    """All frames passing a device, from now on. They wait in the socket: nothing
    has to run meanwhile, which would disturb the load."""

    def __init__(self, ns, dev, megabytes=400):
        with taplib.netns(ns):
            self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
            self.sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, megabytes << 20)
            self.sock.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
            self.sock.bind((dev, 3))
        self.sock.setblocking(False)
        self.lost = 0

    def frames(self):
        """(leaves?, checksum still to be filled in?, octets) of each frame."""
        while True:
            try:
                data, aux, _, source = self.sock.recvmsg(1 << 17, 64)
            except BlockingIOError:
                break
            pending = any(struct.unpack_from("=I", c[2])[0] & CSUM_NOT_READY for c in aux)
            yield source[2] == OUTGOING, pending, data
        self.lost += struct.unpack("=II", self.sock.getsockopt(SOL_PACKET, PACKET_STATISTICS,
                                                              8))[1]

    def close(self):
        self.sock.close()


def fold(octets, more=0):
    """The ones' complement sum (RFC 1071), 0xffff for any multiple of it."""
    if len(octets) & 1:
        octets += b"\0"
    return (int.from_bytes(octets, "big") + more) % 0xffff or 0xffff


def pseudo(packet, proto, length):
    """The sum of the pseudo header of an IP packet."""
    if packet[0] >> 4 == 4:
        return fold(packet[12:20] + struct.pack("!HH", proto, length))
    return fold(packet[8:40] + struct.pack("!LL", length, proto))


class Inner:
    """A packet from inside; raises if a length or checksum is wrong."""

    def __init__(self, packet):
        self.packet = packet
        self.flow = None
        if packet[0] >> 4 == 4:
            self.head = (packet[0] & 15) * 4
            total, self.id, fragment = struct.unpack_from("!HHH", packet, 2)
            self.proto = packet[9]
            self.df, self.fragment = bool(fragment & 0x4000), fragment & 0x3fff
            assert fold(packet[:self.head]) == 0xffff, "inner IPv4 header checksum"
        else:
            self.head, self.id, self.df, self.fragment = 40, None, True, 0
            total, self.proto = struct.unpack_from("!HB", packet, 4)
            total += 40
        assert total == len(packet), "inner length %d, packet %d" % (total, len(packet))
        self.body = packet[self.head:]
        self.src = packet[12:16] if self.head != 40 else packet[8:24]
        if self.fragment or self.proto not in (6, 17, 58):
            self.flow = None
            return
        sport, dport = struct.unpack_from("!HH", self.body)
        self.flow = (self.proto, self.src, sport, dport)
        if self.proto == 17:
            length, check = struct.unpack_from("!HH", self.body, 4)
            assert length == len(self.body), "inner UDP length"
            if check == 0:
                assert packet[0] >> 4 == 4, "no UDP checksum in IPv6"
                return
        assert fold(self.body, pseudo(packet, self.proto, len(self.body))) == 0xffff, \
            "inner checksum of protocol %d, %d octets" % (self.proto, len(self.body))

    def tcp(self):
        """Sequence number, flags, payload."""
        return (struct.unpack_from("!L", self.body, 4)[0], self.body[13],
                self.body[(self.body[12] >> 4) * 4:])


class Association:
    """An SA under observation: opens its packets, keeps what it saw."""

    def __init__(self, spi, alg, start, esn=False):
        octets = key(alg, start)
        self.spi, self.esn = spi, esn
        self.cipher, self.salt = ALGORITHMS[alg][2](octets[:-4]), octets[-4:]
        self.seqs, self.ivs, self.inner, self.batches = [], set(), [], []
        # Whether its packets leave the observed device, so nothing behind esptun
        # has touched their order yet; those that arrive went through the other
        # end's queues, one for each CPU.
        self.leaves = False
        # Whether what is inside has to be proper, too.
        self.strict = True

    def decrypt(self, data):
        aad = data[:4] + b"\0\0\0\0" + data[4:8] if self.esn else data[:8]
        return self.cipher.decrypt(self.salt + data[8:16], data[16:], aad)

    def split(self, payload):
        """(packet, plain octets) of a super-packet or of one packet. The size of
        its segments is not on the wire: it is where the SPI stands again and the
        first segment's ICV fits. What GRO joined may have gaps in its numbers."""
        at = payload.find(payload[:4], 16 + ICV)
        while at > 0:
            try:
                plain = self.decrypt(payload[:at])
            except Exception:
                at = payload.find(payload[:4], at + 1)
                continue
            rest = [payload[i:i + at] for i in range(at, len(payload), at)]
            assert len(rest) < 64, "%d segments" % (len(rest) + 1)
            return [(payload[:at], plain)] + [(one, self.decrypt(one)) for one in rest]
        return [(payload, self.decrypt(payload))]

    def take(self, payload):
        pairs = self.split(payload)
        self.batches.append(len(pairs))
        for data, plain in pairs:
            self.seqs.append(struct.unpack_from("!L", data, 4)[0])
            self.ivs.add(data[8:16])
            pad, following = plain[-2], plain[-1]
            inner = plain[:len(plain) - 2 - pad]
            assert pad < 4 and plain[len(inner):-2] == bytes(range(1, pad + 1)), "padding"
            if self.strict:
                assert following == (4 if inner[0] >> 4 == 4 else 41), "next header"
                self.inner.append(Inner(inner))


class Wire:
    """Every frame of a tap, judged. `faults` says what was wrong."""

    def __init__(self, tap, associations, fragments=False, lossy=False):
        """`fragments`: may the outer packets be fragments? They are not judged.
        `lossy`: may the observer miss some?"""
        self.tap, self.fragments, self.lossy = tap, fragments, lossy
        self.by_spi = {a.spi: a for a in associations}
        self.faults, self.n_frames, self.n_largest = [], 0, 0
        self.pending = self.zero = self.full = 0
        self.outer_ids = {}
        # Flow labels of the packets of each SPI that had IPv6 outside.
        self.labels = {}

    def fault(self, text):
        if len(self.faults) < 20:
            self.faults.append("frame %d: %s" % (self.n_frames, text))

    def read(self, opening=True):
        for leaves, pending, frame in self.tap.frames():
            self.n_frames += 1
            try:
                payload, label = self.outer(frame, pending)
                if payload is not None and opening:
                    self.esp(payload, leaves, label)
            except Exception as error:
                self.fault("%s %s" % (type(error).__name__, error))
        if self.tap.lost and not self.lossy:
            self.fault("%d frames were lost to the observer" % self.tap.lost)

    def outer(self, frame, pending):
        """The ESP packet, or None if it is a neighbour's affair; and with IPv6 the flow
        label."""
        if MARK in frame:
            self.fault("leaves in clear: %s" % frame[:80].hex())
        kind = struct.unpack_from("!H", frame, 12)[0]
        packet = frame[14:]
        if kind == 0x0806:
            return None, None
        if kind == 0x86dd:
            return self.outer6(packet, pending)
        assert kind == 0x0800 and packet[0] == 0x45 and packet[9] == 17, "not UDP"
        total, ident, fragment = struct.unpack_from("!HHH", packet, 2)
        packet = packet[:total]
        assert len(packet) == total, "outer IP length"
        assert fold(packet[:20]) == 0xffff, "outer IP checksum"
        if fragment & 0x3fff:
            assert self.fragments, "an outer fragment"
            return None, None
        if not fragment & 0x4000:
            ids = self.outer_ids.setdefault(packet[12:16], [])
            ids.append(ident)
        return self.udp(packet, 20, pending), None

    def outer6(self, packet, pending):
        word, length, following, hops = struct.unpack_from("!LHBB", packet)
        # Neighbour discovery and multicast reports, hop limit 255 or 1.
        if following in (0, 58) and hops in (1, 255):
            return None, None
        packet = packet[:40 + length]
        assert len(packet) == 40 + length, "outer IPv6 length"
        if following == 44:
            assert self.fragments, "an outer fragment"
            return None, None
        assert following == 17, "not UDP"
        return self.udp(packet, 40, pending), word & 0xfffff

    def udp(self, packet, at, pending):
        sport, dport, length, check = struct.unpack_from("!HHHH", packet, at)
        assert sport == 4500 and dport == 4500, "ports %d, %d" % (sport, dport)
        assert length == len(packet) - at, "UDP length %d in %d" % (length, len(packet))
        self.n_largest = max(self.n_largest, len(packet))
        if pending:
            self.pending += 1
            assert check == pseudo(packet, 17, length), "pseudo header's sum"
        elif check == 0:
            self.zero += 1
            assert at == 20, "no outer UDP checksum over IPv6"
        else:
            self.full += 1
            assert fold(packet[at:], pseudo(packet, 17, length)) == 0xffff, \
                "outer UDP checksum"
        return packet[at + 8:]

    def esp(self, payload, leaves, label=None):
        if payload == b"\xff":
            return
        spi = struct.unpack_from("!L", payload)[0]
        assert spi in self.by_spi, "SPI %#x" % spi
        if label is not None:
            self.labels.setdefault(spi, set()).add(label)
        self.by_spi[spi].leaves = leaves
        self.by_spi[spi].take(payload)

    # ---- verdicts ----

    def judge(self, least=1, gaps=False, own=True):
        """The rows every load must pass. `gaps`: may numbers be left out?
        `own`: is the traffic inside this host's, so it knows no other order?"""
        count = sum(len(a.seqs) for a in self.by_spi.values())
        taplib.ok(not self.faults, "every packet opens; what is inside is whole",
                  "\n".join(self.faults))
        taplib.ok(count >= least, "the observer saw %d packets in %d frames" %
                  (count, self.n_frames), "wanted %d" % least)
        faults = [f for a in self.by_spi.values() if a.seqs for f in number_faults(a, gaps)]
        taplib.ok(not faults, "numbers and IVs are used once, and leave in order", "\n".join(faults))
        if own and not gaps:
            faults = [f for a in self.by_spi.values() if a.leaves for f in tcp_faults(a)]
            taplib.ok(not faults, "TCP keeps its order inside", "\n".join(faults[:10]))


def number_faults(a, gaps):
    seqs = a.seqs
    if len(a.ivs) != len(seqs):
        yield "SPI %#x: %d IVs in %d packets" % (a.spi, len(a.ivs), len(seqs))
    if len(set(seqs)) != len(seqs) or not gaps and max(seqs) - min(seqs) >= len(seqs):
        yield "SPI %#x: %d different numbers from %d to %d in %d packets" % (
            a.spi, len(set(seqs)), min(seqs), max(seqs), len(seqs))
    breaks = [i for i in range(1, len(seqs)) if seqs[i] <= seqs[i - 1]]
    if a.leaves and breaks:
        yield "SPI %#x: %d breaks in the order of %d, e.g. %s" % (
            a.spi, len(breaks), len(seqs), seqs[max(breaks[0] - 3, 0):breaks[0] + 3])


def tcp_faults(a):
    """Linux counts a TCP socket's IPv4 identifications up by one for each packet
    it sends. In the tunnel's order they must come so, too; and nothing new may
    follow what ends a connection."""
    ids, ends = {}, {}
    for inner in a.inner:
        if inner.flow is None or inner.proto != 6:
            continue
        seq, flags, data = inner.tcp()
        # What answers for a socket that is gone has identification 0.
        if inner.id and not flags & 2:
            was = ids.get(inner.flow)
            if was and inner.id != (was % 0xffff) + 1 and inner.id != (was + 1) & 0xffff:
                yield "SPI %#x: identification %d after %d" % (a.spi, inner.id, was)
            ids[inner.flow] = inner.id
        end = (seq + len(data)) & 0xffffffff
        beyond = (end - ends.get(inner.flow, end)) & 0xffffffff
        if 1 < beyond < 1 << 31:
            yield "SPI %#x: %d octets behind a FIN" % (a.spi, beyond)
        if flags & 1:
            ends[inner.flow] = end
