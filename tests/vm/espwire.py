# SPDX-License-Identifier: GPL-2.0-or-later
"""An ESP-in-UDP peer made with scapy, so that what esptun sends and takes is
judged by code that is not ours. Works from a plain UDP socket on port 4500."""
import os
import socket
import struct

from cryptography.hazmat.primitives.ciphers import aead
from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.inet6 import ICMPv6EchoReply, ICMPv6EchoRequest, IPv6
from scapy.layers.ipsec import ESP, SecurityAssociation
from scapy.packet import Raw

ALGORITHMS = {
    # name: (scapy's name, octets of key and salt, cipher)
    "aes-gcm-128": ("AES-GCM", 20, aead.AESGCM),
    "aes-gcm-192": ("AES-GCM", 28, aead.AESGCM),
    "aes-gcm-256": ("AES-GCM", 36, aead.AESGCM),
    "chacha20-poly1305": ("CHACHA20-POLY1305", 36, aead.ChaCha20Poly1305),
}


def key(alg, start):
    """The key lib.sh's function of that name gives."""
    return bytes((start + i * 7) & 255 for i in range(ALGORITHMS[alg][1]))


class Wire:
    """Both directions of a tunnel to esptun, which has `remote`."""

    def __init__(self, alg, esn, local, remote, spi_in, key_in, spi_out, key_out,
                 port=4500):
        self.alg, self.esn = alg, esn
        self.local, self.remote = local, remote
        self.spi_in, self.spi_out = spi_in, spi_out
        self.raw_key_out = key(alg, key_out)
        self.cipher_out = ALGORITHMS[alg][2](self.raw_key_out[:-4])
        self.salt_out = self.raw_key_out[-4:]
        self.seq = 0
        self.tunnel_in = self.association(spi_in, key(alg, key_in), remote, local)
        self.tunnel_out = self.association(spi_out, self.raw_key_out, local, remote)
        self.salt_in = key(alg, key_in)[-4:]
        self.cipher_in = ALGORITHMS[alg][2](key(alg, key_in)[:-4])
        self.sock = socket.socket(socket.AF_INET6 if ":" in local else socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind((local, port))

    def association(self, spi, sa_key, src, dst):
        if ":" in src:
            # scapy does not know ESP in UDP over IPv6; only seal() and unseal() do then.
            src, dst = "192.0.2.1", "192.0.2.2"
        return SecurityAssociation(
            ESP, spi=spi, crypt_algo=ALGORITHMS[self.alg][0], crypt_key=sa_key,
            tunnel_header=IP(src=src, dst=dst), nat_t_header=UDP(sport=4500, dport=4500),
            esn_en=self.esn)

    def next_seq(self):
        self.seq += 1
        return self.seq

    def esp(self, inner, seq=None):
        """A proper ESP packet around an inner packet, made by scapy."""
        seq = self.next_seq() if seq is None else seq
        # scapy takes a zero argument for none.
        self.tunnel_out.seq_num, self.tunnel_out.esn = seq & 0xffffffff, seq >> 32
        pkt = self.tunnel_out.encrypt(inner)
        return bytes(pkt[UDP].payload)

    def seal(self, plain, seq=None, spi=None, cipher=None):
        """An ESP packet around any octets, trailer included, made by hand:
        what scapy would not build."""
        seq = self.next_seq() if seq is None else seq
        spi = self.spi_out if spi is None else spi
        iv = os.urandom(8)
        low = seq & 0xffffffff
        if self.esn:
            aad = struct.pack("!LLL", spi, seq >> 32, low)
        else:
            aad = struct.pack("!LL", spi, low)
        sealed = (cipher or self.cipher_out).encrypt(self.salt_out + iv, plain, aad)
        return struct.pack("!LL", spi, low) + iv + sealed

    def send(self, data):
        self.sock.sendto(data, (self.remote, 4500))

    def receive(self, timeout=20.0):
        """The next datagram, or None."""
        self.sock.settimeout(timeout)
        try:
            return self.sock.recvfrom(65535)[0]
        except socket.timeout:
            return None

    def drain(self):
        while self.receive(0.05) is not None:
            pass

    def open(self, data, high=0):
        """The inner packet of a received datagram; raises if scapy objects."""
        pkt = IP(bytes(IP(src=self.remote, dst=self.local) /
                       UDP(sport=4500, dport=4500) / Raw(data)))
        if not pkt.haslayer(ESP):
            pkt[UDP].remove_payload()
            pkt = pkt / ESP(data)
        return self.tunnel_in.decrypt(pkt, esn=high)

    def unseal(self, data, high=0):
        """SPI, sequence number, IV and the plain octets, trailer included."""
        spi, low = struct.unpack("!LL", data[:8])
        aad = struct.pack("!LLL", spi, high, low) if self.esn else data[:8]
        plain = self.cipher_in.decrypt(self.salt_in + data[8:16], data[16:], aad)
        return spi, high << 32 | low, data[8:16], plain


def trailer(inner, next_header, block=4):
    """Inner octets with the padding and trailer of RFC 4303 section 2.4."""
    pad = -(len(inner) + 2) % block
    return inner + bytes(range(1, pad + 1)) + bytes([pad, next_header])


def echo_reply(request):
    """The answer to an inner echo request, or None if it is something else."""
    if request.haslayer(ICMP) and request[ICMP].type == 8:
        return (IP(src=request[IP].dst, dst=request[IP].src) /
                ICMP(type=0, id=request[ICMP].id, seq=request[ICMP].seq) /
                request[ICMP].payload)
    if request.haslayer(ICMPv6EchoRequest):
        asked = request[ICMPv6EchoRequest]
        return (IPv6(src=request[IPv6].dst, dst=request[IPv6].src) /
                ICMPv6EchoReply(id=asked.id, seq=asked.seq, data=asked.data))
    return None
