# SPDX-License-Identifier: GPL-2.0-or-later
"""A generic netlink client driven by Documentation/netlink/specs/esptun.yaml.

Shares no code with libesptun or the kernel's generated policy, so that tests
of the interface are independent of both, and can send what those would not.

A request is a dict of attribute names. Values are encoded by the type in the
specification, except that bytes go out as they are whatever the type; an
integer key is an attribute number the specification need not know.
"""
import errno
import ipaddress
import os
import socket
import struct
import sys

import yaml

NETLINK_GENERIC, SOL_NETLINK = 16, 270
NETLINK_ADD_MEMBERSHIP, NETLINK_CAP_ACK, NETLINK_EXT_ACK = 1, 10, 11
NETLINK_GET_STRICT_CHK = 12
NLMSG_ERROR, NLMSG_DONE = 2, 3
NLM_F_REQUEST, NLM_F_MULTI, NLM_F_ACK, NLM_F_DUMP = 1, 2, 4, 0x300
NLM_F_DUMP_INTR, NLM_F_ACK_TLVS = 0x10, 0x200
NLM_F_CREATE_EXCL = 0x600
NLA_F_NESTED, NLA_TYPE_MASK = 0x8000, 0x3fff
RTM_NEWLINK, RTM_DELLINK, RTM_GETLINK = 16, 17, 18
IFLA_ADDRESS, IFLA_IFNAME, IFLA_MTU, IFLA_LINKINFO, IFLA_NET_NS_FD = 1, 3, 4, 18, 28
IFLA_INFO_KIND, IFLA_INFO_DATA = 1, 2
# Errors for want of memory, which need no text; the last is of a socket that gets no inode.
NO_MEMORY = (errno.ENOMEM, errno.ENOBUFS, errno.ENFILE)
SIZES = {"u8": "B", "u16": "H", "u32": "I", "u64": "Q", "s32": "i"}


class NlError(Exception):
    """A refused request: errno, the kernel's text, and the number of the attribute it
    pointed at or missed (NLMSGERR_ATTR_OFFS or _MISS_TYPE), or None."""

    def __init__(self, code, text, pointed):
        super().__init__("%s: %s" % (errno.errorcode.get(code, code), text or "(no text)"))
        self.code, self.text, self.pointed = code, text, pointed


def attribute(number, data):
    head = struct.pack("=HH", len(data) + 4, number)
    return head + data + b"\0" * (-len(data) % 4)


def attributes(data):
    """The (number, octets) pairs in a run of attributes."""
    while len(data) >= 4:
        length, number = struct.unpack_from("=HH", data)
        if length < 4 or length > len(data):
            raise ValueError("attribute of length %d in %d octets" % (length, len(data)))
        yield number & NLA_TYPE_MASK, data[4:length]
        data = data[(length + 3) & ~3:]


def link_message(index=0, more=b"", flags=0, mask=0):
    """The body of rtnetlink's messages about a link: struct ifinfomsg, then attributes. `flags`
    are those of the device (IFF_UP is 1) that `mask` has."""
    return struct.pack("=BxHiII", socket.AF_UNSPEC, 0, index, flags, mask) + more


def link_info(data):
    """What kind of link it is, ours, and the octets of its own attributes."""
    return attribute(IFLA_LINKINFO | NLA_F_NESTED,
                     attribute(IFLA_INFO_KIND, b"esptun\0") + attribute(IFLA_INFO_DATA | NLA_F_NESTED, data))


def is_address(attr):
    """Is the attribute of the specification, which is of octets, an IP address?"""
    return ("address" in attr["name"] or attr["name"].startswith("nat-oa-") or
            attr["name"] in ("source", "destination"))


class Spec:
    def __init__(self, path):
        with open(path) as f:
            spec = yaml.load(f, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        self.name = spec["name"]
        self.sets = {s["name"]: s["attributes"] for s in spec["attribute-sets"]}
        self.enums = {d["name"]: [e if isinstance(e, str) else e["name"] for e in d["entries"]]
                      for d in spec["definitions"] if d["type"] == "enum"}
        self.ops = {op["name"]: i + 1 for i, op in enumerate(spec["operations"]["list"])}
        # Attributes of a request, by the operation's name; those of a dump apart.
        self.requests = {kind: {op["name"]: op[kind].get("request", {}).get("attributes", [])
                                for op in spec["operations"]["list"] if kind in op}
                         for kind in ("do", "dump")}
        self.op_names = {v: k for k, v in self.ops.items()}

    def encode(self, set_name, values):
        out = b""
        names = [a["name"] for a in self.sets[set_name]]
        for name, value in values.items():
            if isinstance(name, int):
                out += attribute(name, value)
                continue
            number = names.index(name) + 1
            attr = self.sets[set_name][number - 1]
            for one in value if attr.get("multi-attr") else [value]:
                flags = NLA_F_NESTED if attr["type"] == "nest" else 0
                out += attribute(number | flags, self.encode_one(attr, one))
        return out

    def encode_one(self, attr, value):
        kind = attr["type"]
        if isinstance(value, bytes):
            return value
        if kind == "nest":
            return self.encode(attr["nested-attributes"], value)
        if kind == "flag":
            return b""
        if kind == "binary":
            if is_address(attr):
                return ipaddress.ip_address(value).packed
            return bytes.fromhex(value)
        if kind == "string":
            return value.encode() + b"\0"
        if isinstance(value, str):
            if "enum" in attr:
                value = self.enums[attr["enum"]].index(value)
            elif attr.get("display-hint") == "ipv4":
                value = int(ipaddress.ip_address(value))
            else:
                value = int(value, 0)
        order = ">" if attr.get("byte-order") == "big-endian" else "="
        return struct.pack(order + SIZES[kind], value)

    def decode(self, set_name, data):
        out = {}
        for number, octets in attributes(data):
            if number > len(self.sets[set_name]):
                out[number] = octets.hex()
                continue
            attr = self.sets[set_name][number - 1]
            value = self.decode_one(attr, octets)
            if attr.get("multi-attr"):
                out.setdefault(attr["name"], []).append(value)
            elif attr["type"] != "pad":
                out[attr["name"]] = value
        return out

    def decode_one(self, attr, octets):
        kind = attr["type"]
        if kind == "nest":
            return self.decode(attr["nested-attributes"], octets)
        if kind == "flag":
            return True
        if kind == "string":
            return octets.rstrip(b"\0").decode()
        if kind == "binary":
            if is_address(attr):
                return str(ipaddress.ip_address(octets))
            return octets.hex()
        if kind == "pad":
            return None
        order = ">" if attr.get("byte-order") == "big-endian" else "="
        value = struct.unpack(order + SIZES[kind], octets)[0]
        if "enum" in attr:
            return self.enums[attr["enum"]][value]
        return value


SPEC = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                    "../../Documentation/netlink/specs/esptun.yaml")


class Connection:
    """A netlink socket that says why it refuses something."""

    def __init__(self, protocol):
        self.sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, protocol)
        self.sock.setsockopt(SOL_NETLINK, NETLINK_EXT_ACK, 1)
        self.sock.setsockopt(SOL_NETLINK, NETLINK_CAP_ACK, 1)
        self.sock.settimeout(30)
        self.sequence = 0
        # Was the last dump marked as interrupted? What to do after its first part.
        self.interrupted, self.pause = False, None

    def transact(self, kind, body, flags):
        """Send one message of this type; the bodies of the replies, or NlError."""
        self.sequence += 1
        sent = struct.pack("=IHHII", 16 + len(body), kind,
                           NLM_F_REQUEST | NLM_F_ACK | flags, self.sequence, 0) + body
        self.sock.send(sent)
        replies = []
        self.interrupted = False
        while True:
            data = self.sock.recv(1 << 20)
            if self.pause:
                self.pause()
                self.pause = None
            while len(data) >= 16:
                length, kind, mflags, sequence, _ = struct.unpack_from("=IHHII", data)
                message, data = data[16:length], data[(length + 3) & ~3:]
                if sequence != self.sequence:
                    continue
                if mflags & NLM_F_DUMP_INTR and kind != NLMSG_ERROR:
                    self.interrupted = True
                if kind in (NLMSG_ERROR, NLMSG_DONE):
                    self.judge(kind, mflags, message, sent)
                    return replies
                replies.append(message)

    @staticmethod
    def judge(kind, flags, message, sent):
        code = -struct.unpack_from("=i", message)[0] if len(message) >= 4 else 0
        if code == 0:
            return
        text, pointed = None, None
        if flags & NLM_F_ACK_TLVS:
            skip = 20 if kind == NLMSG_ERROR else 4
            for number, octets in attributes(message[skip:]):
                if number == 1:
                    text = octets.rstrip(b"\0").decode()
                elif number == 2:
                    at = struct.unpack("=I", octets)[0]
                    pointed = struct.unpack_from("=H", sent, at + 2)[0] & NLA_TYPE_MASK
                elif number == 5:
                    pointed = struct.unpack("=I", octets)[0]
        raise NlError(code, text, pointed)


class Family(Connection):
    def __init__(self, spec=None):
        super().__init__(NETLINK_GENERIC)
        self.spec = spec or Spec(SPEC)
        self.groups = {}
        self.number = 16
        for data in self.exchange(3, attribute(2, self.spec.name.encode() + b"\0"), 0):
            for number, octets in attributes(data):
                if number == 1:
                    self.number = struct.unpack("=H", octets)[0]
                elif number == 7:
                    self.learn_groups(octets)

    def learn_groups(self, data):
        for _, group in attributes(data):
            found = dict(attributes(group))
            name = found[1].rstrip(b"\0").decode()
            self.groups[name] = struct.unpack("=I", found[2])[0]

    def subscribe(self, group="events"):
        self.sock.setsockopt(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, self.groups[group])

    def exchange(self, command, payload, flags):
        """Send one request; the payloads of the replies, or NlError."""
        head = struct.pack("=BBH", command, 1, 0)
        return [reply[4:] for reply in self.transact(self.number, head + payload, flags)]

    def call(self, op, values=None, dump=False):
        """A command by its name in the specification (or number); the replies."""
        command = self.spec.ops[op] if isinstance(op, str) else op
        payload = values if isinstance(values, bytes) else \
            self.spec.encode("esptun", values or {})
        replies = self.exchange(command, payload, NLM_F_DUMP if dump else 0)
        return [self.spec.decode("esptun", r) for r in replies]

    def each_event(self, timeout):
        """Notifications as they come, until none came for `timeout` seconds: (name, dict)."""
        self.sock.settimeout(timeout)
        try:
            while True:
                data = self.sock.recv(1 << 20)
                while len(data) >= 16:
                    length = struct.unpack_from("=I", data)[0]
                    yield (self.spec.op_names[data[16]],
                           self.spec.decode("esptun", data[20:length]))
                    data = data[(length + 3) & ~3:]
        except socket.timeout:
            pass
        self.sock.settimeout(30)

    def events(self, timeout):
        """The same, all at once."""
        return list(self.each_event(timeout))


def ifindex(name):
    return socket.if_nametoindex(name)


def counters(family, link=None):
    """All counters of the namespace, or of a link and what belongs to none, in one dict."""
    total = {}
    for reply in family.call("stats-get", dump=True):
        if not link or reply.get("ifindex", 0) in (0, ifindex(link)):
            for name, value in reply.get("stats", {}).items():
                total[name] = total.get(name, 0) + value
    return total


if __name__ == "__main__":
    sys.exit("a module; see tests/vm/nl")
