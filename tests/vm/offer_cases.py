#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""IKE_SA_INIT requests and what they must be answered with: additional key exchanges (RFC 9370),
unknown types, attributes and payloads, reserved bits, the same transform twice, key lengths
where none belong, offers of any size. Right is the proposal that fits or an error that says
what is wrong; silence never. See t_offers.sh."""
import ctypes
import itertools
import os
import re
import socket
import struct
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import taplib  # noqa: E402
from taplib import ok  # noqa: E402

PEER = ("192.0.2.2", 500)
SA, KE, NONCE, NOTIFY, VENDOR = 33, 34, 40, 41, 43
COOKIE, FRAGMENTATION = 16390, 16430
hosts = itertools.cycle(range(101, 141))


def transform(kind, number, key_bits=None, attributes=b"", reserved=0):
    if key_bits is not None:
        attributes = struct.pack("!HH", 0x800e, key_bits) + attributes
    return kind, number, attributes, reserved


def proposal(number, transforms, protocol=1, spi=b"", last=False):
    body = b""
    for i, (kind, transform_id, attributes, reserved) in enumerate(transforms):
        more = 3 if i + 1 < len(transforms) else 0
        body += struct.pack("!BBHBBH", more, reserved, 8 + len(attributes), kind, reserved,
                            transform_id) + attributes
    return struct.pack("!BBHBBBB", 0 if last else 2, 0, 8 + len(spi) + len(body), number, protocol,
                       len(spi), len(transforms)) + spi + body


def offer(*proposals, flags=0):
    """An SA payload of (transforms) or (number, transforms, ...)."""
    body = b""
    for i, p in enumerate(proposals):
        number, transforms, *rest = p if isinstance(p, tuple) else (i + 1, p)
        body += proposal(number, transforms, *rest, last=i + 1 == len(proposals))
    return SA, body, flags


def ke(group=31, size=32):
    return KE, struct.pack("!HH", group, 0) + os.urandom(size), 0


def nonce(size=32):
    return NONCE, os.urandom(size), 0


def notify(kind, data=b""):
    return NOTIFY, struct.pack("!BBH", 0, 0, kind) + data, 0


def message(spi, payloads, version=0x20, flags=8):
    body = b""
    for i, (_, content, bits) in enumerate(payloads):
        following = payloads[i + 1][0] if i + 1 < len(payloads) else 0
        body += struct.pack("!BBH", following, bits, 4 + len(content)) + content
    return spi + bytes(8) + struct.pack("!BBBBLL", payloads[0][0], version, 34, flags, 0,
                                        28 + len(body)) + body


def payloads_of(data):
    kind, at = data[16], 28
    while kind and at + 4 <= len(data):
        following, _, size = struct.unpack("!BBH", data[at:at + 4])
        yield kind, data[at + 4:at + size]
        kind, at = following, at + size


def show(data):
    """The answer in words: SA#2 is the number of the proposal chosen, N17 a notify."""
    words = []
    for kind, body in payloads_of(data or bytes(28)):
        if kind == NOTIFY:
            words.append("N%d" % struct.unpack("!H", body[2:4]))
        elif kind == SA:
            words.append("SA#%d" % body[4])
        elif kind == KE:
            words.append("KE%d" % struct.unpack("!H", body[:2]))
    return " ".join(words) or "silence"


def talk(sock, payloads, **header):
    spi = os.urandom(8)
    for _ in range(2):
        sock.sendto(message(spi, payloads, **header), PEER)
        try:
            answer = sock.recv(9000)
        except socket.timeout:
            return None
        cookie = [body[4:] for kind, body in payloads_of(answer)
                  if kind == NOTIFY and body[2:4] == struct.pack("!H", COOKIE)]
        if not cookie:
            break
        payloads = [notify(COOKIE, cookie[0])] + payloads
    return answer


def case(name, wanted, payloads, **header):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("192.0.2.%d" % next(hosts), 500))
        sock.settimeout(20)
        got = show(talk(sock, payloads, **header))
    ok(re.search(wanted + r"\b", got), name, "got %s, wanted %s" % (got, wanted))


gcm, prf, x25519 = transform(1, 20, 256), transform(2, 5), transform(4, 31)
good = [gcm, prf, x25519]
plain = [ke(), nonce()]
legacy = [transform(1, 3), transform(2, 2), transform(3, 2), transform(4, 2)]
ML_KEM, VENDOR_IDS = 36, [(VENDOR, b"strongSwan", 0), (VENDOR, os.urandom(200), 0), (VENDOR, b"", 0)]


def has_ml_kem():
    """Does this libcrypto have it (OpenSSL 3.5), and so the agent?"""
    libcrypto = ctypes.CDLL("libcrypto.so.3")
    libcrypto.EVP_KEM_fetch.restype = ctypes.c_void_p
    return bool(libcrypto.EVP_KEM_fetch(None, b"ML-KEM-768", None))


case("plain", "SA#1 KE31", [offer(good)] + plain)

# Transforms and proposals that are not ours.
case("ML-KEM as additional exchange first, classical second", "SA#2",
     [offer(good + [transform(6, ML_KEM)], good)] + plain)
case("seven additional exchanges, classical second", "SA#2",
     [offer(good + [transform(kind, ML_KEM) for kind in range(6, 13)], good)] + plain)
# Who has ML-KEM has the transform type, too, and takes its NONE, as no IKE_INTERMEDIATE was announced.
case("an additional exchange that may be NONE, and no other proposal", "SA#1" if has_ml_kem() else "N14",
     [offer(good + [transform(6, ML_KEM), transform(6, 0)])] + plain)
case("ML-KEM as the group among others", "SA#1",
     [offer([gcm, prf, transform(4, ML_KEM), x25519])] + plain)
case("a key of ML-KEM: asked for another group", "N17",
     [offer([gcm, prf, transform(4, ML_KEM), x25519]), ke(ML_KEM, 1184), nonce()])
for kind in (13, 240):
    case("transform type %d first" % kind, "SA#2",
         [offer(good + [transform(kind, 1)], good)] + plain)
case("an unknown attribute on one transform of several", "SA#1",
     [offer([transform(1, 20, 128, struct.pack("!HH", 0x8063, 5))] + good)] + plain)
case("a long attribute on one transform of several", "SA#1",
     [offer([transform(1, 20, 128, struct.pack("!HH", 99, 3) + b"abc")] + good)] + plain)
case("the same transform twice", "SA#1", [offer([t for t in good for _ in range(2)])] + plain)
case("a key length with ChaCha20", "SA#1", [offer([transform(1, 28, 256)] + good)] + plain)
case("AES-GCM without key length", "SA#1", [offer([transform(1, 20)] + good)] + plain)
case("integrity NONE with GCM", "SA#1", [offer(good + [transform(3, 0)])] + plain)
case("integrity with GCM first", "SA#2", [offer(good + [transform(3, 12)], good)] + plain)
case("sequence numbers in a proposal for IKE", "SA#[12]",
     [offer(good + [transform(5, 0)], good)] + plain)
case("proposals numbered 5 and 7", "SA#7", [offer((5, legacy), (7, good))] + plain)
case("an SPI as no protocol has it", "SA#2",
     [offer((1, good, 1, bytes(20)), (2, good))] + plain)
case("a proposal for ESP", "N14", [offer((1, good, 3, b"abcd"))] + plain)

# Size.
for number in (17, 30, 120):
    case("%d proposals, the last fits" % number, "SA#%d" % number,
         [offer(*[legacy] * (number - 1), good)] + plain)
case("60 transforms", "SA#1",
     [offer([transform(1, 12, 128 + 64 * (i % 3)) for i in range(20)] + [gcm, prf] +
            [transform(4, 100 + i) for i in range(37)] + [x25519])] + plain)
case("255 transforms", "SA#1",
     [offer([transform(4, 100 + i) for i in range(252)] + good)] + plain)
case("3,000 bytes, in IP fragments", "SA#1",
     [offer(good)] + plain + [(VENDOR, os.urandom(2600), 0)])

# Payloads.
case("vendor IDs, notifies and a payload nobody knows", "SA#1",
     [offer(good)] + plain + VENDOR_IDS + [notify(FRAGMENTATION), notify(40961, b"x"),
                                           notify(65535), (200, b"abc", 0)])
case("40 notifies", "SA#1",
     [offer(good)] + plain + [notify(FRAGMENTATION + i) for i in range(40)])
case("an unknown payload, critical", "N1", [offer(good)] + plain + [(200, b"abc", 0x80)])
case("a known payload with the critical bit", "SA#1", [offer(good, flags=0x80)] + plain)
case("reserved bits of a payload's header", "SA#1", [offer(good, flags=0x7f)] + plain)
case("reserved bytes of transforms", "SA#1",
     [offer([(kind, number, attributes, 255) for kind, number, attributes, _ in good])] + plain)
case("payloads in another order", "SA#1", [nonce(), ke(), offer(good)])
case("NAT detection of the wrong length", "SA#1",
     [offer(good)] + plain + [notify(16388, b"short"), notify(16389, bytes(32))])
for size, wanted in ((15, "N7"), (16, "SA#1"), (256, "SA#1"), (257, "N7")):
    case("a nonce of %d bytes" % size, wanted, [offer(good), ke(), nonce(size)])
case("a key exchange value of the wrong length", "N7", [offer(good), ke(31, 31), nonce()])
case("a cookie nobody gave", "SA#1", [notify(COOKIE, os.urandom(40)), offer(good)] + plain)

# Header.
case("minor version 5", "SA#1", [offer(good)] + plain, version=0x25)
case("reserved flags", "SA#1", [offer(good)] + plain, flags=0x08 | 0xc7)
case("the flag of a higher version", "SA#1", [offer(good)] + plain, flags=0x18)
taplib.finish()
