#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-tier: full
# vm-timeout: 300
#
# A network that loses, repeats and reorders packets between two esptuns: TCP
# comes through intact, and the replay window takes exactly what came twice.
#
#   west                       r (netem both ways)                 east
#   192.0.2.1 ------ 192.0.2.254, 203.0.113.254 ------- 203.0.113.2

# shellcheck source=tests/vm/lib.sh
. "$VM_TOP/tests/vm/lib.sh"

add_ns west r east
wire west w0 192.0.2.1/24 r rw 192.0.2.254/24
wire r re 203.0.113.254/24 east e0 203.0.113.2/24
must ip -n west route add default via 192.0.2.254
must ip -n east route add default via 203.0.113.254
in_quiet r sysctl -qw net.ipv4.ip_forward=1
load_esptun
esptun_up west 10.9.0.1/24 fd00:9::1/64 local 192.0.2.1
esptun_up east 10.9.0.2/24 fd00:9::2/64 local 203.0.113.2
must at west esptun peer add dev vpn0 id 1 remote 203.0.113.2 port 4500 keepalive 0
must at east esptun peer add dev vpn0 id 1 remote 192.0.2.1 port 4500 keepalive 0
esptun_sas west 1 aes-gcm-256 on $SPI_WEST 0x50 $SPI_EAST 0xa0
esptun_sas east 1 aes-gcm-256 on $SPI_EAST 0xa0 $SPI_WEST 0x50
# The bad network is to see packets, not batches.
must at west ethtool -K w0 tx-udp-segmentation off
must at east ethtool -K e0 tx-udp-segmentation off
for dev in rw re; do
	must at r tc qdisc add dev $dev root netem limit 4000 delay 3ms loss 1% duplicate 1% reorder 5%
done
include netem "$PYTHON" "$VM_LIB/netem_cases.py"
finish
