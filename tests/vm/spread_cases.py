#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Numbered datagrams in super-packets from one CPU, so that they come to the far
end of the tunnel in order; they must leave it in order. See t_spread.sh."""
import os
import socket
import struct
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import taplib  # noqa: E402
from taplib import ok  # noqa: E402

SIZE, EACH, PORT, SECONDS = 1300, 40, 7000, 3
UDP_SEGMENT, SO_RCVBUFFORCE = 103, 33


def receive(sock):
    """Until it is silent: how many came, how many behind a later one."""
    count = late = last = 0
    sock.settimeout(3)
    try:
        while True:
            number, = struct.unpack("!I", sock.recv(SIZE)[:4])
            count += 1
            late += number < last
            last = max(last, number)
    except TimeoutError:
        return count, late


def send(sock):
    os.sched_setaffinity(0, {0})
    sock.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, SIZE)
    pad = bytes(SIZE - 4)
    until, number = time.monotonic() + SECONDS, 0
    while time.monotonic() < until:
        sock.send(b"".join(struct.pack("!I", number + i) + pad for i in range(EACH)))
        number += EACH


with taplib.netns("east"):
    sink = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sink.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
sink.bind(("10.9.0.2", PORT))
with taplib.netns("west"):
    source = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
source.connect(("10.9.0.2", PORT))
if not os.fork():
    send(source)
    os._exit(0)
came, behind = receive(sink)
print("# %d datagrams" % came)
ok(came > 10 * EACH, "datagrams arrive")
ok(behind == 0, "in the order they were sent", behind)
ok(os.wait()[1] == 0, "and the sender ended well")
taplib.finish()
