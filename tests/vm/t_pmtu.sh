#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-tier: full
# vm-timeout: 450
#
# Path MTU: what a narrow router tells of outer packets reaches the sender inside, for all four
# pairs of families, in UDP and as plain ESP. ICMP errors that quote no packet of an SA change
# nothing and are counted. Cases of forged ones are in pmtu_cases.py.

# shellcheck source=tests/vm/lib.sh
. "$VM_TOP/tests/vm/lib.sh"

A6=2001:db8:a::1 B6=2001:db8:b::2

#   a 192.0.2.1, 2001:db8:a::1 ----- router ----- b 198.51.100.2, 2001:db8:b::2
#                                      MTU 1400
add_ns a router b
wire a a0 192.0.2.1/24 router ra 192.0.2.254/24
wire router rb 198.51.100.254/24 b b0 198.51.100.2/24
must ip -n a addr add $A6/64 dev a0 nodad
must ip -n router addr add 2001:db8:a::fe/64 dev ra nodad
must ip -n router addr add 2001:db8:b::fe/64 dev rb nodad
must ip -n b addr add $B6/64 dev b0 nodad
must ip -n a route add default via 192.0.2.254
must ip -n b route add default via 198.51.100.254
must ip -n a route add default via 2001:db8:a::fe
must ip -n b route add default via 2001:db8:b::fe
in_quiet router sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 \
	net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0
for ns in a b; do single_packets $ns ${ns}0; done
load_esptun
esptun_up a 10.9.0.1/24 fd00:9::1/64
esptun_up b 10.9.0.2/24 fd00:9::2/64
must at a esptun peer add dev vpn0 id 1 remote 198.51.100.2 keepalive 0 roam off
must at b esptun peer add dev vpn0 id 1 remote 192.0.2.1 keepalive 0 roam off
# The first number is beyond the window, so that there is one of long ago.
esptun_sas a 1 aes-gcm-256 off $SPI_WEST 0x50 $SPI_EAST 0xa0
must at a esptun sa del dev vpn0 dir out spi $SPI_EAST peer 1
must at a esptun sa add dev vpn0 dir out spi $SPI_EAST peer 1 algo aes-gcm-256 key "$(key aes-gcm-256 0xa0)" seq 3000000
esptun_sas b 1 aes-gcm-256 off $SPI_EAST 0xa0 $SPI_WEST 0x50

narrow() { # MTU of the second hop
	must ip -n router link set rb mtu "$1"
	must ip -n b link set b0 mtu "$1"
}
forget() { # what ICMP taught
	local ns
	for ns in a b; do
		must ip -n $ns route flush cache
		must ip -n $ns -6 route flush cache
		# The peer knows it, too, until it is set.
		must at $ns esptun peer set dev vpn0 id 1 keepalive 0
	done
}
path_mtu_is() { # BYTES, for wait_for
	[ "$(in_quiet a esptun -j peer show dev vpn0 | jq '.[0].mtu')" = "$1" ]
}
learns() { # ADDRESS SIZE: a packet that is too big is sent, whatever becomes of it
	in_quiet a ping -n -c 1 -W 1 -M do -s "$2" "$1" > /dev/null 2>&1
}
# over NAME ENCAP REMOTE-OF-A REMOTE-OF-B BYTES THAT FIT 1400
over() {
	local name=$1 encap=$2 b=$3 a=$4 fits=$5
	must at a esptun peer set dev vpn0 id 1 remote "$b" encap "$encap"
	must at b esptun peer set dev vpn0 id 1 remote "$a" encap "$encap"
	narrow 1500
	forget
	check "$name: the way is open" pings a 10.9.0.2
	must ip -n a link set vpn0 mtu 1420
	narrow 1400
	learns 10.9.0.2 1390
	check "$name, IPv4 inside: the router is believed" wait_for 5 path_mtu_is "$fits"
	like "and the sender told" "$(at a ping -n -c 1 -W 2 -M do -s 1390 10.9.0.2 2>&1)" "mtu ?= ?$fits"
	check "what fits passes whole" pings a 10.9.0.2 -M do -s $((fits - 28))
	check "what may be fragmented passes" pings a 10.9.0.2 -M dont -s 1390
	forget
	learns fd00:9::2 1370
	check "$name, IPv6 inside: the router is believed" wait_for 5 path_mtu_is "$fits"
	like "and the sender told" "$(at a ping -n -c 1 -W 2 -M do -s 1370 fd00:9::2 2>&1)" "mtu ?[=:] ?$fits"
	check "what fits passes whole" pings a fd00:9::2 -M do -s $((fits - 48))
	narrow 1500
	forget
	include "$name, forged" "$PYTHON" "$VM_LIB/pmtu_cases.py" "$encap" "$a" "$b"
	forget
}
over "UDP over IPv4" udp 198.51.100.2 192.0.2.1 1338
over "UDP over IPv6" udp $B6 $A6 1318
over "plain ESP over IPv4" esp 198.51.100.2 192.0.2.1 1346
over "plain ESP over IPv6" esp $B6 $A6 1326

# ---- more SAs with one SPI than errors are looked up among -------------------------------------

must at a esptun peer set dev vpn0 id 1 remote 198.51.100.2 encap udp
must at b esptun peer set dev vpn0 id 1 remote 192.0.2.1 encap udp
must at a esptun sa del dev vpn0 dir out spi $SPI_EAST peer 1
for ((id = 2; id < 18; id++)); do
	must at a esptun peer add dev vpn0 id $id remote 198.51.100.$((100 + id)) keepalive 0
	must at a esptun sa add dev vpn0 dir out spi $SPI_EAST peer $id algo aes-gcm-256 key "$(key aes-gcm-256 $id)"
done
must at a esptun sa add dev vpn0 dir out spi $SPI_EAST peer 1 algo aes-gcm-256 key "$(key aes-gcm-256 0xa0)" seq 4000000
must ip -n a link set vpn0 mtu 1420
narrow 1400
forget
check "the 17th leaves it to routers to fragment" pings a 10.9.0.2 -M do -s 1390

# ---- IKE, about which no error is believed ---------------------------------------------------

for ns in a b; do must at $ns esptun peer set dev vpn0 id 1 encap udp; done
must at b ip link del vpn0
narrow 1300
include "IKE" "$PYTHON" "$VM_LIB/pmtu_cases.py" ike $A6 $B6
finish
