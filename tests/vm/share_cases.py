#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Who gets how much of the IKE channel. The agent here reads nothing while others
send, so that what it finds afterwards does not depend on the machine's speed.
See t_shares.sh for the network."""
import os
import socket
import struct
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import genl  # noqa: E402
import taplib  # noqa: E402
from taplib import equal, ok  # noqa: E402

WEST, EAST, FAR = "192.0.2.1", "192.0.2.2", "203.0.113.2"
SO_RCVBUFFORCE = 33
HONEST = 50
IKE_SA_INIT, IKE_AUTH, IKE_MAX, INIT_MAX, UNKNOWN_MAX = 34, 35, 65000, 8192, 32768


def message(name, size=200, exchange=IKE_SA_INIT):
    """The non-ESP marker and an IKE header, whose SPI tells messages apart."""
    head = name.ljust(8).encode() + bytes(8) + bytes([33, 0x20, exchange, 8]) + bytes(8)
    return bytes(4) + head + bytes(size - len(head))


def sender(ns, address, port=0):
    with taplib.netns(ns):
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind((address, port))
    return sock


class Agent:
    def __init__(self):
        with taplib.netns("west"):
            self.family = genl.Family()
            self.link = genl.ifindex("vpn0")
        # As esptund's.
        self.family.sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 4 << 20)
        self.family.call("ike-bind")
        with taplib.netns("west"):
            self.asking = genl.Family()

    def found(self, wanted):
        """How many messages of each name came, and whether some were lost by overrun; as many
        as `wanted` says of each name are waited for."""
        names, overrun = {}, False
        while True:
            missing = any(names.get(name, 0) < number for name, number in wanted.items())
            self.family.sock.settimeout(20 if missing else 0.5)
            try:
                data = self.family.sock.recv(1 << 20)
            except socket.timeout:
                return names, overrun
            except OSError:
                overrun = True
                continue
            name, values = self.family.spec.op_names[data[16]], \
                self.family.spec.decode("esptun", data[20:])
            assert name == "ike-recv"
            name = bytes.fromhex(values["ike"]["data"][:16]).decode().strip()
            names[name] = names.get(name, 0) + 1

    def counted(self, name):
        return self.asking.call("stats-get", dump=True)[0]["stats"][name]


def flood(ns, address, port, count, size):
    sock = sender(ns, address, port)
    for _ in range(count):
        sock.sendto(message("flood", size), (WEST, 4500))
    sock.close()


def forged(count, size):
    """The same from as many sources."""
    with taplib.netns("far"):
        sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    payload = message("flood", size)
    udp = struct.pack("!HHHH", 500, 4500, 8 + len(payload), 0) + payload
    for i in range(count):
        head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), i, 0, 64, 17, 0,
                           bytes([198, 18, i >> 8, i & 255]), socket.inet_aton(WEST))
        sock.sendto(head + udp, (WEST, 0))
    sock.close()


def honest(name, sock):
    for _ in range(HONEST):
        sock.sendto(message(name), (WEST, 4500))


def arrive(agent, what, *names):
    got, overrun = agent.found(dict.fromkeys(names, HONEST))
    for name in names:
        equal(got.get(name, 0), HONEST, "%s: all of %s" % (what, name))
    ok(not overrun, what + ": the agent's socket does not overrun")
    print("# of the flood %d came" % got.get("flood", 0))
    return got.get("flood", 0)


def floods(agent, peer, unknown):
    honest("peer", peer)
    honest("unknown", unknown)
    arrive(agent, "nothing else", "peer", "unknown")
    # More than fits into the socket's buffer.
    flood("far", FAR, 0, 4000, 1000)
    honest("peer", peer)
    honest("unknown", unknown)
    came = arrive(agent, "one source floods", "peer", "unknown")
    ok(came >= 200, "one source floods: it has its own share", came)
    agent.asking.call("peer-new", {"ifindex": agent.link, "peer": {
        "id": 2, "remote-address": FAR, "remote-port": 4500}})
    flood("far", FAR, 4500, 4000, 1000)
    honest("peer", peer)
    arrive(agent, "another peer's endpoint floods", "peer")
    forged(4000, 1000)
    honest("peer", peer)
    came = arrive(agent, "4,000 sources flood", "peer")
    ok(came < 3500, "4,000 sources flood: half of the buffer is left to peers", came)
    # The peer is found again where it moved.
    moved = sender("east", EAST, 4510)
    agent.asking.call("peer-set", {"ifindex": agent.link, "peer": {"id": 1, "remote-port": 4510}})
    forged(4000, 1000)
    honest("moved", moved)
    arrive(agent, "after the peer moved", "moved")
    agent.asking.call("peer-set", {"ifindex": agent.link, "peer": {"id": 1, "remote-port": 4500}})


def sizes(agent, peer, unknown):
    before = agent.counted("rx-ike-too-long")
    rows = [("longest IKE_SA_INIT", unknown, INIT_MAX, IKE_SA_INIT, 1),
            ("longer IKE_SA_INIT", unknown, INIT_MAX + 1, IKE_SA_INIT, 0),
            ("longest other", unknown, UNKNOWN_MAX, IKE_AUTH, 1),
            ("longer other", unknown, UNKNOWN_MAX + 1, IKE_AUTH, 0),
            ("a peer's", peer, IKE_MAX, IKE_AUTH, 1)]
    for name, sock, size, exchange, come in rows:
        sock.sendto(message("size", size, exchange), (WEST, 4500))
        equal(agent.found({"size": come})[0].get("size", 0), come, "%s: %d bytes" % (name, size))
    equal(agent.counted("rx-ike-too-long") - before, 2, "what was too long is counted")


agent = Agent()
agent.asking.call("peer-new", {"ifindex": agent.link, "peer": {
    "id": 1, "remote-address": EAST, "remote-port": 4500}})
peer, unknown = sender("east", EAST, 4500), sender("east", EAST)
floods(agent, peer, unknown)
sizes(agent, peer, unknown)
before = agent.counted("rx-ike-no-agent")
agent.family.sock.close()
honest("peer", peer)
taplib.wait_for(5, lambda: agent.counted("rx-ike-no-agent") - before >= HONEST)
equal(agent.counted("rx-ike-no-agent") - before, HONEST, "without an agent: counted as such")
taplib.finish()
