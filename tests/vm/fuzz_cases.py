#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""fuzz_cases.py SECONDS [SEED]: esptun's netlink family and its links' rtnetlink attributes get
requests made from the specification (fuzz_requests.py), by root, by root of a user namespace and
without rights; with traffic flowing, and everything taken away in the middle of it. A request
that is refused must say why and change nothing; nothing may be left in the end. The kernel that
this is for (KASAN, lockdep, kmemleak) tells the rest. See t_fuzz.sh."""
import contextlib
import ctypes
import errno
import os
import random
import socket
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import genl  # noqa: E402
import taplib  # noqa: E402
from fuzz_requests import NEEDS, Requests, link_data  # noqa: E402
from load import Child  # noqa: E402
from taplib import ok  # noqa: E402

CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
UDP_SEGMENT, SO_BINDTODEVICE = 103, 25
# What changes by itself, or with what was sent and received.
VOLATILE = ("age", "last-used", "last-tx", "last-rx", "keepalives", "mtu", "state", "seq", "packets", "bytes",
            "stats", "rx-packets", "rx-bytes", "tx-packets", "tx-bytes")
BASE = ("peer-new", {"id": 1, "remote-address": "127.0.0.1", "remote-port": 4501}), \
    ("peer-new", {"id": 2, "remote-address": "127.0.0.1"}), ("peer-new", {"id": 3}), \
    ("sa-new", {"spi": 0x2000, "dir": "in", "peer": 1, "encr": 20, "encr-key": "5a" * 36}), \
    ("sa-new", {"spi": 0x2001, "dir": "out", "peer": 1, "encr": 20, "encr-key": "a5" * 36})
SA_IN, SA_OUT = {"spi": 0x2000, "dir": "in", "peer": 1}, {"spi": 0x2001, "dir": "out", "peer": 1}
# The kernel's words for an attribute that the request does not take, whatever its value.
NOT_TAKEN = ("read-only", "only limits", "only names")
# So many values of an attribute are tried until one fits.
TRIES = 30
# What BASE has, or lacks, for requests that are to be accepted: one or more for each operation, so
# that each attribute fits one of them.
FITS = {
    "peer-new": [{"id": 9}], "peer-set": [{"id": 2}], "peer-del": [{"id": 3}], "peer-get": [{"id": 1}],
    "sa-new": [{**SA_IN, "spi": 0x1000}, {**SA_OUT, "spi": 0x1000}, {**SA_OUT, "spi": 0x1000, "cpu": 0}],
    "sa-set": [SA_IN, SA_OUT], "sa-get": [SA_IN], "sa-del": [SA_IN], "spi-alloc": [{"peer": 1}],
    "flush": [{"peer": 1}], "ike-bind": [{}],
    "ike-send": [{"remote-address": "127.0.0.1", "remote-port": 4501, "data": "11" * 28}],
}
libc = ctypes.CDLL(None, use_errno=True)
spec = genl.Spec(genl.SPEC)


def unshare(flags):
    if libc.unshare(flags):
        raise OSError(ctypes.get_errno(), "unshare")


def own_user():
    """Root of a user namespace of its own."""
    uid, gid = os.getuid(), os.getgid()
    unshare(CLONE_NEWUSER)
    for path, text in (("setgroups", "deny"), ("uid_map", "0 %d 1" % uid), ("gid_map", "0 %d 1" % gid)):
        with open("/proc/self/" + path, "w") as f:
            f.write(text)


class World:
    """A network namespace with two links, each the other's peer over lo, and room for links
    that are moved; what was asked there, and what was wrong with the answers."""

    def __init__(self, rng, user=False):
        if user:
            own_user()
        unshare(CLONE_NEWNET)
        self.away, self.moved = None, []
        self.rng, self.faults, self.counts = rng, [], {}
        subprocess.run(["ip", "-batch", "-"], check=True, text=True, input="""
            link set lo up
            link add vpn0 type esptun local 127.0.0.1 port 4500
            link add vpn1 type esptun local 127.0.0.1 port 4501
            addr add 10.9.0.1/24 dev vpn0
            addr add 10.9.1.1/24 dev vpn1
            link set vpn0 up
            link set vpn1 up""")
        self.connect()
        self.links = [genl.ifindex("vpn0"), genl.ifindex("vpn1")]
        self.requests = Requests(spec, rng, [r["algo"] for r in self.family.call("algo-get", dump=True)])
        self.children = []

    def connect(self):
        """Sockets of its own: two processes must not read each other's answers."""
        self.route, self.family, self.agent, self.far = genl.Connection(0), genl.Family(spec), None, None

    # ---- asking ----

    def ask(self, op, payload, family=None, dump=False):
        """0 or the errno; what is wrong with a refusal is written down."""
        count = self.counts.setdefault(op, [0, 0])
        try:
            (family or self.family).call(op, payload, dump)
            count[0] += 1
            return 0
        except genl.NlError as error:
            count[1] += 1
            if not error.text and error.code not in genl.NO_MEMORY and not dump:
                self.fault("%s: %s without a text: %s" % (op, error, payload))
            return error.code

    def fault(self, text):
        if len(self.faults) < 10:
            self.faults.append(text[:600])

    def objects(self):
        """All peers and SAs, with keys, as far as only requests change them."""
        out = []
        for op, part, more in (("peer-get", "peer", {}), ("sa-get", "sa", {"show-keys": True})):
            for reply in self.family.call(op, more, True):
                out.append((reply["ifindex"], {k: v for k, v in reply[part].items() if k not in VOLATILE}))
        return sorted(out, key=str)

    def judged(self, op, payload, name, before):
        """Ask; if it is refused, there are the same objects as before. Whether it was accepted."""
        if not self.ask(op, payload):
            return True
        if self.objects() != before:
            self.fault("%s: refused, and yet something changed: %s %s" % (op, name, payload))
        return False

    def clear(self):
        for link in self.links:
            self.ask("flush", {"ifindex": link})
        for reply in self.family.call("peer-get", {}, True):
            # Here the index of a link that was moved may be another link's.
            self.ask("peer-del", {"ifindex": reply["ifindex"], "peer": {"id": reply["peer"]["id"]}},
                     self.far if "netnsid" in reply else None)

    def base(self):
        """The objects that requests are about."""
        self.clear()
        for op, values in BASE:
            self.ask(op, {"ifindex": self.links[0], op.split("-", maxsplit=1)[0]: values})

    # ---- the other end of a packet ----

    def tunnels(self):
        """The two links' SAs fit together, so packets go through."""
        for at, out, inwards in ((0, 0x2001, 0x2000), (1, 0x2000, 0x2001)):
            self.ask("peer-new", {"ifindex": self.links[at], "peer": {
                "id": 1, "remote-address": "127.0.0.1", "remote-port": 4501 - at}})
            for spi, way in ((inwards, "in"), (out, "out")):
                self.ask("sa-new", {"ifindex": self.links[at], "sa": {
                    "spi": spi, "dir": way, "peer": 1, "encr": 20, "encr-key": "%02x" % (spi & 255 | 16) * 36}})

    def traffic(self):
        self.tunnels()
        self.children = [Child(blast, self.rng.random(), cpu=cpu) for cpu in (0, 1)]

    def end(self):
        for child in self.children:
            child.kill()
        self.children = []

    # ---- one thing after another ----

    def step(self, quiet):
        luck = self.rng.random()
        if luck < 0.85:
            self.request(quiet)
        elif luck < 0.93:
            self.change_link()
        elif luck < 0.97:
            op = self.rng.choice(list(spec.requests["dump"]))
            wrong = self.rng.choice(list(self.requests.wrong({"ifindex": self.links[0]})))[1]()
            self.ask(op, self.rng.choice(({}, {"show-keys": True}, wrong)), dump=True)
        else:
            self.bind()

    def request(self, quiet):
        op = self.rng.choice(list(NEEDS))
        if op == "ike-bind" and self.rng.random() < 0.9:
            op = "sa-new"
        payload = self.requests.random(op, self.links * 3 + self.moved[-2:] + [1, 0x7fffffff])
        if quiet and self.rng.random() < 0.2:
            self.judged(op, payload, "", self.objects())
        else:
            self.ask(op, payload, self.far if self.rng.random() < 0.2 else None)

    def bind(self):
        if self.agent:
            self.agent.sock.close()
            self.agent = None
            return
        self.agent = genl.Family(spec)
        self.agent.subscribe()
        self.ask("ike-bind", {}, self.agent)

    def change_link(self):
        """A link is made, changed, taken up or down, moved, or taken away."""
        rng, link = self.rng, self.rng.choice(self.links)
        what = rng.choice(("new", "new", "change", "change", "flags", "mtu", "move", "del"))
        kind, create, head, more = genl.RTM_NEWLINK, 0, (link, 0, 0), b""
        if what == "new":
            head, create = (0, 1, 1), genl.NLM_F_CREATE_EXCL
            more = genl.attribute(genl.IFLA_IFNAME, b"vpn%d\0" % rng.randrange(6))
            if rng.random() < 0.2:
                more += self.elsewhere()
        if what in ("new", "change"):
            more += link_data(self.requests, rng.random() < 0.3)
        elif what == "flags":
            head = (link, rng.randrange(2), 1)
        elif what == "mtu":
            more = genl.attribute(genl.IFLA_MTU, struct.pack("=I", rng.choice((0, 68, 576, 1280, 1500, 65535, 1 << 31))))
        elif what == "move":
            more = self.elsewhere()
            self.moved.append(link)
        elif len(self.links) > 2:
            kind = genl.RTM_DELLINK
        index, up, mask = head
        with contextlib.suppress(genl.NlError):
            self.route.transact(kind, genl.link_message(index, more, up, mask), create)
        self.links = [i for i, name in socket.if_nameindex() if name.startswith("vpn")] or self.links

    def elsewhere(self):
        """Another network namespace, made when it is needed, for a link to be in."""
        if not self.far:
            home = os.open("/proc/self/ns/net", os.O_RDONLY)
            if self.away is None:
                unshare(CLONE_NEWNET)
                self.away = os.open("/proc/self/ns/net", os.O_RDONLY)
            else:
                libc.setns(self.away, CLONE_NEWNET)
            self.far = genl.Family(spec)
            libc.setns(home, CLONE_NEWNET)
            os.close(home)
        return genl.attribute(genl.IFLA_NET_NS_FD, struct.pack("=I", self.away))

    # ---- the end ----

    def take_away(self, end):
        if end == "objects":
            self.clear()
            self.nothing()
        if end in ("objects", "links"):
            for index, name in socket.if_nameindex():
                if name.startswith("vpn"):
                    self.route.transact(genl.RTM_DELLINK, genl.link_message(index), 0)
        if end == "links" and self.away is None:
            self.nothing()
        if end == "module":
            subprocess.run(["timeout", "-k", "1", "60", "rmmod", "esptun"], check=True)
        self.end()

    def nothing(self):
        left = self.objects()
        if left:
            self.fault("left in the end: %s" % left)

    def add(self, report):
        """What another process had, too."""
        if not isinstance(report, dict):
            self.fault(report)
            return
        for text in report["faults"]:
            self.fault(text)
        add_counts(self.counts, report["counts"])

    def report(self):
        return {"faults": self.faults, "counts": self.counts}


def blast(seed):
    """What comes through the tunnels and from outside, until it is killed."""
    rng = random.Random(seed)
    inside = []
    for dev in (b"vpn0", b"vpn1"):
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with contextlib.suppress(OSError):
            s.setsockopt(socket.SOL_SOCKET, SO_BINDTODEVICE, dev)
            s.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, 1000)
        inside.append(s)
    outside = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    while True:
        with contextlib.suppress(OSError):
            for s in inside:
                s.sendto(bytes(rng.choice((1, 1000, 20000))), ("10.9.%d.%d" % (rng.randrange(2), rng.randrange(256)), 9))
            spi = rng.choice((0, rng.randrange(0x1000, 0x1010), 0x2000, 0x2001, 0x7fffffff))
            data = struct.pack("!LL", spi, rng.randrange(200)) + rng.randbytes(rng.choice((0, 8, 60, 1200)))
            for port in (4500, 4501, 4502):
                outside.sendto(rng.choice((data, b"\xff", data[:5])), ("127.0.0.1", port))
        time.sleep(0.002)


# ---- every place, one thing wrong ---------------------------------------------------------------------------


def learn_closed(world):
    """What requests do not take, by what is said about it."""
    for op, (nest, needs) in NEEDS.items():
        for row in spec.sets[nest] if nest else ():
            if row["type"] == "pad" or row["name"] in needs:
                continue
            # It may say something else, as the value is taken at random.
            for _ in range(TRIES):
                said = refusal(world, op, row["name"])
                if any(words in said for words in NOT_TAKEN):
                    world.requests.closed.setdefault(op, set()).add(row["name"])
                if not said or row["name"] in world.requests.closed.get(op, ()):
                    break


def refusal(world, op, name):
    """What is said about a request with this attribute; nothing if it is accepted."""
    request = world.requests.good(op, world.links[0], [name])
    request[NEEDS[op][0]].update(FITS[op][0])
    try:
        world.family.call(op, request)
    except genl.NlError as error:
        return str(error)
    world.base()
    return ""


def fullest(world, op, fits):
    """A request that is accepted, with as many attributes as it may have. Each is tried a few
    times, as its values are taken at random."""
    nest = NEEDS[op][0]
    request = {}
    if nest:
        request = {"ifindex": world.links[0], nest: dict(fits)}
        if op == "sa-new":
            request[nest].update(world.requests.algorithm())
        for name in world.requests.optional(op):
            for _ in range(TRIES):
                if name in fits:
                    break
                more = {**request, nest: {**request[nest], **world.requests.fitting(op, name)}}
                if not world.ask(op, more):
                    request = more
                    world.base()
                    break
    if world.ask(op, request):
        world.fault("%s: a good request is refused: %s" % (op, request))
    world.base()
    return request


def good_requests(world, op):
    """One for each row of FITS. Those that make or change something have every attribute."""
    requests = [fullest(world, op, fits) for fits in FITS[op]]
    if op.endswith(("-new", "-set")):
        nest = NEEDS[op][0]
        missing = set(world.requests.optional(op)).difference(*(r[nest] for r in requests))
        if missing:
            world.fault("%s: in no request that is accepted: %s" % (op, sorted(missing)))
    return requests


def systematic(seed, most):
    """{operation: [requests, refused, faults]}, of each operation so many requests at most."""
    world = World(random.Random(seed))
    world.base()
    learn_closed(world)
    out = {}
    for op in NEEDS:
        world.faults, n, refused = [], 0, 0
        places = [place for request in good_requests(world, op) for place in world.requests.wrong(request)]
        before = world.objects()
        for name, wrong in world.rng.sample(places, min(most, len(places))):
            n += 1
            if world.judged(op, wrong(), name, before):
                world.base()
            else:
                refused += 1
        out[op] = [n, refused, world.faults]
    return out


def add_counts(counts, more):
    for op, (good, bad) in more.items():
        had = counts.setdefault(op, [0, 0])
        counts[op] = [had[0] + good, had[1] + bad]


# ---- any order ----------------------------------------------------------------------------------------------


def fuzz(world, seed, seconds, quiet):
    world.rng.seed(seed)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for _ in range(20):
            world.step(quiet)
    return world.report()


def fuzz_beside(world, seed, seconds):
    world.connect()
    return fuzz(world, seed, seconds, False)


def sequence(seed, seconds, user, how, end):
    """One life of a world: built, asked at random, taken away."""
    world = World(random.Random(seed), user)
    world.base()
    if how != "quiet":
        world.traffic()
    others = [Child(fuzz_beside, world, seed + 1, seconds)] if how == "two at once" else []
    report = fuzz(world, seed, seconds, how == "quiet")
    for child in others:
        world.add(outcome(child))
    world.take_away(end)
    return report


def outcome(child):
    """What it returned, else a text."""
    try:
        return child.result()
    except ValueError:
        return "a process died"


def module_away():
    """It can be taken out: nothing holds it. Then it is there again. What is wrong, else nothing."""
    for command in (["timeout", "-k", "1", "60", "rmmod", "esptun"], ["modprobe", "esptun"]):
        if command[0] == "timeout" and not os.path.exists("/sys/module/esptun"):
            continue
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode:
            return ["%s: %d %s" % (" ".join(command), done.returncode, done.stderr)]
    return []


ROUNDS = ((False, "quiet", "objects"), (False, "traffic", "links"), (True, "traffic", "namespace"),
          (False, "two at once", "module"), (True, "quiet", "objects"), (False, "traffic", "namespace"),
          (True, "two at once", "links"), (False, "traffic", "module"))


def in_any_order(seconds, seed):
    end, n, counts, faults = time.monotonic() + seconds, 0, {}, {kind: [] for kind in ROUNDS}
    while n < 4 or time.monotonic() < end:
        kind = ROUNDS[n % len(ROUNDS)]
        began = time.monotonic()
        report = outcome(Child(sequence, seed + n * 10, max(0.7, seconds / 100), *kind))
        if isinstance(report, dict):
            faults[kind] += report["faults"]
            add_counts(counts, report["counts"])
        else:
            faults[kind].append(report)
        faults[kind] += module_away()
        n += 1
        print("# %d s: %s" % (time.monotonic() - began, kind), flush=True)
    for kind in ROUNDS[:n]:
        ok(not faults[kind], "%s, %s, then without its %s: refusals say why, nothing is left" % (
            "a user's root" if kind[0] else "root", *kind[1:]), "\n".join(faults[kind]))
    total = [sum(count[i] for count in counts.values()) for i in (0, 1)]
    print("# %d times; accepted and refused: %s" % (n, counts))
    ok(min(total) > 10 * n, "%d were accepted, %d refused" % tuple(total))


# ---- without rights -----------------------------------------------------------------------------------------


def ask_without(seed, how, n):
    """(requests, errors other than "not permitted")"""
    world = World(random.Random(seed))
    world.base()
    before = world.objects()

    def ask():
        if how == "nobody":
            os.setgroups([])
            os.setresgid(65534, 65534, 65534)
            os.setresuid(65534, 65534, 65534)
        else:
            own_user()
        family, other = genl.Family(spec), {}
        for _ in range(n):
            op = world.rng.choice(list(NEEDS))
            dump = op in spec.requests["dump"] and world.rng.random() < 0.3
            code = errno.EPERM
            try:
                family.call(op, world.requests.random(op, world.links), dump)
                code = 0
            except genl.NlError as error:
                code = error.code
            if code != errno.EPERM:
                other[op] = code
        return other

    other = outcome(Child(ask))
    return other, world.objects() == before


def without_rights(seed, n):
    for how in ("nobody", "root of a user namespace that does not own the network"):
        found = outcome(Child(ask_without, seed, how, n))
        ok(found == [{}, True], "%s: %d requests are not permitted, and change nothing" % (how, n), found)


def main():
    seconds = float(sys.argv[1])
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.SystemRandom().randrange(1 << 30)
    print("# seed %d" % seed)
    found = outcome(Child(systematic, seed, int(4 * seconds)))
    if ok(isinstance(found, dict), "requests with one thing wrong", found):
        for op, (n, refused, faults) in found.items():
            ok(not faults and refused, "%s: %d requests with one thing wrong, %d refused with a text and without a trace" % (
                op, n, refused), "\n".join(faults))
    ok(not (left := module_away()), "without the processes nothing holds the module", left)
    without_rights(seed, 500)
    in_any_order(seconds, seed)
    taplib.finish()


main()
