#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""nth_cases.py requests|links: of a request, or of a change of a link, the first allocation fails, then
the second and so on, until one attempt asks for fewer. What is refused has changed nothing. See
t_nomem.sh."""
import contextlib
import errno
import os
import struct
import sys

sys.path.insert(0, os.path.join(os.environ["VM_TOP"], "tests/vm"))
import genl  # noqa: E402
import taplib  # noqa: E402
from taplib import ok  # noqa: E402

DEBUG = "/sys/kernel/debug/"
spec = genl.Spec(genl.SPEC)


def put(path, value):
    with open(DEBUG + path, "w") as f:
        f.write(str(value))


def countdown():
    """Every allocation counts for /proc/thread-self/fail-nth, which is opened."""
    for what in ("failslab", "fail_page_alloc"):
        put(what + "/verbose", 0)
        put(what + "/times", -1)
        put(what + "/probability", 0)
        put(what + "/ignore-gfp-wait", "N")
    put("fail_page_alloc/min-order", 0)
    return os.open("/proc/thread-self/fail-nth", os.O_RDWR)


def attempt(fd, n, act):
    """The exception of `act` while its n-th allocation fails, and whether it had that many."""
    error = None
    os.write(fd, b"%d" % n)
    try:
        act()
    except (genl.NlError, OSError) as caught:
        error = caught
    left = int(os.pread(fd, 20, 0).rstrip(b"\0\n") or 0)
    os.write(fd, b"0")
    return error, left == 0


def every(name, act, before=None, look=None, textless=(), most=4000):
    """`before` makes the state that `act` is about; `look` tells it. An error that the kernel
    did not answer with tells nothing of what was done. `textless` are errors that the kernel
    itself gives, besides those that name the memory."""
    fd, faults, n, refused = countdown(), [], 0, 0
    while n < most:
        n += 1
        if before:
            before()
        was = look() if look else None
        error, reached = attempt(fd, n, act)
        if error and not reached:
            faults.append("%d: with all its memory: %s" % (n, error))
        if isinstance(error, genl.NlError):
            refused += 1
            if error.code not in genl.NO_MEMORY and (error.text or error.code not in textless):
                faults.append("%d: %s" % (n, error))
            if look and look() != was:
                faults.append("%d: %s, and something changed" % (n, error))
        if not reached:
            break
    os.close(fd)
    ok(not faults and 1 < n < most, "%s: each of %d allocations failed, %d times it was refused" % (
        name, n - 1, refused), "\n".join(faults[:10]))


# ---- requests -----------------------------------------------------------------------------------------------

PEER = {"id": 5, "remote-address": "192.0.2.2", "remote-port": 4500}
KEY = "5a" * 36
IN = {"spi": 0x7001, "dir": "in", "peer": 5}
OUT = {"spi": 0x7002, "dir": "out", "peer": 5}
GCM = {"encr": 20, "encr-key": KEY}
TS = [{"address": "10.99.%d.0" % i, "prefix-len": 24} for i in range(20)]
CBC = {"encr": 12, "encr-key": "5a" * 16, "integ": 12, "integ-key": "a5" * 32}
CHACHA = {"encr": 28, "encr-key": KEY}
NAT_OA = {"mode": "transport", "nat-oa-local": "192.0.2.1", "nat-oa-remote": "10.0.0.2"}
OF_CPU = {"spi": 0x7003, "encr": 20, "encr-key": "c3" * 36, "cpu": 0, "ts-remote": TS}


class Objects:
    """Peer 5 of the west's link, beside the one that has traffic."""

    def __init__(self):
        self.family = genl.Family(spec)
        self.link = genl.ifindex("vpn0")

    def call(self, op, nest, values, more=()):
        return self.family.call(op, {"ifindex": self.link, nest: values, **dict(more)})

    def look(self):
        """All that requests change."""
        peers = self.family.call("peer-get", {}, True)
        sas = self.family.call("sa-get", {"show-keys": True}, True)
        return ([r["peer"]["id"] for r in peers if r["peer"]["id"] != 5],
                [{k: r["peer"].get(k) for k in ("id", "remote-address", "remote-port", "keepalive", "identity")}
                 for r in peers if r["peer"]["id"] == 5],
                sorted(str({k: r["sa"].get(k) for k in ("spi", "dir", "peer", "state", "encr", "encr-key",
                                                        "ts-remote", "hard-packets", "nat-oa-local",
                                                        "nat-oa-remote", "dummy")}) for r in sas))

    def none(self):
        with contextlib.suppress(genl.NlError):
            self.call("flush", "sa", {"peer": 5})
            self.call("peer-del", "peer", {"id": 5})

    def peer(self):
        self.none()
        self.call("peer-new", "peer", PEER)

    def sas(self):
        self.peer()
        self.call("sa-new", "sa", {**IN, **GCM})
        self.call("sa-new", "sa", {**OUT, **GCM, "ts-remote": TS})

    def larval(self):
        self.peer()
        self.call("spi-alloc", "sa", {"peer": 5, "spi": IN["spi"]})

    def every(self):
        call, dump = self.call, self.family.call
        rows = [
            ("peer-new", self.none, lambda: call("peer-new", "peer", PEER)),
            ("peer-new with an identity", self.none, lambda: call("peer-new", "peer", {**PEER, "identity": "69" * 9})),
            ("peer-set", self.peer, lambda: call("peer-set", "peer", {"id": 5, "remote-port": 4501, "keepalive": 7})),
            ("peer-get", self.peer, lambda: call("peer-get", "peer", {"id": 5})),
            ("peer-del", self.peer, lambda: call("peer-del", "peer", {"id": 5})),
            ("dump of peers", self.peer, lambda: dump("peer-get", {}, True)),
            ("sa-new in", self.peer, lambda: call("sa-new", "sa", {**IN, **GCM, "replay-window": 65536})),
            ("sa-new out", self.peer, lambda: call("sa-new", "sa", {**OUT, **GCM, "ts-remote": TS})),
            ("sa-new onto a larval SA", self.larval, lambda: call("sa-new", "sa", {**IN, **GCM})),
            ("sa-new with addresses before a NAT", self.peer, lambda: call("sa-new", "sa", {**IN, **GCM, **NAT_OA})),
            ("sa-new with dummy packets", self.peer, lambda: call("sa-new", "sa", {**OUT, **GCM, "dummy": 1})),
            ("sa-new of a CPU", self.sas, lambda: call("sa-new", "sa", {**OUT, **OF_CPU})),
            ("sa-new of ChaCha20", self.peer, lambda: call("sa-new", "sa", {**IN, **CHACHA})),
            ("sa-new of CBC and HMAC", self.peer, lambda: call("sa-new", "sa", {**OUT, **CBC})),
            ("sa-set", self.sas, lambda: call("sa-set", "sa", {**OUT, "hard-packets": 77, "ts-remote": TS[1:]})),
            ("sa-get", self.sas, lambda: call("sa-get", "sa", OUT, {"show-keys": True}.items())),
            ("dump of SAs", self.sas, lambda: dump("sa-get", {"show-keys": True}, True)),
            ("sa-del", self.sas, lambda: call("sa-del", "sa", OUT)),
            ("spi-alloc", self.peer, lambda: call("spi-alloc", "sa", {"peer": 5})),
            ("flush", self.sas, lambda: call("flush", "sa", {"peer": 5})),
            ("dump of counters", self.sas, lambda: dump("stats-get", {}, True)),
            ("dump of algorithms", self.sas, lambda: dump("algo-get", {}, True)),
            ("ike-send", self.peer, lambda: call("ike-send", "ike", {
                "remote-address": "192.0.2.2", "remote-port": 4500, "data": "11" * 100})),
        ]
        for name, before, act in rows:
            every(name, act, before, self.look)
        self.bind()
        self.none()

    def bind(self):
        """Of an agent, that goes again."""
        held = []

        def fresh():
            while held:
                held.pop().sock.close()
            held.append(genl.Family(spec))
            held[0].subscribe()
        every("ike-bind", lambda: held[0].call("ike-bind"), fresh)
        held[0].sock.close()


# ---- links, namespaces --------------------------------------------------------------------------------------


# device_add() refuses a device whose name dev_set_name() had no memory for, and
# netdev_register_kobject() does not ask about that.
NO_NAME = (errno.EINVAL,)


class Links:
    """vpn9 of the network namespace that this is made in."""

    def __init__(self):
        self.route = genl.Connection(0)

    def change(self, kind, flags=0, data=None, more=b""):
        """The replies."""
        more += genl.attribute(genl.IFLA_IFNAME, b"vpn9\0")
        if data is not None:
            more += genl.link_info(spec.encode("link", data))
        return self.route.transact(kind, genl.link_message(0, more), flags)

    def add(self):
        self.change(genl.RTM_NEWLINK, genl.NLM_F_CREATE_EXCL, {"port": 4599, "local": b"\xc0\0\2\1"})

    def none(self):
        if self.look():
            self.change(genl.RTM_DELLINK)

    def one(self):
        self.none()
        self.add()

    def look(self):
        """What esptun tells of the link, or nothing."""
        try:
            reply, = self.change(genl.RTM_GETLINK)
        except genl.NlError as error:
            if error.code != errno.ENODEV:
                raise
            return None
        info = dict(genl.attributes(reply[len(genl.link_message()):]))[genl.IFLA_LINKINFO]
        return spec.decode("link", dict(genl.attributes(info))[genl.IFLA_INFO_DATA])

    def every(self):
        every("link add", self.add, self.none, self.look, NO_NAME)
        every("link set of port and mark", lambda: self.change(genl.RTM_NEWLINK, 0, {"port": 4600, "fwmark": 3}),
              self.one, self.look)
        every("link del", lambda: self.change(genl.RTM_DELLINK), self.one)
        self.none()
        with taplib.netns("east"):
            far = Links()
        away = os.open("/run/netns/east", os.O_RDONLY)
        there = genl.attribute(genl.IFLA_NET_NS_FD, struct.pack("=I", away))
        every("link add into another namespace",
              lambda: self.change(genl.RTM_NEWLINK, genl.NLM_F_CREATE_EXCL, {"port": 4599}, there),
              far.none, lambda: (self.look(), far.look()), NO_NAME)
        far.none()


def in_west(function):
    with taplib.netns("west"):
        return function()


def requests():
    in_west(lambda: Objects().every())


def links():
    in_west(lambda: Links().every())


{"requests": requests, "links": links}[sys.argv[1]]()
taplib.finish()
