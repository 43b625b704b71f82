# SPDX-License-Identifier: GPL-2.0-or-later
"""Requests of esptun's netlink family out of its specification, for fuzz_cases.py: good ones,
those with one thing wrong in every place there is, and random ones of the two. An attribute that
is added to the specification is in all of them; if what it is by its type is not taken, it needs
a row of POOL or of TOGETHER, which fuzz_cases.py finds out."""
import copy
import struct

from genl import NLA_F_NESTED, SIZES, attribute, link_info

# What names an object, and values that meet others: few of each.
POOL = {
    ("peer", "id"): [1, 2, 3, 4],
    ("peer", "remote-address"): ["127.0.0.1", "127.0.0.2", "::1", "192.0.2.9", "0.0.0.0"],
    ("peer", "remote-port"): [4500, 4501, 9],
    ("peer", "local-address"): ["127.0.0.1", "::1", "0.0.0.0"],
    ("peer", "keepalive"): [0, 1, 3600],
    ("peer", "identity"): ["00", "ff" * 512],
    ("sa", "spi"): [0x1000, 0x1001, 0x1002, 0x1003, 0x2000, 0x2001],
    ("sa", "peer"): [1, 2, 3],
    ("sa", "replay-window"): [0, 1, 64, 1024, 65536],
    ("sa", "seq"): [0, 1, 0xfffffff0, 0xffffffff, 1 << 40],
    ("sa", "cpu"): [0, 1, 0xffffffff],
    ("sa", "tfc"): [0, 1, 600, 65535, 0xffffffff],
    ("sa", "dummy"): [0, 1, 1000, 1001],
    ("sa", "nat-oa-local"): ["127.0.0.1", "10.9.0.1", "::1", "0.0.0.0"],
    ("sa", "nat-oa-remote"): ["127.0.0.1", "10.9.0.2", "::1", "0.0.0.0"],
    ("ts", "address"): ["0.0.0.0", "10.9.0.0", "10.9.0.2", "fd00::"],
    ("ts", "prefix-len"): [0, 8, 24, 32, 128],
    ("ts", "protocol"): [0, 1, 6, 17, 58],
    ("ike", "remote-address"): ["127.0.0.1", "::1"],
    ("ike", "remote-port"): [4500, 4501],
    ("ike", "data"): ["00" * 28, "11" * 1200],
    ("link", "local"): [b"\x7f\0\0\1", bytes(15) + b"\1", bytes(4)],
    ("link", "port"): [4500, 4501, 4502],
}
LIMITS = [0, 1, 3, 100, 1 << 20, 1 << 40]
# Attributes of a nest that the kernel takes only together, and their values.
TOGETHER = {
    "sa": [{"mode": ["transport"], "nat-oa-local": ["127.0.0.1", "10.9.0.1"], "nat-oa-remote": ["127.0.0.1"]},
           {"mode": ["tunnel"], "tfc": [1, 600, 0xffffffff]}],
}
# Of a request: the nest, and what in it has to be there.
NEEDS = {
    "peer-new": ("peer", ["id"]), "peer-set": ("peer", ["id"]), "peer-del": ("peer", ["id"]),
    "peer-get": ("peer", ["id"]),
    "sa-new": ("sa", ["spi", "dir", "peer"]), "sa-set": ("sa", ["spi", "dir", "peer"]),
    "sa-del": ("sa", ["spi", "dir", "peer"]), "sa-get": ("sa", ["spi", "dir", "peer"]),
    "spi-alloc": ("sa", ["peer"]), "flush": ("sa", ["peer"]), "ike-bind": (None, []),
    "ike-send": ("ike", ["remote-address", "remote-port", "data"]),
}
NUMBERS = {"u8": [0, 1, 2, 3, 63, 64, 127, 128, 255],
           "u16": [0, 1, 255, 256, 4500, 0x7fff, 0x8000, 0xffff],
           "u32": [0, 1, 255, 256, 65536, 65537, 0x7fffffff, 0x80000000, 0xffffffff],
           "s32": [0, -1, 0x7fffffff, -0x80000000],
           "u64": [0, 1, 0xffffffff, 1 << 32, (1 << 63) - 1, 1 << 63, (1 << 64) - 1]}
LENGTHS = (0, 1, 2, 3, 4, 5, 7, 8, 9, 12, 15, 16, 17, 20, 36, 63, 64, 65, 512, 513, 4000)
GARBAGE = (b"\1", b"\1\2\3", b"\0\0\0\0", b"\3\0\1\0", b"\xff\xff\1\0", b"\x04\0\xff\xff", b"\x04\0\0\0",
           b"\x05\0\1\0\1", b"\x08\0\1\x80\xff\xff\xff\xff", b"\x04\0\1\0" * 600, bytes(2000))


class Requests:
    def __init__(self, spec, rng, algorithms):
        """`algorithms`: what algo-get told."""
        self.spec, self.rng = spec, rng
        self.ciphers = [a for a in algorithms if a["type"] == 1 and a["state"] == "available"]
        self.hashes = [a for a in algorithms if a["type"] == 3 and a["state"] == "available"]
        # Attributes of the nest that the kernel does not take in a request, by its name;
        # learned from what it says.
        self.closed = {}
        self.bad = {}

    def row(self, set_name, name):
        return next(a for a in self.spec.sets[set_name] if a["name"] == name)

    def number(self, set_name, name):
        return [a["name"] for a in self.spec.sets[set_name]].index(name) + 1

    # ---- good ones ----

    def value(self, set_name, name):
        """Mostly one that can be taken."""
        row = self.row(set_name, name)
        if (set_name, name) in POOL:
            return self.rng.choice(POOL[set_name, name])
        if row["type"] == "nest":
            return self.nest(row["nested-attributes"])
        if "enum" in row:
            return self.rng.choice(self.spec.enums[row["enum"]])
        if "max" in row.get("checks", ()):
            return self.rng.randint(0, row["checks"]["max"])
        if name.startswith(("soft-", "hard-")):
            return self.rng.choice(LIMITS)
        if row["type"] in NUMBERS:
            return self.rng.choice(NUMBERS[row["type"]])
        return b"" if row["type"] == "flag" else self.rng.randbytes(self.rng.choice(LENGTHS))

    def nest(self, set_name):
        names = [a["name"] for a in self.spec.sets[set_name] if a["type"] != "pad"]
        if set_name == "ts":
            names = ["address"] + self.rng.choice(([], ["prefix-len"], ["protocol"], names[1:]))
        return {name: self.value(set_name, name) for name in names}

    def algorithm(self):
        """encr, integ and keys that fit."""
        cipher = self.rng.choice(self.ciphers)
        out = {"encr": cipher["id"]}
        if cipher.get("key-len"):
            out["encr-key"] = self.rng.randbytes(self.rng.choice(cipher["key-len"]))
        if not cipher["icv-len"]:
            integ = self.rng.choice(self.hashes)
            out["integ"] = integ["id"]
            out["integ-key"] = self.rng.randbytes(self.rng.choice(integ["key-len"]))
        return out

    def good(self, op, link, more=()):
        """A request that the kernel may well take, with the attributes `more` too."""
        nest, needs = NEEDS[op]
        if not nest:
            return {}
        inside = {name: self.value(nest, name) for name in needs}
        if op == "sa-new":
            inside.update(self.algorithm())
        for name in more:
            inside.update(self.fitting(op, name) if self.rng.random() < 0.7 else self.alone(nest, name))
        return {"ifindex": link, nest: inside}

    def alone(self, nest, name):
        """The attribute with a value."""
        value = self.value(nest, name)
        multi = self.row(nest, name).get("multi-attr")
        return {name: [value] * self.rng.choice((1, 1, 2, 5)) if multi else value}

    def fitting(self, op, name):
        """It and those that it needs, as far as the operation takes them."""
        nest, closed = NEEDS[op][0], self.closed.get(op, ())
        for group in TOGETHER.get(nest, ()):
            if name in group and name != "mode":
                return {key: self.rng.choice(values) for key, values in group.items() if key not in closed}
        return self.alone(nest, name)

    def optional(self, op):
        nest, needs = NEEDS[op]
        return [a["name"] for a in self.spec.sets[nest] if a["type"] != "pad" and a["name"] not in needs and
                a["name"] not in self.closed.get(op, ()) and not a["name"].startswith(("encr", "integ"))]

    def random(self, op, links):
        """A good one, or one with something wrong: what to send."""
        rng = self.rng
        more = []
        if NEEDS[op][0] and rng.random() < 0.7:
            more = [n for n in self.optional(op) if rng.random() < 0.2]
        request = self.good(op, rng.choice(links), more)
        luck = rng.random()
        if luck < 0.15:
            request = rng.choice(list(self.wrong(request)))[1]()
        payload = self.encode(request)
        if 0.15 < luck < 0.25 and payload:
            payload = self.damage(payload)
        return payload

    # ---- wrong ones ----

    def damage(self, payload):
        octets = bytearray(payload)
        for _ in range(self.rng.randint(1, 4)):
            octets[self.rng.randrange(len(octets))] = self.rng.choice((0, 1, 4, 0x7f, 0xff, self.rng.randrange(256)))
        if self.rng.random() < 0.2:
            del octets[self.rng.randrange(len(octets)):]
        return bytes(octets)

    def encode(self, request):
        return self.spec.encode("esptun", request)

    def wrong(self, request):
        """(what is wrong, a function that makes the request) for everything that can be wrong
        with one attribute of it or with one that it does not have."""
        yield from self.wrong_in("esptun", request, request, [])
        for name, value in request.items():
            if not isinstance(value, dict):
                continue
            set_name = self.row("esptun", name)["nested-attributes"]
            yield from self.wrong_in(set_name, request, value, [name])
            if "ts-local" in value:
                deeper = copy.deepcopy(request)
                deeper[name]["ts-local"] = deeper[name]["ts-local"][:1]
                yield from self.wrong_in("ts", deeper, deeper[name]["ts-local"][0], [name, "ts-local", 0])

    def wrong_in(self, set_name, request, inside, path):
        where = "/".join(str(step) for step in path) or "request"

        def changed(change):
            def make():
                out = copy.deepcopy(request)
                at = out
                for step in path:
                    at = at[step]
                change(at)
                return out
            return make

        def replaced(name, key, octets):
            def change(at):
                at.pop(name, None)
                at[key] = octets
            return changed(change)

        for row in self.spec.sets[set_name]:
            name, number = row["name"], self.number(set_name, row["name"])
            if name in inside:
                yield "%s: no %s" % (where, name), changed(lambda at, n=name: at.pop(n))
            for text, flags, octets in self.bad_octets(set_name, row):
                yield ("%s: %s %s" % (where, name, text), replaced(name, number | flags, octets))
        for number in (0, len(self.spec.sets[set_name]) + 1, 255, 0x3fff):
            yield "%s: attribute %d" % (where, number), replaced(None, number, b"\0\0\0\0")

    def bad_octets(self, set_name, row):
        """octets() of it, made once."""
        key = set_name, row["name"]
        if key not in self.bad:
            self.bad[key] = list(self.octets(row))
        return self.bad[key]

    @staticmethod
    def octets(row):
        """(text, flags of its number, octets) of an attribute that may not be taken."""
        kind = row["type"]
        if kind == "nest":
            for octets in GARBAGE:
                yield "of %s" % octets[:12].hex(), NLA_F_NESTED, octets
            yield "without the flag of a nest", 0, attribute(1, b"\0\0\0\0")
            yield "empty", NLA_F_NESTED, b""
            yield "nested 100 times", NLA_F_NESTED, nested(100)
        elif kind in SIZES:
            order = ">" if row.get("byte-order") == "big-endian" else "="
            for number in NUMBERS[kind]:
                yield "%d" % number, 0, struct.pack(order + SIZES[kind], number)
            size = struct.calcsize(SIZES[kind])
            for length in sorted({0, 1, size - 1, size + 1, 2 * size, 100}):
                if length != size:
                    yield "of %d octets" % length, 0, b"\1" * length
            yield "with the flag of a nest", NLA_F_NESTED, bytes(size)
            yield "with the flag of byte order", 0x4000, bytes(size)
        else:
            for length in LENGTHS:
                yield "of %d octets" % length, 0, b"\1" * length
                yield "of %d zero octets" % length, 0, bytes(length)


def nested(depth):
    out = b""
    for _ in range(depth):
        out = attribute(1 | NLA_F_NESTED, out)
    return out


def link_data(requests, wrong):
    """Attributes of a link for rtnetlink, in what RTM_NEWLINK has."""
    rng, spec = requests.rng, requests.spec
    names = [a["name"] for a in spec.sets["link"] if a["type"] != "pad" and rng.random() < 0.4]
    data = spec.encode("link", {name: requests.value("link", name) for name in names})
    if wrong:
        row = rng.choice(spec.sets["link"])
        _, flags, octets = rng.choice(requests.bad_octets("link", row))
        data += attribute(requests.number("link", row["name"]) | flags, octets)
    return link_info(data)


