#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-tier: full
# vm-timeout: 300
#
# Two gateways with a tunnel between them, hosts behind each: forwarded packets
# reach the tunnel as the LAN's devices left them, in super-packets of each kind;
# and packet sockets put odd ones beside them.
#
#   lana ------------- gwa ============= gwb ------------- lanb
#   10.1.0.2    10.1.0.1  198.51.100.1   .2  10.2.0.1    10.2.0.2

# shellcheck source=tests/vm/lib.sh
. "$VM_TOP/tests/vm/lib.sh"

add_ns lana gwa gwb lanb
wire lana eth0 10.1.0.2/24 gwa lan0 10.1.0.1/24
wire gwa wan0 198.51.100.1/24 gwb wan0 198.51.100.2/24
wire gwb lan0 10.2.0.1/24 lanb eth0 10.2.0.2/24
for end in "lana eth0 2 1" "gwa lan0 1 1" "gwb lan0 1 2" "lanb eth0 2 2"; do
	read -r ns dev host net <<< "$end"
	must ip -n "$ns" addr add "fd00:$net::$host/64" dev "$dev" nodad
done
must ip -n lana route add default via 10.1.0.1
must ip -n lanb route add default via 10.2.0.1
must ip -n lana route add default via fd00:1::1
must ip -n lanb route add default via fd00:2::1
for ns in gwa gwb; do
	in_quiet $ns sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
done
load_esptun
# See esptun_sas.
WINDOW=16384
esptun_up gwa 10.9.0.1/24 fd00:9::1/64 local 198.51.100.1
esptun_up gwb 10.9.0.2/24 fd00:9::2/64 local 198.51.100.2
must at gwa esptun peer add dev vpn0 id 1 remote 198.51.100.2 port 4500 keepalive 0
must at gwb esptun peer add dev vpn0 id 1 remote 198.51.100.1 port 4500 keepalive 0
must ip -n gwa route add 10.2.0.0/24 dev vpn0
must ip -n gwb route add 10.1.0.0/24 dev vpn0
must ip -n gwa route add fd00:2::/64 dev vpn0
must ip -n gwb route add fd00:1::/64 dev vpn0
esptun_sas gwa 1 aes-gcm-256 off $SPI_WEST 0x50 $SPI_EAST 0xa0
esptun_sas gwb 1 aes-gcm-256 off $SPI_EAST 0xa0 $SPI_WEST 0x50
# Path MTU first: the LAN's senders learn it.
for i in 1 2; do
	in_quiet lana ping -q -n -c 1 -W 2 -M do -s 1472 10.2.0.2 > /dev/null 2>&1
	in_quiet lanb ping -q -n -c 1 -W 2 -M do -s 1472 10.1.0.2 > /dev/null 2>&1
	in_quiet lana ping -q -n -c 1 -W 2 -M do -s 1452 fd00:2::2 > /dev/null 2>&1
	in_quiet lanb ping -q -n -c 1 -W 2 -M do -s 1452 fd00:1::2 > /dev/null 2>&1
done
include gateway "$PYTHON" "$VM_LIB/gateway_cases.py"
check "the tunnel works" pings lana 10.2.0.2
finish
