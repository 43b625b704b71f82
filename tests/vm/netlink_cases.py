#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Requests of esptun's netlink family that must be refused, with text, and
change nothing; then what must be accepted. Runs in a namespace with a link
vpn0 that has no peers."""
import errno
import os
import random
import socket
import struct
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import genl  # noqa: E402
import taplib  # noqa: E402
from taplib import equal, ok  # noqa: E402

family = genl.Family()
LINK = genl.ifindex("vpn0")
KEY36, KEY20 = "5a" * 36, "5a" * 20
VOLATILE = ("age", "last-used", "last-tx", "last-rx", "keepalives", "mtu")


def ask(op, link=LINK, dump=False, **parts):
    """A request on vpn0; parts are attributes of the outer set."""
    values = {"ifindex": link} if link is not None else {}
    values.update({k.replace("_", "-"): v for k, v in parts.items()})
    return family.call(op, values, dump)


def snapshot():
    """All peers and SAs, keys too, without what changes by itself."""
    out = []
    for op, part in (("peer-get", "peer"), ("sa-get", "sa")):
        more = {"show_keys": True} if op == "sa-get" else {}
        for reply in ask(op, None, True, **more):
            out.append({k: v for k, v in reply[part].items() if k not in VOLATILE})
    return sorted(out, key=str)


def refused(name, op, code=None, link=LINK, text="", at=None, **parts):
    """The request fails, with text (and the errno given), changing nothing; the kernel points at
    attribute number `at`, if given."""
    before = snapshot()
    try:
        ask(op, link, **parts)
    except genl.NlError as error:
        same = snapshot() == before
        ok(error.text and text in error.text and same and (code is None or error.code == code) and
           at in (None, error.pointed), "refused: " + name,
           "%s, at %s%s" % (error, error.pointed, "" if same else "; but something changed"))
        return
    ok(False, "refused: " + name, "it was accepted")


def sa(**changes):
    """A good inbound SA, changed; None takes an attribute away."""
    good = {"spi": 0x4000, "dir": "in", "peer": 1, "mode": "tunnel", "encr": 20,
            "encr-key": KEY36}
    good.update({k.replace("_", "-"): v for k, v in changes.items()})
    return {k: v for k, v in good.items() if v is not None}


def ts(address="10.0.0.0", prefix_len=8, **more):
    out = {"address": address, "prefix-len": prefix_len}
    out.update({k.replace("_", "-"): v for k, v in more.items()})
    return {k: v for k, v in out.items() if v is not None}


def peers():
    ask("peer-new", peer={"id": 1, "remote-address": "192.0.2.2", "remote-port": 4500})
    ask("peer-new", peer={"id": 2})
    got = ask("peer-get", peer={"id": 1})[0]["peer"]
    equal((got["remote-address"], got["remote-port"], got["keepalive"]),
          ("192.0.2.2", 4500, 20), "a peer with defaults")
    refused("no ifindex", "peer-new", link=None, peer={"id": 3})
    refused("no such ifindex", "peer-new", errno.ENODEV, link=99999, peer={"id": 3})
    refused("ifindex of another kind of link", "peer-new", link=1, peer={"id": 3})
    refused("no peer", "peer-new")
    refused("peer without id", "peer-new", peer={"keepalive": 5})
    refused("peer id 0", "peer-new", peer={"id": 0})
    refused("peer id taken", "peer-new", errno.EEXIST, peer={"id": 1})
    for octets in (b"", b"\1", b"\1\2\3", b"\1\2\3\4\5", b"\1" * 15, b"\1" * 17):
        refused("address of %d octets" % len(octets), "peer-new",
                peer={"id": 3, "remote-address": octets})
        refused("local address of %d octets" % len(octets), "peer-new",
                peer={"id": 3, "local-address": octets})
    for address in ("224.0.0.1", "255.255.255.255", "::", "ff02::1", "fe80::1", "::ffff:192.0.2.2"):
        refused("remote address " + address, "peer-new", peer={"id": 3, "remote-address": address})
        refused("local address " + address, "peer-new", peer={"id": 3, "local-address": address})
    refused("addresses of two families", "peer-new",
            peer={"id": 3, "remote-address": "2001:db8::2", "local-address": "192.0.2.1"})
    ask("peer-new", peer={"id": 3, "remote-address": "2001:db8::2", "local-address": "2001:db8::1"})
    got = ask("peer-get", peer={"id": 3})[0]["peer"]
    equal((got["remote-address"], got["local-address"]), ("2001:db8::2", "2001:db8::1"),
          "a peer with IPv6 outside")
    ask("peer-set", peer={"id": 3, "remote-address": "0.0.0.0", "local-address": "0.0.0.0"})
    got = ask("peer-get", peer={"id": 3})[0]["peer"]
    ok("remote-address" not in got and "local-address" not in got,
       "0.0.0.0 takes an address of either family away", got)
    ask("peer-del", peer={"id": 3})
    refused("remote port 0", "peer-new",
            peer={"id": 3, "remote-address": "192.0.2.2", "remote-port": 0})
    refused("keepalive over 3600", "peer-new", peer={"id": 3, "keepalive": 3601})
    refused("may-roam 2", "peer-new", peer={"id": 3, "may-roam": 2})
    refused("encap 2", "peer-new", peer={"id": 3, "encap": 2})
    for name, value in (("tos", 256), ("tos", 65534), ("ttl", 257), ("df", 3), ("flow-label", 2),
                        ("udp-zero-csum6-tx", 2), ("udp-zero-csum6-rx", 2)):
        refused("%s %d" % (name, value), "peer-new", peer={"id": 3, name: value})
    equal(ask("peer-get", peer={"id": 1})[0]["peer"]["encap"], "udp", "ESP in UDP is the default")
    ask("peer-set", peer={"id": 2, "encap": "esp"})
    equal(ask("peer-get", peer={"id": 2})[0]["peer"]["encap"], "esp", "plain ESP if asked for")
    ask("peer-set", peer={"id": 2, "encap": "udp"})
    ok(True, "and back")
    refused("id of two octets", "peer-new", peer={"id": b"\3\0"})
    refused("peer that is no nest", "peer-new", peer=b"\1\2\3")
    refused("nest with an attribute longer than it", "peer-new", peer=b"\xff\0\1\0\1\0\0\0")
    refused("set: no such peer", "peer-set", errno.ENOENT, peer={"id": 7, "keepalive": 1})
    refused("set: one good, one bad", "peer-set", peer={"id": 1, "keepalive": 7, "may-roam": 2})
    refused("set: good port, bad address", "peer-set",
            peer={"id": 1, "keepalive": 7, "remote-port": 9, "remote-address": b"\1\2"})
    refused("delete: no such peer", "peer-del", errno.ENOENT, peer={"id": 7})
    for op in ("peer-del", "peer-get"):
        for name, value in (("keepalive", 5), ("remote-address", "192.0.2.2"), ("identity", "61")):
            refused("%s: %s, which names no peer" % (op, name), op, errno.EINVAL,
                    text="only names a peer", peer={"id": 2, name: value})
    refused("get: no such peer", "peer-get", errno.ENOENT, peer={"id": 7})
    ask("peer-set", peer={"id": 1, "keepalive": 7, "remote-port": 4999})
    got = ask("peer-get", peer={"id": 1})[0]["peer"]
    equal((got["remote-address"], got["remote-port"], got["keepalive"]),
          ("192.0.2.2", 4999, 7), "set changes what it names, nothing else")
    ask("peer-set", peer={"id": 1, "remote-port": 4500})
    for length in (0, 513):
        for op, number in (("peer-new", 3), ("peer-set", 1)):
            refused("%s: identity of %d octets" % (op, length), op,
                    peer={"id": number, "keepalive": 9, "identity": b"x" * length})
    ask("peer-new", peer={"id": 3, "identity": "00ff" * 256})
    ask("peer-set", peer={"id": 3, "keepalive": 7})
    equal(ask("peer-get", peer={"id": 3})[0]["peer"]["identity"], "00ff" * 256,
          "an identity of 512 octets is kept, as long as no other is set")
    ask("peer-set", peer={"id": 3, "identity": "61"})
    got = [r["peer"].get("identity") for r in ask("peer-get", dump=True)]
    equal(got, [None, None, "61"], "a dump has the identity of who has one")
    ask("peer-del", peer={"id": 3})


def sas():
    ask("sa-new", sa=sa(spi=0x1000))
    ask("sa-new", sa=sa(spi=0x1001, dir="out"))
    got = ask("sa-get", sa={"spi": 0x1000, "dir": "in"})[0]["sa"]
    equal((got["encr"], got.get("esn", 0), got["replay-window"], got["state"], got["peer"]),
          (20, 0, 1024, "mature", 1), "an SA with defaults")
    ok("gcm" in got.get("driver", ""), "the driver's name is shown", got)
    refused("no sa", "sa-new")
    refused("no ifindex", "sa-new", link=None, sa=sa())
    for missing in ("spi", "peer", "encr", "encr_key", "dir"):
        refused("SA without " + missing, "sa-new", sa=sa(**{missing: None}))
    for spi in (0, 1, 255):
        refused("SPI %d" % spi, "sa-new", sa=sa(spi=spi))
        refused("outbound SPI %d" % spi, "sa-new", sa=sa(spi=spi, dir="out"))
    refused("SPI taken", "sa-new", errno.EEXIST, sa=sa(spi=0x1000))
    refused("SPI taken, by another peer", "sa-new", errno.EEXIST, sa=sa(spi=0x1000, peer=2))
    refused("outbound SPI taken", "sa-new", errno.EEXIST, sa=sa(spi=0x1001, dir="out"))
    refused("no such peer", "sa-new", errno.ENOENT, sa=sa(peer=77))
    for encr in (0, 17, 22, 1027, 9999):
        refused("algorithm %d" % encr, "sa-new", sa=sa(encr=encr), text="encr: unknown algorithm")
    for encr, octets in ((2, 8), (3, 24), (1024, 16), (1025, 20), (1026, 19)):
        refused("legacy algorithm %d" % encr, "sa-new", errno.EPERM,
                sa=sa(encr=encr, encr_key="11" * octets), text="encr: a legacy algorithm")
    for integ, octets in ((1, 16), (1024, 32)):
        refused("legacy integrity algorithm %d" % integ, "sa-new", errno.EPERM,
                sa=sa(encr=12, encr_key="11" * 16, integ=integ, integ_key="11" * octets),
                text="integ: a legacy algorithm")
    for encr, octets in ((11, 0), (12, 16), (13, 20)):
        refused("algorithm %d without authentication" % encr, "sa-new", errno.EINVAL,
                sa=sa(encr=encr, encr_key="11" * octets),
                text="encryption without authentication is refused")
    refused("integrity algorithm 9999", "sa-new", errno.EINVAL,
            sa=sa(encr=12, encr_key="11" * 16, integ=9999, integ_key="11" * 16),
            text="integ: unknown algorithm")
    for octets in (0, 15, 17, 20, 64):
        refused("AES-CBC key of %d octets" % octets, "sa-new", errno.EINVAL, text="encr-key: AES-CBC",
                sa=sa(encr=12, encr_key="11" * octets, integ=2, integ_key="11" * 20))
    for octets in (0, 16, 19, 21, 64):
        refused("HMAC-SHA1 key of %d octets" % octets, "sa-new", errno.EINVAL,
                text="integ-key: HMAC-SHA1-96 takes 20 octets",
                sa=sa(encr=12, encr_key="11" * 16, integ=2, integ_key="11" * octets))
    refused("HMAC-SHA1 without a key", "sa-new", errno.EINVAL, text="integ-key: HMAC-SHA1-96",
            sa=sa(encr=12, encr_key="11" * 16, integ=2))
    refused("a key for no encryption", "sa-new", errno.EINVAL, text="encr-key: without encryption",
            sa=sa(encr=11, integ=2, integ_key="11" * 20))
    refused("integrity key with an AEAD", "sa-new", errno.EINVAL, sa=sa(integ_key="11" * 32),
            text="integ-key: a combined-mode cipher takes no integrity key")
    refused("integrity key longer than any", "sa-new", errno.EINVAL, text="key: at most 64",
            sa=sa(encr=12, encr_key="11" * 16, integ=2, integ_key="11" * 65))
    for spi in (0x4100, 0x4101):
        ask("sa-new", sa=sa(spi=spi, dir="out", encr=11, encr_key=None, integ=12,
                            integ_key="11" * 32))
    ok(True, "of outbound SAs without encryption, several may have one key")
    for spi in (0x4100, 0x4101):
        ask("sa-del", sa={"spi": spi, "dir": "out", "peer": 1})
    for octets in (0, 1, 16, 19, 21, 27, 29, 32, 35, 37, 40, 64):
        refused("AES-GCM key of %d octets" % octets, "sa-new", sa=sa(encr_key="11" * octets))
    for octets in (20, 28, 32, 35, 37, 64):
        refused("ChaCha20-Poly1305 key of %d octets" % octets, "sa-new",
                sa=sa(encr=28, encr_key="11" * octets))
    refused("key longer than any", "sa-new", sa=sa(encr_key="11" * 65))
    refused("integrity algorithm with an AEAD", "sa-new", sa=sa(integ=12, integ_key="11" * 32))
    refused("direction 2", "sa-new", sa=sa(dir=2))
    refused("mode 2", "sa-new", sa=sa(mode=2))
    ask("sa-new", sa=sa(mode="transport", spi=0x4002))
    got = ask("sa-get", sa={"spi": 0x4002, "dir": "in"})[0]["sa"]
    equal(got["mode"], "transport", "an SA in transport mode")
    ask("sa-del", sa={"spi": 0x4002, "dir": "in"})
    refused("ESN 2", "sa-new", sa=sa(esn=2))
    refused("replay window over the limit", "sa-new", sa=sa(replay_window=65537))
    refused("SPI of eight octets", "sa-new", sa=sa(spi=b"\0" * 8))
    refused("peer with SAs", "peer-del", errno.EBUSY, peer={"id": 1})
    refused("get: no such SA", "sa-get", errno.ENOENT, sa={"spi": 0x9999, "dir": "in"})
    refused("set: no such SA", "sa-set", errno.ENOENT,
            sa={"spi": 0x9999, "dir": "in", "soft-bytes": 1})
    for name, value in (("mode", "tunnel"), ("encr", 20), ("integ", 0), ("encr_key", KEY36),
                        ("integ_key", KEY36), ("esn", 0), ("replay_window", 64),
                        ("seq", 1), ("packets", 0)):
        refused("set: %s, which cannot change" % name.replace("_", "-"), "sa-set", errno.EINVAL,
                text="" if name == "packets" else "tfc and dummy",
                sa={"spi": 0x1000, "dir": "in", "soft-bytes": 1, name.replace("_", "-"): value})
    for name, value in (("tfc", 700), ("dummy", 1), ("mode", "tunnel"), ("encr", 20), ("encr-key", KEY36),
                        ("soft-bytes", 1), ("hard-time", 1), ("ts-local", [ts()]), ("cpu", 0), ("seq", 1)):
        for op in ("sa-get", "sa-del"):
            refused("%s: %s, which only an SA that is made or set has" % (op, name), op,
                    errno.EINVAL, text="only names SAs", sa={"spi": 0x1000, "dir": "in", name: value})
    for name, value in (("mode", "tunnel"), ("soft-bytes", 1)):
        refused("spi-alloc: " + name, "spi-alloc", errno.EINVAL, text="only names SAs",
                sa={"peer": 1, name: value})
    for name, value in (("spi", 0x1000), ("dir", "in"), ("soft-bytes", 1)):
        refused("flush: %s, which would not keep it from flushing all" % name, "flush", errno.EINVAL,
                text="flush takes peer alone", sa={"peer": 1, name: value})
    for side in ("ts-local", "ts-remote"):
        refused("set: bits beyond the prefix, " + side, "sa-set", errno.EINVAL,
                sa={"spi": 0x1000, "dir": "in", "soft-bytes": 1,
                    side: [ts(), ts(address="10.0.0.1")]})
    refused("set: limits that contradict each other, with good selectors", "sa-set", errno.EINVAL,
            sa={"spi": 0x1000, "dir": "in", "soft-bytes": 2, "hard-bytes": 1, "ts-local": [ts()]})
    refused("a replay window outbound", "sa-new", text="replay-window: only an inbound SA",
            sa=sa(dir="out", replay_window=64))
    refused("a first sequence number inbound", "sa-new", sa=sa(seq=1))
    refused("padding inbound", "sa-new", sa=sa(tfc=700))
    refused("dummies inbound", "sa-new", sa=sa(dummy=1))
    refused("padding over 65535", "sa-new", sa=sa(dir="out", tfc=65536))
    refused("dummies over 1000", "sa-new", sa=sa(dir="out", dummy=1001))
    refused("padding in transport mode", "sa-new", text="tfc: only in tunnel mode",
            sa=sa(dir="out", mode="transport", tfc=1))
    oa = {"nat-oa-local": "192.0.2.9", "nat-oa-remote": "10.0.0.5"}
    refused("NAT-OA outbound", "sa-new", text="nat-oa-local, nat-oa-remote: only an inbound",
            sa=sa(dir="out", mode="transport", **oa))
    refused("NAT-OA in tunnel mode", "sa-new", text="only in transport mode", sa=sa(**oa))
    for alone in oa:
        refused(alone + " alone", "sa-new", text="go together",
                sa=sa(mode="transport", **{alone: oa[alone]}))
    refused("NAT-OA of none", "sa-new", text="go together",
            sa=sa(mode="transport", **dict(oa, **{"nat-oa-local": "0.0.0.0"})))
    refused("NAT-OA of two families", "sa-new", text="not of one family",
            sa=sa(mode="transport", **dict(oa, **{"nat-oa-local": "2001:db8::9"})))
    six = {"nat-oa-local": "2001:db8::9", "nat-oa-remote": "fd00::5"}
    refused("NAT-OA of another family than the peer", "sa-new", text="peer's remote-address",
            sa=sa(mode="transport", **six))
    for address in ("224.0.0.1", "::", b"\0\0\0"):
        refused("NAT-OA %s" % address, "sa-new", text="outer address",
                sa=sa(mode="transport", **dict(oa, **{"nat-oa-remote": address})))
    ask("peer-set", peer={"id": 1, "encap": "esp"})
    refused("NAT-OA without UDP", "sa-new", text="whose ESP travels in UDP",
            sa=sa(mode="transport", **oa))
    ask("peer-set", peer={"id": 1, "encap": "udp"})
    ask("sa-new", sa=sa(mode="transport", spi=0x4003, **oa))
    got = ask("sa-get", sa={"spi": 0x4003, "dir": "in"})[0]["sa"]
    equal({k: got.get(k) for k in oa}, oa, "NAT-OA comes back as it was given")
    refused("set: NAT-OA, which cannot change", "sa-set", errno.EINVAL, text="tfc and dummy",
            sa={"spi": 0x4003, "dir": "in", "soft-bytes": 1, **oa})
    ask("sa-del", sa={"spi": 0x4003, "dir": "in"})
    ask("peer-new", peer={"id": 9})
    ask("sa-new", sa=sa(mode="transport", spi=0x4003, peer=9, **six))
    ok(True, "of a peer whose address is not known yet, of either family")
    ask("sa-del", sa={"spi": 0x4003, "dir": "in"})
    ask("peer-del", peer={"id": 9})
    refused("no sequence number left", "sa-new", sa=sa(dir="out", seq=0xffffffff))
    refused("the same with ESN", "sa-new", sa=sa(dir="out", esn=1, seq=1 << 63))
    refused("the key of another outbound SA, whose IVs it would repeat", "sa-new", errno.EEXIST,
            sa=sa(dir="out", seq=41))
    ask("sa-new", sa=sa(dir="out", seq=41, encr_key="5b" * 36))
    got = ask("sa-get", sa={"spi": 0x4000, "dir": "out", "peer": 1})[0]["sa"]
    equal(got["seq"], 41, "an outbound SA goes on where another one stopped")
    ask("sa-del", sa={"spi": 0x4000, "dir": "out", "peer": 1})
    ask("sa-new", sa=sa(dir="out", seq=42, encr_key="5b" * 36))
    ok(True, "a key is free again with its SA")
    ask("sa-new", sa=sa(spi=0x4001, dir="out", encr_key="5b" * 35 + "5c"))
    ok(True, "another salt makes other IVs")
    for spi in (0x4000, 0x4001):
        ask("sa-del", sa={"spi": spi, "dir": "out", "peer": 1})
    refused("delete: no such SA", "sa-del", errno.ENOENT, sa={"spi": 0x9999, "dir": "in"})
    refused("delete: the wrong direction", "sa-del", errno.ENOENT,
            sa={"spi": 0x1000, "dir": "out", "peer": 1})
    refused("delete: outbound of the wrong peer", "sa-del", errno.ENOENT,
            sa={"spi": 0x1001, "dir": "out", "peer": 2})
    refused("spi-alloc: no such peer", "spi-alloc", errno.ENOENT, sa={"peer": 77})
    refused("flush: no such peer", "flush", errno.ENOENT, sa={"peer": 77})


def echoes(op, payload):
    """What comes back for a refused request, which the kernel echoes."""
    sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, genl.NETLINK_GENERIC)
    sock.settimeout(10)
    body = struct.pack("=BBH", family.spec.ops[op], 1, 0) + payload
    sock.send(struct.pack("=IHHII", 16 + len(body), family.number,
                          genl.NLM_F_REQUEST | genl.NLM_F_ACK, 7, 0) + body)
    data = sock.recv(1 << 16)
    sock.close()
    return -struct.unpack_from("=i", data, 16)[0], data


def wiping():
    """No key stays in the memory of a request, whoever refuses it. The echo of
    a refused one shows what is left in it."""
    key = bytes.fromhex(KEY36)
    good = family.spec.encode("esptun", {"ifindex": LINK, "sa": sa(spi=0x1000)})
    bad = {
        "the operation": good,
        "the parser": family.spec.encode("esptun", {"ifindex": LINK, "sa": sa(spi=1)}),
        "the policy, in the SA": family.spec.encode("esptun", {"ifindex": LINK, "sa": sa(esn=2)}),
        "the policy, before the SA": family.spec.encode("esptun", {"ifindex": b"\1", "sa": sa()}),
        "the policy, behind the SA": good + genl.attribute(99, b"1234"),
        "the policy, as malformed": good + b"\1\0\1\0",
        "the lookup of the link": family.spec.encode("esptun", {"ifindex": 1 << 20, "sa": sa()}),
    }
    for who, payload in bad.items():
        code, data = echoes("sa-new", payload)
        ok(code and len(data) >= 36 + len(payload) and key[:16] not in data,
           "refused by %s: the key is wiped" % who, (code, len(data), data.hex()))


def selectors():
    numbers = {a["name"]: i for i, a in enumerate(family.spec.sets["ts"], 1)}
    bad = {
        "no address": (ts(address=None), "address"),
        "address of three octets": (ts(address=b"\1\2\3"), "address"),
        "IPv4 prefix of 33": (ts("10.0.0.1", 33), "prefix-len"),
        "IPv6 prefix of 129": (ts("fd00::1", 129), "prefix-len"),
        "host bits set": (ts("10.0.0.1", 8), "address"),
        "host bits set, IPv6": (ts("fd00::1", 64), "address"),
        "start of ports without end": (ts(protocol=6, port_start=5), "port-start"),
        "end of ports without start": (ts(protocol=6, port_end=5), "port-end"),
        "ports backwards": (ts(protocol=6, port_start=9, port_end=5), "port-start"),
        "ports without protocol": (ts(port_start=5, port_end=9), "port-start"),
    }
    for name, (selector, at) in bad.items():
        refused("selector: " + name, "sa-new", sa=sa(ts_local=[selector]), at=numbers[at])
        refused("remote selector: " + name, "sa-new", sa=sa(ts_remote=[ts(), selector]), at=numbers[at])
    refused("selectors: more than 256", "sa-new",
            sa=sa(ts_local=[ts("10.%d.%d.0" % (i >> 8, i & 255), 24) for i in range(257)]))
    ask("sa-new", sa=sa(ts_local=[ts("10.%d.0.0" % i, 16) for i in range(256)]))
    ask("sa-del", sa={"spi": 0x4000, "dir": "in"})
    ask("sa-new", sa=sa(ts_local=[ts("10.1.2.3", prefix_len=None)]))
    equal(ask("sa-get", sa={"spi": 0x4000, "dir": "in"})[0]["sa"]["ts-local"][0]["prefix-len"],
          32, "a selector without prefix length is one address")
    ask("sa-del", sa={"spi": 0x4000, "dir": "in"})
    wanted = {"ts-local": [ts("10.1.0.0", 16), ts("fd00::", 8)],
              "ts-remote": [ts("10.2.0.0", 16, protocol=6, port_start=80, port_end=90)]}
    ask("sa-new", sa=sa(**{k.replace("-", "_"): v for k, v in wanted.items()}))
    got = ask("sa-get", sa={"spi": 0x4000, "dir": "in"})[0]["sa"]
    for side, selector in wanted.items():
        equal([{k: v for k, v in t.items() if v} for t in got[side]], selector,
              "%s comes back as given" % side)
    ask("sa-del", sa={"spi": 0x4000, "dir": "in"})


def larval():
    refused("spi-alloc: an outbound SPI", "spi-alloc", text="dir: only inbound SPIs",
            sa={"peer": 1, "dir": "out"})
    first = ask("spi-alloc", sa={"peer": 1})[0]["sa"]["spi"]
    second = ask("spi-alloc", sa={"peer": 1})[0]["sa"]["spi"]
    ok(first != second and min(first, second) >= 256, "spi-alloc: two SPIs", (first, second))
    equal(ask("sa-get", sa={"spi": first, "dir": "in"})[0]["sa"]["state"], "larval",
          "a reserved SPI is a larval SA")
    refused("larval: another peer takes it", "sa-new", sa=sa(spi=first, peer=2))
    refused("larval: a bad key leaves it larval", "sa-new", sa=sa(spi=first, encr_key="11" * 5))
    ask("sa-new", sa=sa(spi=first))
    equal(ask("sa-get", sa={"spi": first, "dir": "in"})[0]["sa"]["state"], "mature",
          "sa-new gives it a key")
    refused("a second key", "sa-new", errno.EEXIST, sa=sa(spi=first))
    for spi in (first, second):
        ask("sa-del", sa={"spi": spi, "dir": "in"})


def unheard():
    """Some of the answers do not fit into the socket of one who does not read them."""
    deaf, told = genl.Family(family.spec), []
    deaf.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    request = family.spec.encode("esptun", {"ifindex": LINK, "sa": {"peer": 1}})
    message = struct.pack("=BBH", family.spec.ops["spi-alloc"], 1, 0) + request
    for _ in range(20):
        deaf.sock.send(struct.pack("=IHHII", 16 + len(message), family.number, genl.NLM_F_REQUEST, 1, 0) + message)
    deaf.sock.settimeout(0.2)
    while True:
        try:
            data = deaf.sock.recv(1 << 16)
        except socket.timeout:
            break
        except OSError:
            # ENOBUFS: something did not fit.
            continue
        if struct.unpack_from("=H", data, 4)[0] == family.number:
            told.append(family.spec.decode("esptun", data[20:])["sa"]["spi"])
    there = [r["sa"]["spi"] for r in ask("sa-get", None, True) if r["sa"]["state"] == "larval"]
    ok(0 < len(told) < 20 and sorted(told) == sorted(there), "spi-alloc: an SPI that nobody was told is given back",
       (told, there))
    for spi in there:
        ask("sa-del", sa={"spi": spi, "dir": "in"})


def ike():
    to = {"remote-address": "192.0.2.2", "remote-port": 4500, "data": "00" * 28}

    def without(**changes):
        out = dict(to)
        out.update({k.replace("_", "-"): v for k, v in changes.items()})
        return {k: v for k, v in out.items() if v is not None}

    refused("ike-send: nothing", "ike-send")
    refused("ike-send: no remote", "ike-send", ike=without(remote_address=None))
    refused("ike-send: no port", "ike-send", ike=without(remote_port=None))
    refused("ike-send: to any address", "ike-send", text="must not be 0", ike=without(remote_address="0.0.0.0"))
    refused("ike-send: no data", "ike-send", ike=without(data=None))
    refused("ike-send: empty data", "ike-send", ike=without(data=""))
    refused("ike-send: address of five octets", "ike-send", ike=without(remote_address=b"12345"))
    refused("ike-send: too long", "ike-send", ike=without(data="00" * 65001))
    agent = genl.Family()
    agent.call("ike-bind")
    other = genl.Family()
    try:
        other.call("ike-bind")
        ok(False, "ike-bind: one agent only", "a second was accepted")
    except genl.NlError as error:
        ok(error.code == errno.EBUSY and error.text, "ike-bind: one agent only", error)
    with taplib.netns("east"):
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind(("192.0.2.2", 4500))
    sock.settimeout(5)
    message = bytes(range(1, 29))
    agent.call("ike-send", {"ifindex": LINK, "ike": without(data=message)})
    data, source = sock.recvfrom(2000)
    equal((data, source), (b"\0\0\0\0" + message, ("192.0.2.1", 4500)),
          "ike-send: the non-ESP marker in front, from port 4500")
    sock.sendto(b"\0\0\0\0" + message[::-1], ("192.0.2.1", 4500))
    got = agent.events(1)
    equal(len(got), 1, "a datagram with the marker reaches the agent")
    name, values = got[0]
    equal((name, values["ike"]), ("ike-recv", {
        "data": message[::-1].hex(), "local-address": "192.0.2.1", "local-port": 4500,
        "remote-address": "192.0.2.2", "remote-port": 4500}),
        "without the marker, with both endpoints")
    sock.close()
    agent.sock.close()
    other.call("ike-bind")
    ok(True, "closing the socket gives the channel back")
    other.sock.close()


def events():
    watcher = genl.Family()
    watcher.subscribe()
    ask("peer-new", peer={"id": 5, "identity": "c0ffee"})
    ask("peer-set", peer={"id": 5, "identity": "c0ffee"})
    ask("sa-new", sa=sa(spi=0x5000, peer=5))
    ask("sa-set", sa={"spi": 0x5000, "dir": "in", "soft-packets": 5})
    ask("sa-del", sa={"spi": 0x5000, "dir": "in"})
    ask("peer-del", peer={"id": 5})
    got = watcher.events(0.5)
    equal([name for name, _ in got],
          ["peer-new", "peer-set", "sa-new", "sa-set", "sa-del", "peer-del"], "changes are announced")
    ok("encr-key" not in str(got) and KEY36 not in str(got), "without keys", got)
    ok("identity" not in str(got) and "c0ffee" not in str(got), "and without identities", got)
    ask("flush")
    agent = genl.Family()
    agent.call("ike-bind")
    watcher.events(0.2)
    subprocess.run(["ping", "-c1", "-W1", "10.9.0.77"], stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL, check=False)
    seen = watcher.events(0.5)
    got = [v for name, v in seen if name == "acquire" and
           v["flow"]["destination"] == "10.9.0.77"]
    ok(got and got[0]["flow"]["source"] == "10.9.0.1" and got[0]["flow"]["protocol"] == 1,
       "with an agent, a packet without an SA raises acquire", seen)
    agent.sock.close()


def limits():
    """Hard packet limit outbound: expire events, then nothing leaves."""
    watcher = genl.Family()
    watcher.subscribe()
    ask("sa-new", sa=sa(spi=0x6000))
    ask("sa-new", sa=sa(spi=0x6001, dir="out", soft_packets=3, hard_packets=5))
    watcher.events(0.2)
    before = genl.counters(family, "vpn0")
    subprocess.run(["ping", "-c8", "-i0.1", "-W1", "10.9.0.2"], stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL, check=False)
    got = [v["expire-reason"] for name, v in watcher.events(0.5) if name == "expire"]
    equal(got, ["soft", "hard"], "one soft expiry, one hard")
    after = genl.counters(family, "vpn0")
    ok(after["tx-expired"] + after["tx-no-sa"] > before["tx-expired"] + before["tx-no-sa"],
       "packets after the hard limit are counted as dropped",
       {k: after[k] - before[k] for k in after if after[k] != before[k]})
    got = ask("sa-get", sa={"spi": 0x6001, "dir": "out", "peer": 1})[0]["sa"]
    equal((got["state"], got["packets"]), ("dead", 5), "the SA is dead after five packets")
    ask("flush")


def expiries(watcher, seconds):
    return [v["expire-reason"] for name, v in watcher.events(seconds) if name == "expire"]


def limits_of_time():
    """Limits in seconds since an SA was added, and since its first packet."""
    watcher = genl.Family()
    watcher.subscribe()
    for limit in ("soft", "hard"):
        for kind in ("time", "use-time"):
            refused("%s-%s beyond 2^32-1" % (limit, kind), "sa-new",
                    sa=dict(sa(), **{"%s-%s" % (limit, kind): 1 << 32}))
    refused("a soft time after the hard one", "sa-new", sa=sa(soft_time=3, hard_time=2))
    refused("the same since the first packet", "sa-new", sa=sa(soft_use_time=3, hard_use_time=2))
    given = {"soft-time": 1000, "hard-time": 2000, "soft-use-time": 3000, "hard-use-time": 4000}
    ask("sa-new", sa=dict(sa(), **given))
    got = ask("sa-get", sa={"spi": 0x4000, "dir": "in"})[0]["sa"]
    equal({k: got.get(k) for k in given}, given, "limits of time come back as given")
    watcher.events(0.2)
    ask("sa-set", sa={"spi": 0x4000, "dir": "in", "soft-time": 1})
    equal(expiries(watcher, 2.5), ["soft"], "a soft time since it was added is told once")
    age = ask("sa-get", sa={"spi": 0x4000, "dir": "in"})[0]["sa"]["age"] // 1000
    ask("sa-set", sa={"spi": 0x4000, "dir": "in", "hard-time": age + 3})
    equal(expiries(watcher, 5), ["soft", "hard"],
          "when limits change it is told again; then comes the hard one")
    equal(ask("sa-get", sa={"spi": 0x4000, "dir": "in"})[0]["sa"]["state"], "dead",
          "which ends the SA")
    ask("flush")
    ask("sa-new", sa=sa(spi=0x6000))
    ask("sa-new", sa=sa(spi=0x6001, dir="out", soft_use_time=1, hard_use_time=3))
    equal(expiries(watcher, 3.5), [], "time since the first packet has not begun without one")
    subprocess.run(["ping", "-c1", "-W1", "10.9.0.2"], stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL, check=False)
    equal(expiries(watcher, 5), ["soft", "hard"], "with one it has")
    age = ask("sa-get", sa={"spi": 0x6000, "dir": "in"})[0]["sa"]["age"] // 1000
    ask("sa-set", sa={"spi": 0x6000, "dir": "in", "hard-time": age + 5})
    ask("sa-del", sa={"spi": 0x6000, "dir": "in"})
    equal(expiries(watcher, 6), [], "an SA that is deleted before its time is not told of")
    ask("flush")


def roaming():
    """Only an authenticated packet moves a peer, and only one that may."""
    watcher = genl.Family()
    watcher.subscribe()
    from espwire import ICMP, IP, Raw, Wire
    key = bytes((0x50 + i * 7) & 255 for i in range(36)).hex()
    back = bytes((0xa0 + i * 7) & 255 for i in range(36)).hex()
    for roam in (1, 0):
        ask("flush")
        ask("peer-set", peer={"id": 1, "may-roam": roam, "remote-address": "192.0.2.2",
                              "remote-port": 4500})
        ask("sa-new", sa=sa(spi=0x2001, encr_key=key))
        ask("sa-new", sa=sa(spi=0x3001, dir="out", encr_key=back))
        watcher.events(0.2)
        with taplib.netns("east"):
            wire = Wire("aes-gcm-256", False, "192.0.2.2", "192.0.2.1", 0x3001, 0xa0,
                        0x2001, 0x50, port=4777)
        echo = IP(src="10.9.0.2", dst="10.9.0.1") / ICMP(id=9, seq=1) / Raw(b"x")
        good = wire.esp(echo)
        wire.send(good[:-1] + bytes([good[-1] ^ 1]))
        got = [v for name, v in watcher.events(0.4) if name == "peer-moved"]
        equal(got, [], "may-roam %d: a forged packet does not move the peer" % roam)
        wire.send(good)
        got = [v["peer"] for name, v in watcher.events(0.4) if name == "peer-moved"]
        port = ask("peer-get", peer={"id": 1})[0]["peer"]["remote-port"]
        if roam:
            ok(len(got) == 1 and got[0]["remote-port"] == 4777 and port == 4777,
               "an authenticated one does, and that is announced", (got, port))
            ok(wire.receive() is not None, "the answer goes to the new port")
            # A replay from elsewhere is authentic too, but not new.
            with taplib.netns("east"):
                thief = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                thief.bind(("192.0.2.2", 4666))
            thief.sendto(good, ("192.0.2.1", 4500))
            taplib.wait_for(0.3, lambda: False)
            equal(ask("peer-get", peer={"id": 1})[0]["peer"]["remote-port"], 4777,
                  "a replayed packet does not move it")
            thief.close()
        else:
            equal((got, port), ([], 4500), "a peer that may not roam stays")
            ok(wire.receive(0.5) is None, "the answer does not go to the new port")
        wire.sock.close()
    ask("flush")


def dumps():
    for i in range(300):
        ask("sa-new", sa=sa(spi=0x10000 + i))
    got = [r["sa"]["spi"] for r in ask("sa-get", dump=True)]
    equal(sorted(got), [0x10000 + i for i in range(300)], "a dump of 300 SAs has each once")
    ok("encr-key" not in str(ask("sa-get", dump=True)), "and no keys")
    ask("flush", sa={"peer": 2})
    equal(len(ask("sa-get", dump=True)), 300, "flush of one peer leaves the other's")
    ask("flush")
    equal(ask("sa-get", dump=True), [], "flush of the link takes all")


def dumps_interrupted():
    """A change half way through a dump marks it; what did not change is whole."""
    wanted = [0x10000 + i for i in range(300)]
    for spi in wanted:
        ask("sa-new", sa=sa(spi=spi))
    ask("sa-get", dump=True)
    ok(not family.interrupted, "a dump without changes is not marked")
    other = genl.Family()
    changes = {
        "adding an SA": ("sa-new", sa(spi=0x20000)),
        "deleting an SA": ("sa-del", {"spi": 0x20000, "dir": "in"}),
        "changing an SA": ("sa-set", {"spi": wanted[0], "dir": "in", "soft-bytes": 1 << 40}),
    }
    for name, (op, part) in changes.items():
        family.pause = lambda o=op, p=part: other.call(o, {"ifindex": LINK, "sa": p})
        got = [r["sa"]["spi"] for r in ask("sa-get", dump=True)]
        ok(family.interrupted, "%s marks the dump as interrupted" % name)
        equal(sorted(s for s in got if s != 0x20000), wanted, "and every other SA is there once")
    other.sock.close()
    ask("flush")
    for i in range(400):
        ask("peer-new", peer={"id": 1000 + i})
    other = genl.Family()
    family.pause = lambda: other.call("peer-del", {"ifindex": LINK, "peer": {"id": 1000}})
    got = [r["peer"]["id"] for r in ask("peer-get", dump=True)]
    ok(family.interrupted, "deleting a peer marks the dump as interrupted")
    equal([i for i in got if i > 1000], list(range(1001, 1400)), "and every other peer is there once")
    for i in range(1, 400):
        ask("peer-del", peer={"id": 1000 + i})
    other.sock.close()


def dumps_large():
    """The largest SA does not fit an ordinary dump message."""
    many = [ts("fd00:%x::" % i, 32, protocol=6, port_start=i + 1, port_end=i + 2)
            for i in range(256)]
    for spi in (0x7000, 0x7001):
        ask("sa-new", sa=sa(spi=spi, ts_local=many, ts_remote=many))
    for got in ask("sa-get", dump=True), ask("sa-get", sa={"spi": 0x7000, "dir": "in"}):
        equal((len(got[0]["sa"]["ts-local"]), got[0]["sa"]["ts-remote"][255]), (256, many[255]),
              "an SA with 512 selectors is shown whole")
    equal([r["sa"]["spi"] for r in ask("sa-get", dump=True)], [0x7000, 0x7001], "and so is the next")
    ask("flush")


def garbage():
    """Mutated requests: any verdict will do, but a refusal has text."""
    seed = 20261121
    rng = random.Random(seed)
    textless = {}
    valid = [(op, family.spec.encode("esptun", dict(part, ifindex=LINK))) for op, part in (
        ("peer-new", {"peer": {"id": 900, "remote-address": "192.0.2.9", "keepalive": 3}}),
        ("peer-set", {"peer": {"id": 2, "remote-address": "192.0.2.9"}}),
        ("sa-new", {"sa": sa(ts_local=[ts()], ts_remote=[ts("fd00::", 8, protocol=6,
                                                             port_start=1, port_end=2)])}),
        ("sa-set", {"sa": {"spi": 0x4000, "dir": "in", "soft-bytes": 77}}),
        ("sa-del", {"sa": {"spi": 0x4000, "dir": "in"}}),
        ("ike-send", {"ike": {"remote-address": "192.0.2.9", "remote-port": 4500,
                              "data": "11" * 30}}),
        ("spi-alloc", {"sa": {"peer": 2}}), ("flush", {"sa": {"peer": 2}}))]
    for _ in range(3000):
        op, payload = rng.choice(valid)
        octets = bytearray(payload)
        for _ in range(rng.randint(1, 4)):
            octets[rng.randrange(8, len(octets))] = rng.choice((0, 1, 4, 0x7f, 0xff,
                                                                rng.randrange(256)))
        if rng.random() < 0.2:
            del octets[rng.randrange(8, len(octets)):]
        try:
            family.call(op, bytes(octets))
        except genl.NlError as error:
            if not error.text:
                textless.setdefault((op, error.code), bytes(octets).hex())
    ok(not textless, "3000 mutated requests: every refusal has text (seed %d)" % seed, textless)
    family.exchange(family.spec.ops["sa-get"], b"", genl.NLM_F_DUMP)
    ask("flush")
    for reply in ask("peer-get", dump=True):
        if reply["peer"]["id"] > 2:
            ask("peer-del", peer={"id": reply["peer"]["id"]})
    ask("sa-new", sa=sa())
    ask("sa-del", sa={"spi": 0x4000, "dir": "in"})
    ok(True, "the family still works")


def links():
    """Options of a link that ip(8) refuses itself, or cannot give, on the way without it."""
    route = genl.Connection(0)
    rows = [
        ("port 0", errno.EINVAL, "port: must not be 0", 0, {"port": 0}, b""),
        ("a link-layer address", errno.EOPNOTSUPP, "address: an esptun link has no", 0, {}, bytes(6)),
        ("port 0 for vpn0", errno.EINVAL, "port: must not be 0", LINK, {"port": 0}, b""),
        ("vpn0 over a device that is not there", errno.ENODEV, "dev: no such device", LINK, {"dev": 9999}, b""),
        ("vpn0 over itself", errno.EINVAL, "dev: this is the link itself", LINK, {"dev": LINK}, b""),
    ]
    for name, code, text, index, data, address in rows:
        more = genl.attribute(genl.IFLA_ADDRESS, address) if address else b""
        more += genl.attribute(genl.IFLA_IFNAME, b"vpn8\0") if not index else b""
        more += genl.link_info(family.spec.encode("link", data))
        before = route.transact(genl.RTM_GETLINK, genl.link_message(LINK), 0)
        error = None
        try:
            route.transact(genl.RTM_NEWLINK, genl.link_message(index, more),
                           0 if index else genl.NLM_F_CREATE_EXCL)
        except genl.NlError as caught:
            error = caught
        after = route.transact(genl.RTM_GETLINK, genl.link_message(LINK), 0)
        ok(error and error.code == code and text in (error.text or "") and len(after[0]) == len(before[0]),
           "refused: %s" % name, "%s" % error)


peers()
sas()
links()
wiping()
selectors()
larval()
unheard()
ike()
events()
limits()
limits_of_time()
roaming()
dumps()
dumps_interrupted()
dumps_large()
garbage()
for peer_id in (1, 2):
    ask("peer-del", peer={"id": peer_id})
equal(snapshot(), [], "all is gone in the end")
taplib.finish()
