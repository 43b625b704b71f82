#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-tier: full
# vm-timeout: 250
#
# Port 4500 belongs to everyone: what a host with an esptun link forwards, or
# another program on it receives, stays as it was, whatever its SPI.
#
#   a                       r (vpn0)                      b
#   198.51.100.2 --- 198.51.100.1, 203.0.113.1 --- 203.0.113.2

# shellcheck source=tests/vm/lib.sh
. "$VM_TOP/tests/vm/lib.sh"

add_ns a r b
wire a eth0 198.51.100.2/24 r ra 198.51.100.1/24
wire r rb 203.0.113.1/24 b eth0 203.0.113.2/24
must ip -n a route add default via 198.51.100.1
must ip -n b route add default via 203.0.113.1
in_quiet r sysctl -qw net.ipv4.ip_forward=1
# Whatever gets to b is a packet that any host could send, its checksum computed.
must at r ethtool -K rb tx-udp-segmentation off tx-gso-list off tx-checksum-ip-generic off
# With NAPI, packets stay in order there whichever CPU they come from.
must at b ethtool -K eth0 gro on
load_esptun

link() {
	esptun_up r 10.9.0.1/24 fd00:9::1/64 local 198.51.100.1 port "$1"
	must at r esptun peer add dev vpn0 id 1 remote 198.51.100.2 port 4500 keepalive 0
	esptun_sas r 1 aes-gcm-256 off $SPI_WEST 0x50 $SPI_EAST 0xa0
}

link 4500
include "on port 4500" "$PYTHON" "$VM_LIB/foreign_cases.py" 4500
must at r ip link del vpn0
link 4600
include "on port 4600" "$PYTHON" "$VM_LIB/foreign_cases.py" 4600
finish
