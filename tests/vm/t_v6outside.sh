#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-tier: full
# vm-timeout: 400
#
# IPv6 outside: every packet on the wire judged; the kernel's own ESP as the other end; a
# peer that changes its family and comes back; a router with a small MTU; what is refused.

# shellcheck source=tests/vm/lib.sh
. "$VM_TOP/tests/vm/lib.sh"

WEST=2001:db8::1 EAST=2001:db8::2

mtu_is() { # NS MTU, for wait_for
	[ "$(ip -n "$1" -j link show vpn0 | jq '.[0].mtu')" = "$2" ]
}
remote_is() { # NS ADDRESS, for wait_for
	[ "$(in_quiet "$1" esptun -j peer show dev vpn0 id 1 | jq -r '.[0].remote')" = "$2" ]
}
inner_of_both() { # NAME: both families, both directions
	check "$1: IPv4 inside, eastwards" pings west 10.9.0.2
	check "$1: IPv4 inside, westwards" pings east 10.9.0.1
	check "$1: IPv6 inside, eastwards" pings west fd00:9::2
	check "$1: IPv6 inside, westwards" pings east fd00:9::1
}

two_hosts
must ip -n west addr add $WEST/64 dev w0 nodad
must ip -n east addr add $EAST/64 dev e0 nodad
load_esptun
esptun_up west 10.9.0.1/24 fd00:9::1/64 local $WEST
esptun_up east 10.9.0.2/24 fd00:9::2/64
must at west esptun peer add dev vpn0 id 1 remote $EAST port 4500 keepalive 0
must at east esptun peer add dev vpn0 id 1 remote $WEST port 4500 keepalive 0
like "ip shows the link's address" "$(ip -n west -d link show vpn0)" "esptun local $WEST port 4500"
is "and in JSON" "$(ip -n west -d -j link show vpn0 | jq -r '.[0].linkinfo.info_data.local')" $WEST
like "esptun shows the peer's" "$(at west esptun peer show)" "id 1 .*remote $EAST port 4500"
like "and in brief" "$(at west esptun -br peer show)" "\[$EAST\]:4500"

# ---- refused ---------------------------------------------------------------------------

refused_address() { # NAME ADDRESS PATTERN
	refuse "$1 as remote" "$3" at west esptun peer add dev vpn0 id 9 remote "$2"
	refuse "$1 as local" "$3" at west esptun peer add dev vpn0 id 9 local "$2"
	refuse "$1 as the link's local" "$3" at west ip link set vpn0 type esptun local "$2"
}
refused_address "link-local" fe80::1 'link-local.*interface'
refused_address "IPv4-mapped" ::ffff:192.0.2.2 'IPv4-mapped'
refused_address "multicast" ff02::1 "a host's"
refused_address "unspecified" :: '::'
refuse "remote and local of different families" 'family' \
	at west esptun peer add dev vpn0 id 9 remote $EAST local 192.0.2.1

# ---- on the wire -----------------------------------------------------------------------

include wire "$PYTHON" "$VM_LIB/wire_cases.py" 6
check "the link's MTU is what fits" mtu_is west 1418
include outer "$PYTHON" "$VM_LIB/v6_cases.py"

# ---- a peer changes its family ---------------------------------------------------------

must at west esptun sa flush dev vpn0
must at east esptun sa flush dev vpn0
must at west ethtool -K w0 tx on tx-udp-segmentation on gro off
must at east ethtool -K e0 tx on tso on tx-udp-segmentation on
esptun_sas west 1 aes-gcm-256 on $SPI_WEST 0x50 $SPI_EAST 0xa0
esptun_sas east 1 aes-gcm-256 on $SPI_EAST 0xa0 $SPI_WEST 0x50
start east /run/moves.log esptun monitor
wait_for 5 pings west 10.9.0.2
must at west esptun peer set dev vpn0 id 1 remote 192.0.2.2
inner_of_both "moved to IPv4"
check "the other end follows" remote_is east 192.0.2.1
check "its MTU, too" wait_for 10 mtu_is east 1438
like "and knows its own address" "$(at east esptun -d peer show dev vpn0)" 'learned-local 192\.0\.2\.2'
must at west esptun peer set dev vpn0 id 1 remote $EAST
inner_of_both "back to IPv6"
check "the other end follows back" remote_is east $WEST
check "its MTU follows back" wait_for 10 mtu_is east 1418
like "and knows its own address again" "$(at east esptun -d peer show dev vpn0)" "learned-local $EAST"
check "the agent is told" wait_for 5 holds /run/moves.log "remote $WEST"

# ---- IPv6 goes away and comes back ------------------------------------------------------

before=$(counter west tx-no-route)
in_quiet west sysctl -qw net.ipv6.conf.w0.disable_ipv6=1
refuse "without IPv6 nothing passes" '0 received' at west ping -n -c 2 -i 0.2 -W 1 10.9.0.2
check "which is counted" test "$(counter west tx-no-route)" -gt "$before"
must at west esptun peer set dev vpn0 id 1 remote 192.0.2.2
check "by IPv4 it does" pings west 10.9.0.2
in_quiet west sysctl -qw net.ipv6.conf.w0.disable_ipv6=0
must ip -n west addr replace $WEST/64 dev w0 nodad
must at west esptun peer set dev vpn0 id 1 remote $EAST
check "and by IPv6 again" wait_for 10 pings west 10.9.0.2

# ---- a router in between is narrow -----------------------------------------------------

add_ns a router b
wire a a0 2001:db8:a::1/64 router ra 2001:db8:a::fe/64
wire router rb 2001:db8:b::fe/64 b b0 2001:db8:b::1/64
must ip -n a -6 route add default via 2001:db8:a::fe
must ip -n b -6 route add default via 2001:db8:b::fe
in_quiet router sysctl -qw net.ipv6.conf.all.forwarding=1
for ns_dev in router:rb b:b0; do must ip -n ${ns_dev%:*} link set ${ns_dev#*:} mtu 1350; done
for ns in a b; do
	single_packets $ns ${ns}0
done
esptun_up a 10.9.0.1/24 fd00:9::1/64
must at a esptun peer add dev vpn0 id 1 remote 2001:db8:b::1 keepalive 0
esptun_sas a 1 aes-gcm-256 off $SPI_WEST 0x50 $SPI_EAST 0xa0
esptun_up b 10.9.0.2/24 fd00:9::2/64
must at b esptun peer add dev vpn0 id 1 remote 2001:db8:a::1 keepalive 0
esptun_sas b 1 aes-gcm-256 off $SPI_EAST 0xa0 $SPI_WEST 0x50
check "a router of 1,350" wait_for 20 pings a 10.9.0.2
# The first ones may be lost: that is how the path's MTU is learned.
at a ping -n -c 1 -W 1 -M do -s 1380 10.9.0.2
like "IPv4 is told what fits" "$(at a ping -n -c 3 -i 0.2 -W 2 -M do -s 1380 10.9.0.2 2>&1)" 'mtu ?= ?1266'
check "the peer's MTU says so" test "$(in_quiet a esptun -j -d peer show dev vpn0 | jq '.[0].mtu')" = 1266
check "the link's stays: it is the first hop's" mtu_is a 1418
check "IPv6 of 1,280 bytes passes, in outer fragments" wait_for 20 pings a fd00:9::2 -M do -s 1232
check "longer ones, which the sender divides" wait_for 20 pings a fd00:9::2 -s 1370
check "IPv4 that may be fragmented" wait_for 20 pings a 10.9.0.2 -M dont -s 1370
check "TCP over IPv6" iperf a b fd00:9::2
check "TCP over IPv4, the other way" iperf b a 10.9.0.1
for ns in a router b; do ip netns del $ns; done

# ---- the kernel's own ESP as the east ----------------------------------------------------

must at east ip link del vpn0
xfrm6_sa() { # SRC DST SPI ALG KEY
	must at east ip xfrm state add src "$1" dst "$2" proto esp spi "$3" mode tunnel if_id 9 \
		replay-window 1024 flag af-unspec encap espinudp 4500 4500 :: \
		aead "${kernel_name[$4]}" "$(key "$4" "$5")" 128
}
encap_socket east $EAST
xfrm_link $WEST $EAST 1400
for alg in aes-gcm-256 chacha20-poly1305; do
	must at west esptun sa flush dev vpn0
	must at east ip xfrm state flush
	esptun_sas west 1 $alg off $SPI_WEST 0x50 $SPI_EAST 0xa0
	xfrm6_sa $WEST $EAST $SPI_EAST $alg 0xa0
	xfrm6_sa $EAST $WEST $SPI_WEST $alg 0x50
	inner_of_both "xfrm, $alg"
	check "xfrm, $alg: large packets" pings west 10.9.0.2 -s 3000
	check "xfrm, $alg: TCP both ways" iperf west east 10.9.0.2 --bidir
	check "xfrm, $alg: TCP over IPv6" iperf west east fd00:9::2
done
must at west ip link del vpn0
check "rmmod" timeout -k 1 60 rmmod esptun
finish
