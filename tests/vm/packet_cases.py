# SPDX-License-Identifier: GPL-2.0-or-later
"""packet_cases DEV SOURCE DESTINATION: pings by packet sockets on a tunnel's netdevice, with
and without a protocol (tcpreplay and scapy name none), then what is no packet at all."""
import os
import socket
import struct
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import taplib  # noqa: E402

DEV, SOURCE, DESTINATION = sys.argv[1:]
ID = 77


def checksum(data):
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    total = (total >> 16) + (total & 0xffff)
    return ~(total + (total >> 16)) & 0xffff


def with_checksum(data, at):
    return data[:at] + struct.pack("!H", checksum(data)) + data[at + 2:]


def echo(number):
    icmp = with_checksum(struct.pack("!BBHHH", 8, 0, 0, ID, number) + b"x" * 32, 2)
    return with_checksum(struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(icmp), 1, 0, 64, 1, 0,
                                     socket.inet_aton(SOURCE), socket.inet_aton(DESTINATION)), 10) + icmp


def answered(listener, number):
    try:
        while True:
            packet = listener.recv(200)
            if packet[20] == 0 and struct.unpack("!HH", packet[24:28]) == (ID, number):
                return True
    except socket.timeout:
        return False


def send(kind, bound, sent, packet):
    s = socket.socket(socket.AF_PACKET, kind, 0)
    s.bind((DEV, bound))
    if kind == socket.SOCK_DGRAM:
        s.sendto(packet, (DEV, sent))
    else:
        s.send(packet)


def main():
    listener = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    listener.settimeout(20)
    number = 0
    for name, kind in (("raw", socket.SOCK_RAW), ("cooked", socket.SOCK_DGRAM)):
        for bound in (0, 3, 0x0800):
            for sent in (0, 3, 0x0800) if name == "cooked" else (0,):
                number += 1
                send(kind, bound, sent, echo(number))
                taplib.ok(answered(listener, number),
                          "%s, bound to protocol %#x, sent as %#x: answered" % (name, bound, sent))
    for rubbish in (b"", b"\0", b"E", b"\x45" * 19, b"\x60" * 39, b"\xff" * 1400, b"\x4f" + b"\0" * 70,
                    b"\x45\0\xff\xff" + b"\0" * 60, b"\x60" + b"\xff" * 60):
        for kind in (socket.SOCK_RAW, socket.SOCK_DGRAM):
            try:
                send(kind, 3, 0x0800, rubbish)
            except OSError:
                pass  # refused by the socket
    taplib.finish()


main()
