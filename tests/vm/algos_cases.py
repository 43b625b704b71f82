#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Every algorithm of the module that is here: against the kernel's own ESP, and against
code that is not the kernel's, of tests/kunit/gen-vectors, which has all of them, and scapy.

algos_cases.py modern|legacy    of the other class nothing

With VM_ROUNDS (make check-full) each cipher is tried with each integrity algorithm, otherwise each
cipher with the usual one and the usual cipher with each.

Link vpn0 with peer 1 is in namespace west, at 192.0.2.1; its other side is at 192.0.2.2 in
namespace east: an xfrm interface of if_id 9, or a socket of ours on another port."""
import importlib.machinery
import importlib.util
import os
import socket
import struct
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import genl  # noqa: E402
import taplib  # noqa: E402
from espwire import trailer  # noqa: E402
from taplib import equal, netns, ok  # noqa: E402
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes  # noqa: E402
from scapy.layers.inet import ICMP, IP  # noqa: E402
from scapy.layers.inet6 import ICMPv6EchoReply, ICMPv6EchoRequest, IPv6  # noqa: E402
from scapy.layers.ipsec import ESP, SecurityAssociation  # noqa: E402

PORT = 4501
SPI_IN, SPI_OUT = 0x3001, 0x2001  # of packets from west, and to it
loader = importlib.machinery.SourceFileLoader(
    "gen_vectors", os.path.join(os.environ["VM_TOP"], "tests/kunit/gen-vectors"))
gen = importlib.util.module_from_spec(importlib.util.spec_from_loader("gen_vectors", loader))
loader.exec_module(gen)

SCAPY_ENCR = {11: "NULL", 12: "AES-CBC", 13: "AES-CTR", 14: "AES-CCM", 15: "AES-CCM",
              16: "AES-CCM", 20: "AES-GCM", 28: "CHACHA20-POLY1305", 2: "DES", 3: "3DES"}
SCAPY_INTEG = {0: "NULL", 1: "HMAC-MD5-96", 2: "HMAC-SHA1-96", 8: "AES-CMAC-96",
               12: "SHA2-256-128", 13: "SHA2-384-192", 14: "SHA2-512-256"}


with netns("west"):
    family, LINK = genl.Family(), genl.ifindex("vpn0")


def ask(op, **parts):
    return family.call(op, dict({"ifindex": LINK}, **parts))


class Algo:
    """A row of the module's table."""

    def __init__(self, row):
        self.id, self.name, self.xfrm = row["id"], row["name"], row.get("xfrm-name")
        self.encr, self.legacy = row["type"] == 1, row["class"] == "legacy"
        self.icv, self.salt = row["icv-len"], row.get("salt-len", 0)
        lens = row.get("key-len", [])
        self.key_lens = (lens if isinstance(lens, list) else [lens]) or [0]


def decrypt_chained(encr, key, iv, sealed):
    kind = {2: algorithms.TripleDES, 3: algorithms.TripleDES, 12: algorithms.AES,
            1024: algorithms.SM4}[encr]
    return Cipher(kind(key), modes.CBC(iv)).decryptor().update(sealed)


class Pair:
    """Both directions of one choice of algorithms."""

    def __init__(self, encr, integ, key_len, esn):
        self.encr, self.integ, self.esn = encr, integ, esn
        self.salt, self.iv_len, self.align = gen.ENCR[encr][1:]
        self.keys = [gen.made(start, key_len) for start in (0xa0, 0x50)]
        self.integ_keys = [gen.made(start, gen.INTEG[integ][0]) if integ else b""
                           for start in (0xa1, 0x51)]
        self.seq = 0

    def sa(self, i):
        values = {"peer": 1, "mode": "tunnel", "encr": self.encr, "esn": int(self.esn),
                  "encr-key": self.keys[i]}
        if self.integ:
            values.update({"integ": self.integ, "integ-key": self.integ_keys[i]})
        return values

    def install(self):
        ask("flush")
        ask("sa-new", sa=dict(self.sa(0), spi=SPI_IN, dir="out"))
        ask("sa-new", sa=dict(self.sa(1), spi=SPI_OUT, dir="in"))

    def seal(self, inner, next_header):
        self.seq += 1
        iv = gen.made(self.seq * 7, self.iv_len) if self.iv_len == self.align else \
            struct.pack("!Q", self.seq)
        return gen.make_packet(self.encr, self.keys[1], self.integ, self.integ_keys[1], SPI_OUT,
                               self.seq, self.esn, iv, trailer(inner, next_header, self.align))

    def open(self, packet):
        """Sequence number, IV as sent and decrypted octets. What was opened is sealed again and
        compared: all but the chained modes encrypt as they decrypt."""
        spi, seq = struct.unpack_from("!LL", packet)
        assert spi == SPI_IN, "SPI %#x" % spi
        body, iv = packet[8 + self.iv_len:], packet[8:8 + self.iv_len]
        known = iv or struct.pack("!Q", seq)
        if self.integ:
            body = body[:-gen.INTEG[self.integ][1]]
        else:
            body = body[:-len(gen.seal(self.encr, self.keys[0], spi, seq, self.esn, known, b"")[1])]
        if self.encr in (2, 3, 12, 1024):
            plain = decrypt_chained(self.encr, self.keys[0], iv, body)
        else:
            plain = gen.seal(self.encr, self.keys[0], spi, seq, self.esn, known,
                             body)[0][8 + self.iv_len:]
        again = gen.make_packet(self.encr, self.keys[0], self.integ, self.integ_keys[0], spi, seq,
                                self.esn, known, plain)
        assert again == packet, "%s is not %s" % (packet.hex(), again.hex())
        return seq, iv, plain


def echo(size, v6):
    if v6:
        return bytes(IPv6(src="fd00:9::2", dst="fd00:9::1") /
                     ICMPv6EchoRequest(id=7, seq=size, data=b"e" * size)), 41
    return bytes(IP(src="10.9.0.2", dst="10.9.0.1") / ICMP(id=7, seq=size) / (b"e" * size)), 4


def is_answer(plain, size, v6):
    """An echo reply of `size` octets, then padding and trailer as they have to be."""
    pad, next_header = plain[-2:]
    if plain[len(plain) - 2 - pad:-2] != bytes(range(1, pad + 1)) or next_header != (41 if v6 else 4):
        return False
    inner = plain[:len(plain) - 2 - pad]
    if v6:
        got = IPv6(inner)
        return got.haslayer(ICMPv6EchoReply) and got[ICMPv6EchoReply].data == b"e" * size
    got = IP(inner)
    return got.haslayer(ICMP) and got[ICMP].type == 0 and bytes(got[ICMP].payload) == b"e" * size


def lost(before):
    """No answer came: what tells where it, or the request, was lost."""
    now = genl.counters(family)
    more = {name: n - before.get(name, 0) for name, n in now.items() if n != before.get(name, 0)}
    near = subprocess.run(["ip", "-n", "west", "neigh"], capture_output=True, text=True).stdout
    return RuntimeError("no answer; counters: %s; %s" % (more, near.strip()))


def exchange(sock, pair, sealed, size, v6):
    """Send a request until its answer comes; the answer's packet, opened."""
    before = genl.counters(family)
    sock.sendto(sealed, ("192.0.2.1", 4500))
    for _ in range(20):
        try:
            packet = sock.recv(65535)
        except socket.timeout:
            raise lost(before) from None
        if packet == b"\xff":
            continue
        seq, iv, plain = pair.open(packet)
        if is_answer(plain, size, v6):
            return packet, seq, iv
    raise RuntimeError("no answer, but other packets")


def iv_is_right(pair, seen):
    """The number's, or never the same and not near one another."""
    ivs = [iv for _, iv in seen]
    if not pair.iv_len:
        return True
    if pair.iv_len != pair.align:
        return all(iv == struct.pack("!Q", seq) for seq, iv in seen)
    near = [abs(int.from_bytes(a, "big") - int.from_bytes(b, "big")) < 1 << 16
            for a, b in zip(ivs, ivs[1:])]
    return len(set(ivs)) == len(ivs) and not any(near)


def scapy_sa(pair, i, spi, icv_len):
    return SecurityAssociation(
        ESP, spi=spi, crypt_algo=SCAPY_ENCR[pair.encr],
        crypt_key=pair.keys[i] or None, crypt_icv_size=icv_len or None,
        auth_algo=SCAPY_INTEG[pair.integ], auth_key=pair.integ_keys[i] or None,
        tunnel_header=IP(src="192.0.2.2", dst="192.0.2.1"), esn_en=pair.esn)


def scapy_round(sock, pair, icv_len):
    """A request made by scapy, its answer opened by scapy."""
    pair.seq += 1
    sa = scapy_sa(pair, 1, SPI_OUT, icv_len)
    request = bytes(sa.encrypt(IP(echo(40, False)[0]), seq_num=pair.seq)[ESP])
    packet = exchange(sock, pair, request, 40, False)[0]
    sa = scapy_sa(pair, 0, SPI_IN, icv_len)
    answer = sa.decrypt(IP(bytes(IP(src="192.0.2.1", dst="192.0.2.2", proto=50) / ESP(packet))))
    return answer.haslayer(ICMP) and answer[ICMP].type == 0


def pair_of(encr, integ, key_len, esn):
    pair = Pair(encr.id, integ.id if integ else 0, key_len, esn)
    name = "%s-%d%s%s" % (encr.name, 8 * (key_len - encr.salt), " " + integ.name if integ else "",
                          " ESN" if esn else "")
    return pair, name


# ---- against code of ours -------------------------------------------------

def other_code(sock, encr, integ, key_len, esn):
    pair, name = pair_of(encr, integ, key_len, esn)
    seen = []
    try:
        pair.install()
        for size in (0, 1, 3, 5, 14, 300, 1200):
            for v6 in (False, True):
                inner, next_header = echo(size, v6)
                _, seq, iv = exchange(sock, pair, pair.seal(inner, next_header), size, v6)
                seen.append((seq, iv))
        good = iv_is_right(pair, seen)
        # scapy has no ESN with an integrity algorithm.
        if pair.encr in SCAPY_ENCR and pair.integ in SCAPY_INTEG and not (esn and integ):
            good = good and scapy_round(sock, pair, encr.icv)
            name += ", scapy too"
        ok(good, name, seen)
    except Exception as error:  # pylint: disable=broad-except
        ok(False, name, "%s: %s" % (type(error).__name__, error))


def open_socket():
    ask("peer-set", peer={"id": 1, "remote-address": "192.0.2.2", "remote-port": PORT,
                          "keepalive": 0})
    with netns("east"):
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("192.0.2.2", PORT))
    sock.settimeout(60)
    return sock


# ---- against xfrm ---------------------------------------------------------

SIZES = list(range(18)) + [700, 1200, 3000]


class Ends:
    """Sockets inside the tunnel, of both ends, IPv4 and IPv6."""

    def __init__(self):
        self.socks = {}
        for ns in ("west", "east"):
            with netns(ns):
                four = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                six = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
            for v6, sock in ((False, four), (True, six)):
                sock.bind(self.address(ns, v6))
                sock.settimeout(60)
                self.socks[ns, v6] = sock
        ask("peer-set", peer={"id": 1, "remote-address": "192.0.2.2", "remote-port": 4500,
                              "keepalive": 0})

    @staticmethod
    def address(ns, v6):
        last = 1 if ns == "west" else 2
        return ("fd00:9::%d" % last if v6 else "10.9.0.%d" % last), 7777

    def carry(self, tag):
        """A datagram of each size, each way and family; what did not arrive as it was."""
        lost = []
        for there, here in (("west", "east"), ("east", "west")):
            for v6 in (False, True):
                sent = {bytes([tag & 255]) * size + b"%d" % size for size in SIZES}
                for data in sorted(sent, key=len):
                    self.socks[there, v6].sendto(data, self.address(here, v6))
                got = set()
                try:
                    while len(got) < len(sent):
                        got.add(self.socks[here, v6].recv(65535))
                except socket.timeout:
                    pass
                if got != sent:
                    lost.append("%s %s: %d of %d" % (there, "IPv6" if v6 else "IPv4",
                                                     len(got & sent), len(sent)))
        return lost


def xfrm_words(pair, i, encr, integ):
    key = "0x" + pair.keys[i].hex() if pair.keys[i] else '""'
    if not integ:
        return "aead %s %s %d" % (encr.xfrm, key, 8 * encr.icv)
    return "enc %s %s auth-trunc %s 0x%s %d" % (encr.xfrm, key, integ.xfrm,
                                                pair.integ_keys[i].hex(), 8 * integ.icv)


def xfrm_install(pair, encr, integ):
    lines = ["xfrm state flush"]
    for i, src, dst, spi in ((0, 1, 2, SPI_IN), (1, 2, 1, SPI_OUT)):
        lines.append("xfrm state add src 192.0.2.%d dst 192.0.2.%d proto esp spi %#x mode tunnel "
                     "if_id 9 replay-window 1024 %s flag af-unspec encap espinudp 4500 4500 0.0.0.0 "
                     "%s" % (src, dst, spi, "flag esn" if pair.esn else "",
                             xfrm_words(pair, i, encr, integ)))
    done = subprocess.run(["ip", "-n", "east", "-batch", "-"], input="\n".join(lines) + "\n",
                          capture_output=True, text=True)
    return done.stderr


def xfrm(ends, encr, integ, key_len, esn):
    pair, name = pair_of(encr, integ, key_len, esn)
    try:
        pair.install()
        wrong = xfrm_install(pair, encr, integ) or ends.carry(taplib.count)
        ok(not wrong, "xfrm: " + name, wrong)
    except Exception as error:  # pylint: disable=broad-except
        ok(False, "xfrm: " + name, "%s: %s" % (type(error).__name__, error))


def choices(algos, legacy, usual_only):
    """Pairs of one class; with usual_only few of the many of separate algorithms."""
    for encr in [a for a in algos if a.encr]:
        for integ in [None] if encr.icv else [a for a in algos if not a.encr]:
            if legacy != (encr.legacy or bool(integ and integ.legacy)):
                continue
            for key_len in encr.key_lens:
                if usual_only and integ and integ.id != 12 and (encr.id, key_len) != (12, 16):
                    continue
                for esn in (False, True):
                    yield encr, integ, key_len, esn


def main():
    legacy = sys.argv[1] == "legacy"
    rows = [r["algo"] for r in family.call("algo-get", {}, True)]
    algos = [Algo(r) for r in rows if r["state"] == "available"]
    ends = Ends()
    for encr, integ, key_len, esn in choices(algos, legacy, not os.environ.get("VM_ROUNDS")):
        if encr.xfrm and (not integ or integ.xfrm):
            xfrm(ends, encr, integ, key_len, esn)
    sock = open_socket()
    for encr, integ, key_len, esn in choices(algos, legacy, True):
        other_code(sock, encr, integ, key_len, esn)
    equal(sorted({a.id for a in algos if a.encr} - set(gen.ENCR)), [],
          "each of the module's has a case")
    ask("flush")
    taplib.finish()


main()
