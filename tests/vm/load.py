# SPDX-License-Identifier: GPL-2.0-or-later
"""Traffic for tests, from one network namespace to another: bytes that are the
same at both ends are proven so by a hash, datagrams one by one."""
import hashlib
import json
import mmap
import os
import random
import signal
import socket
import sys
import time
import traceback

import taplib
from wire import MARK

UDP_SEGMENT = 103
SO_RCVBUFFORCE = 33


def sock(ns, kind, address=None, port=0):
    family = socket.AF_INET6 if ":" in (address or "") else socket.AF_INET
    with taplib.netns(ns):
        s = socket.socket(family, kind)
    if kind == socket.SOCK_STREAM:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    return s


class Child:
    """A function in a process of its own, perhaps on one CPU; result() is what
    it returned, by way of JSON."""

    def __init__(self, function, *args, cpu=None):
        self.pipe, end = os.pipe()
        sys.stdout.flush()
        self.pid = os.fork()
        if self.pid:
            os.close(end)
            return
        status = 1
        try:
            if cpu is not None:
                os.sched_setaffinity(0, {cpu % os.cpu_count()})
            os.write(end, json.dumps(function(*args)).encode())
            status = 0
        except Exception:
            os.write(end, json.dumps(traceback.format_exc()).encode())
        os._exit(status)

    def result(self):
        text = b""
        while True:
            part = os.read(self.pipe, 65536)
            if not part:
                break
            text += part
        os.close(self.pipe)
        os.waitpid(self.pid, 0)
        return json.loads(text)

    def kill(self):
        os.kill(self.pid, signal.SIGKILL)
        os.close(self.pipe)
        os.waitpid(self.pid, 0)


BLOCK = MARK + random.Random(4303).randbytes(1 << 16)


def chunks(total, sizes):
    """`total` octets as pieces of these sizes, over and over; at odd places of
    BLOCK, so that no two look alike."""
    left, i = total, 0
    while left > 0:
        size = min(sizes[i % len(sizes)], left, len(BLOCK))
        at = (i * 1009) % (len(BLOCK) - size + 1)
        yield BLOCK[at:at + size]
        left -= size
        i += 1


def push(s, pieces):
    digest, total = hashlib.sha256(), 0
    for piece in pieces:
        s.sendall(piece)
        digest.update(piece)
        total += len(piece)
    s.shutdown(socket.SHUT_WR)
    return [total, digest.hexdigest()]


class Until:
    """Pieces of 64 KB, some each moment, until finish() in whatever process."""

    def __init__(self, breath=0.1):
        self.flag, self.breath = mmap.mmap(-1, 1), breath

    def __iter__(self):
        i = 0
        while not self.flag[0]:
            yield BLOCK[i % 13:][:1 << 16]
            i += 1
            time.sleep(self.breath)

    def finish(self):
        self.flag[0] = 1


def pull(s):
    digest, total = hashlib.sha256(), 0
    while True:
        data = s.recv(1 << 18)
        if not data:
            return [total, digest.hexdigest()]
        total += len(data)
        digest.update(data)


class Stream:
    """One TCP connection that carries `total` octets (or those of an Until) from
    one namespace to another; ok() tells that they arrived, all and the same."""

    port = 20000

    def __init__(self, src, dst, address, total, sizes=(1 << 16,), mss=None, cpu=None,
                 nodelay=False, timeout=90):
        Stream.port += 1
        listener = sock(dst, socket.SOCK_STREAM, address)
        listener.bind((address, Stream.port))
        listener.listen()
        client = sock(src, socket.SOCK_STREAM, address)
        if mss:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, mss)
        if nodelay:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        pieces = chunks(total, sizes) if isinstance(total, int) else total
        other = None if cpu is None else cpu + 1
        for s in (listener, client):
            s.settimeout(timeout)
        # Before anything else happens to the path.
        client.connect((address, Stream.port))

        def receive():
            s = listener.accept()[0]
            s.settimeout(timeout)
            return pull(s)

        def send():
            got = push(client, pieces)
            # Until the other end has it all and closes.
            client.recv(1)
            return got

        self.receiver = Child(receive, cpu=other)
        self.sender = Child(send, cpu=cpu)
        listener.close()
        client.close()

    def ok(self):
        sent, got = self.sender.result(), self.receiver.result()
        if sent == got and isinstance(sent, list):
            return True
        print("# sent %s, got %s" % (sent, got))
        return False


class Datagrams:
    """UDP from one namespace to another, a burst at a time, each datagram
    compared with what was sent."""

    def __init__(self, src, dst, address, port=9999, sport=0, bind=None):
        self.rx = sock(dst, socket.SOCK_DGRAM, address)
        self.rx.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
        self.rx.bind((bind if bind is not None else address, port))
        self.rx.settimeout(30)
        self.tx = sock(src, socket.SOCK_DGRAM, address)
        self.tx.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
        if sport:
            self.tx.bind(("", sport))
        self.tx.connect((address, port))

    def send(self, payload, ancillary=()):
        """From the same CPU each time. veth has a queue for each, and what waits in that of
        a busy CPU is overtaken by what a process sends that was moved to another one."""
        cpus = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {min(cpus)})
        try:
            self.tx.sendmsg([payload], ancillary)
        finally:
            os.sched_setaffinity(0, cpus)

    def burst(self, payload, size):
        """One sendmsg of `payload`, cut by the kernel into `size` octets."""
        self.send(payload, [(socket.IPPROTO_UDP, UDP_SEGMENT, size.to_bytes(2, sys.byteorder))])
        return [payload[i:i + size] for i in range(0, len(payload), size)]

    def one(self, payload):
        self.send(payload)
        return [payload]

    def got(self, sent):
        """The next datagrams are exactly these?"""
        for wanted in sent:
            try:
                data = self.rx.recv(1 << 17)
            except socket.timeout:
                print("# timeout, wanted %d octets" % len(wanted))
                return False
            if data != wanted:
                print("# got %d octets %s, wanted %d octets %s" % (
                    len(data), data[:40].hex(), len(wanted), wanted[:40].hex()))
                return False
        return True

    def close(self):
        self.rx.close()
        self.tx.close()
