#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-tier: full
# vm-timeout: 250
#
# The automatic MTU: it follows the underlay both ways by itself, and never takes IPv6
# away from the link (Linux does so below 1,280 bytes, addresses and routes included).

# shellcheck source=tests/vm/lib.sh
. "$VM_TOP/tests/vm/lib.sh"

mtu_is() { # NS MTU, for wait_for
	[ "$(ip -n "$1" -j link show vpn0 | jq '.[0].mtu')" = "$2" ]
}
underlay() { # MTU
	must at west ip link set w0 mtu "$1"
	must at east ip link set e0 mtu "$1"
}
# both_ways NAME ADDRESS OF THE WEST, OF THE EAST [OPTION...]
both_ways() {
	local name=$1 west=$2 east=$3
	shift 3
	check "$name, eastwards" pings west "$east" "$@"
	check "$name, westwards" pings east "$west" "$@"
}

load_esptun
two_hosts
static_west aes-gcm-256 off
static_east aes-gcm-256 off
# Nothing but what this script does makes the link look at its path.
must at west esptun peer set dev vpn0 id 1 keepalive 0
must at east esptun peer set dev vpn0 id 1 keepalive 0
must at west ip -6 route add fd00:77::/64 dev vpn0
check "1,500: the link has 1,438" wait_for 10 mtu_is west 1438

# ---- the first hop becomes narrow, and wide again ----------------------------------

underlay 1400
check "1,400: the link follows by itself" wait_for 10 mtu_is west 1338
both_ways "1,400: IPv6" fd00:9::1 fd00:9::2 -M do -s $((1338 - 48))
underlay 1340
check "1,340: it stops at 1,280" wait_for 10 mtu_is west 1280
like "and says why" "$(dmesg | grep vpn0: | tail -n 2)" '1280.*IPv6'
both_ways "1,340: IPv6 of 1,280 bytes passes" fd00:9::1 fd00:9::2 -M do -s $((1280 - 48))
like "IPv4 is told what fits" "$(at west ping -n -c 3 -i 0.2 -W 2 -M do -s 1252 10.9.0.2 2>&1)" 'mtu ?= ?1278'
underlay 600
both_ways "600: IPv6 of 1,280 bytes passes" fd00:9::1 fd00:9::2 -M do -s $((1280 - 48))
both_ways "600: IPv4 of 1,280 bytes passes, if it may be fragmented" 10.9.0.1 10.9.0.2 -M dont -s 1252
underlay 1500
check "1,500: the link follows by itself" wait_for 10 mtu_is west 1438
check "1,500: so does the other one" wait_for 10 mtu_is east 1438
like "IPv6 addresses are where they were" "$(ip -n west -6 addr show vpn0)" 'fd00:9::1/64'
like "and routes" "$(ip -n west -6 route show dev vpn0)" 'fd00:77::/64'
both_ways "1,500: IPv6" fd00:9::1 fd00:9::2 -M do -s $((1438 - 48))
unlike "no link-local address was made up" "$(ip -n west -6 addr show vpn0)" 'fe80:'

# ---- a route says how much it carries, or leads elsewhere ----------------------------

must at west ip route add 192.0.2.2 dev w0 mtu 1420
at west ping -n -c 1 -W 1 10.9.0.2
check "a route of 1,420: the link follows with the next packet" wait_for 10 mtu_is west 1358
must at west ip route del 192.0.2.2 dev w0
at west ping -n -c 1 -W 1 10.9.0.2
check "without that route: back" wait_for 10 mtu_is west 1438

# The rows above taught the inner route, too.
must ip -n west route flush cache
# A layer-2 segment behind the first hop that carries less, which tells nobody: a route has to.
must at west ethtool -K w0 tx-udp-segmentation off
must at east ethtool -K e0 gro off
must at east nft add table ip segment
must at east nft add chain ip segment in '{ type filter hook prerouting priority -450; }'
must at east nft add rule ip segment in iifname e0 ip length gt 1300 counter drop
must at west ip route add 192.0.2.2 dev w0 mtu 1300
must at west ip link set vpn0 type esptun df unset
check "without DF: packets leave in fragments that fit the route" pings west 10.9.0.2 -M do -s 1250
check "super-packets, too" iperf west east 10.9.0.2
must at west "$PYTHON" "$VM_LIB/nl" ike-send \
	"{\"ifindex\": \"vpn0\", \"ike\": {\"remote-address\": \"192.0.2.2\", \"remote-port\": 4500, \"data\": \"$(printf 'ab%.0s' {1..1400})\"}}"
sleep 0.5
like "so does IKE: nothing was longer" "$(at east nft list chain ip segment in)" 'packets 0 bytes 0 drop'
must at west ip link set vpn0 type esptun df inherit
must at west ip route del 192.0.2.2 dev w0
must at east nft delete table ip segment
at west ping -n -c 1 -W 1 10.9.0.2
check "without all that: back" wait_for 10 mtu_is west 1438

# ---- another SA is beneath, in transport mode -----------------------------------------

for ns in west east; do
	in_quiet $ns sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
	must at $ns ip link add vpn1 type esptun port 4501
	must at $ns ip link set vpn1 mtu 1500 up
done
must at west esptun peer add dev vpn1 id 1 remote 192.0.2.2 port 4501 keepalive 0
must at east esptun peer add dev vpn1 id 1 remote 192.0.2.1 port 4501 keepalive 0
must at west esptun sa add dev vpn1 dir out spi 0x3101 peer 1 mode transport \
	algo aes-gcm-256 key "$(key aes-gcm-256 0x70)"
must at east esptun sa add dev vpn1 dir in spi 0x3101 peer 1 mode transport \
	algo aes-gcm-256 key "$(key aes-gcm-256 0x70)"
must at west ip route add 192.0.2.2 dev vpn1 table 100 src 192.0.2.1
must at west ip rule add to 192.0.2.2 ipproto udp dport 4500 lookup 100
check "transport mode beneath: short packets" wait_for 10 pings west 10.9.0.2
like "it tells what fits" "$(at west ping -n -c 3 -i 0.2 -W 2 -M do -s 1400 10.9.0.2 2>&1)" 'mtu ?= ?1394'
check "what fits passes whole" pings west 10.9.0.2 -M do -s $((1394 - 28))
must at west ip rule del to 192.0.2.2 ipproto udp dport 4500 lookup 100
for ns in west east; do must at $ns ip link del vpn1; done
must at west esptun peer set dev vpn0 id 1 keepalive 0
must ip -n west route flush cache

# ---- over another device --------------------------------------------------------------

wire west w9 198.51.100.1/24 east e9 198.51.100.2/24
must ip -n west link set w9 mtu 1392
must ip -n east link set e9 mtu 1392
must at west ip route add 192.0.2.2 via 198.51.100.2
must at east ip route add 192.0.2.1 via 198.51.100.1
at west ping -n -c 1 -W 1 10.9.0.2
check "over another device: its MTU" wait_for 10 mtu_is west 1330
must at west ip route del 192.0.2.2
must at east ip route del 192.0.2.1
must ip -n west link del w9

# ---- set by hand ---------------------------------------------------------------------

must at west ip link set vpn0 mtu 1350
underlay 1300
sleep 1
check "an MTU set by hand stays" mtu_is west 1350
both_ways "IPv6 of 1,280 bytes still passes" fd00:9::1 fd00:9::2 -M do -s $((1280 - 48))

# ---- a router in between is narrow ---------------------------------------------------

add_ns a router b
wire a a0 192.0.2.1/24 router ra 192.0.2.254/24
wire router rb 198.51.100.254/24 b b0 198.51.100.2/24
must ip -n a route add default via 192.0.2.254
must ip -n b route add default via 198.51.100.254
in_quiet router sysctl -qw net.ipv4.ip_forward=1
for ns_dev in router:rb b:b0; do must ip -n ${ns_dev%:*} link set ${ns_dev#*:} mtu 1300; done
for ns in a b; do
	single_packets $ns ${ns}0
done
esptun_up a 10.9.0.1/24 fd00:9::1/64
must at a esptun peer add dev vpn0 id 1 remote 198.51.100.2 port 4500 keepalive 0
esptun_sas a 1 aes-gcm-256 off $SPI_WEST 0x50 $SPI_EAST 0xa0
esptun_up b 10.9.0.2/24 fd00:9::2/64
must at b esptun peer add dev vpn0 id 1 remote 192.0.2.1 port 4500 keepalive 0
esptun_sas b 1 aes-gcm-256 off $SPI_EAST 0xa0 $SPI_WEST 0x50
check "a router of 1,300" wait_for 20 pings a 10.9.0.2
# The first ones may be lost: that is how the path's MTU is learned.
check "IPv6 of 1,280 bytes passes it" wait_for 20 pings a fd00:9::2 -M do -s 1232
in_quiet a ping -n -c 1 -W 1 -s 1390 -M do fd00:9::2 > /dev/null
check "longer ones, which the sender divides" wait_for 20 pings a fd00:9::2 -s 1390
check "IPv4, which the router divides" wait_for 20 pings a 10.9.0.2 -M dont -s 1400
check "TCP over IPv6" iperf a b fd00:9::2
check "TCP over IPv6, the other way" iperf b a fd00:9::1
check "TCP over IPv4" iperf a b 10.9.0.2
finish
