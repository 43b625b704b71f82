# SPDX-License-Identifier: GPL-2.0-or-later
"""A peer whose ESP is in user space, as strongSwan's kernel-libipsec: packets
from a TUN device go out sealed through a UDP socket, what the socket receives is
opened and goes into the device. It knows nothing of batches, and remembers what
would surprise such a peer."""
import fcntl
import os
import select
import socket
import struct
import subprocess
import sys
import time

import taplib
from espwire import ALGORITHMS, key, trailer

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454ca, 1, 0x1000
UDP_SEGMENT = 103


class Peer:
    def __init__(self, ns, local, remote, addresses, alg, spi_in, key_in, spi_out, key_out,
                 batching=False):
        with taplib.netns(ns):
            self.tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
            fcntl.ioctl(self.tun, TUNSETIFF, struct.pack("16sH14x", b"vpn0", IFF_TUN | IFF_NO_PI))
            self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.setsockopt(socket.SOL_SOCKET, 33, 32 << 20)
        self.sock.bind((local, 4500))
        self.sock.setblocking(False)
        self.remote, self.batching = (remote, 4500), batching
        for command in ["link set vpn0 mtu 1400 up"] + [
                "addr add %s dev vpn0%s" % (a, " nodad" if ":" in a else "") for a in addresses]:
            subprocess.run(["ip", "-n", ns, *command.split()], check=True)
        octets = key(alg, key_in)
        self.cipher_in, self.salt_in = ALGORITHMS[alg][2](octets[:-4]), octets[-4:]
        octets = key(alg, key_out)
        self.cipher_out, self.salt_out = ALGORITHMS[alg][2](octets[:-4]), octets[-4:]
        self.spi_in, self.spi_out, self.seq = spi_in, spi_out, 0
        self.seen = {"datagrams": 0, "late": 0, "longest": 0, "bad": [], "sent": 0}
        self.top = 0

    def receive(self):
        seen = self.seen
        for _ in range(64):
            try:
                data = self.sock.recv(1 << 17)
            except BlockingIOError:
                return
            if data == b"\xff":
                continue
            seen["datagrams"] += 1
            seen["longest"] = max(seen["longest"], len(data))
            try:
                spi, seq = struct.unpack_from("!LL", data)
                assert spi == self.spi_in, "SPI %#x" % spi
                plain = self.cipher_in.decrypt(self.salt_in + data[8:16], data[16:], data[:8])
                # RFC 4303 3.4.3: the smallest window a receiver must have.
                seen["late"] += seq + 32 <= self.top
                self.top = max(self.top, seq)
                os.write(self.tun, plain[:-2 - plain[-2]])
            except Exception as error:
                if len(seen["bad"]) < 10:
                    seen["bad"].append("%d octets %s: %s %s" % (
                        len(data), data[:16].hex(), type(error).__name__, error))

    def seal(self, inner):
        self.seq += 1
        head = struct.pack("!LL", self.spi_out, self.seq)
        iv = struct.pack("!Q", self.seq)
        plain = trailer(inner, 4 if inner[0] >> 4 == 4 else 41)
        self.seen["sent"] += 1
        return head + iv + self.cipher_out.encrypt(self.salt_out + iv, plain, head)

    def flush(self, batch):
        if not batch:
            return
        size = len(batch[0])
        self.sock.sendmsg([b"".join(batch)], [] if len(batch) == 1 else [
            (socket.IPPROTO_UDP, UDP_SEGMENT, size.to_bytes(2, sys.byteorder))], 0, self.remote)

    def send(self):
        batch = []
        for _ in range(64):
            try:
                inner = os.read(self.tun, 1 << 16)
            except BlockingIOError:
                break
            one = self.seal(inner)
            if batch and (not self.batching or len(batch) == 40 or len(one) > len(batch[0]) or
                          len(batch[-1]) != len(batch[0])):
                self.flush(batch)
                batch = []
            batch.append(one)
        self.flush(batch)

    def run(self, stop):
        """Until the pipe `stop` closes; what it saw."""
        while True:
            ready = select.select([self.tun, self.sock, stop], [], [])[0]
            if stop in ready:
                return self.seen
            if self.sock in ready:
                self.receive()
            if self.tun in ready:
                if self.batching:
                    # Some more may come at the same time.
                    time.sleep(0.002)
                self.send()
