#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-tier: full
# vm-timeout: 600
#
# Transport mode: GRE and TCP between the endpoints, in UDP and plain, over both families;
# with the kernel's own IPsec in transport mode as the other end; what it refuses.

# shellcheck source=tests/vm/lib.sh
. "$VM_TOP/tests/vm/lib.sh"

WEST=2001:db8::1 EAST=2001:db8::2
ALG=aes-gcm-256

remote_is() { # NS ADDRESS, for wait_for
	[ "$(in_quiet "$1" esptun -j peer show dev vpn0 id 1 | jq -r '.[0].remote')" = "$2" ]
}

# gre NS FAMILY OURS THEIRS INNER: a GRE tunnel whose packets enter vpn0
gre() {
	local kind=gre extra=''
	[ "$2" = 4 ] || kind=ip6gre extra='encaplimit none'
	# For IPv4 dev selects the route; for IPv6 it does not, as GRE's packets have a source.
	if [ "$2" = 6 ]; then
		must at "$1" ip -6 route replace "$4" dev vpn0 table 100 src "$3"
		in_quiet "$1" ip -6 rule del table 100 2> /dev/null
		must at "$1" ip -6 rule add to "$4" ipproto gre lookup 100
	fi
	# shellcheck disable=SC2086 # options are words
	must at "$1" ip link add tun0 type $kind local "$3" remote "$4" dev vpn0 ttl 64 $extra
	must at "$1" ip addr add "$5/24" dev tun0
	must at "$1" ip link set tun0 up
}
transport() { # ESN: a pair of SAs at both ends
	must at west esptun sa flush dev vpn0
	must at east esptun sa flush dev vpn0
	esptun_sas west 1 $ALG "$1" $SPI_WEST 0x50 $SPI_EAST 0xa0 mode transport
	esptun_sas east 1 $ALG "$1" $SPI_EAST 0xa0 $SPI_WEST 0x50 mode transport
}
on_the_wire() { # what IP protocols the outer packets of a ping have
	start west /run/wire.log tcpdump -i w0 -nn -v 'ip or ip6'
	local pid=$started
	wait_for 10 holds /run/wire.log 'listening on'
	pings west 10.8.0.2 > /dev/null 2>&1
	sleep 0.5
	stop "$pid"
	grep -oE '(proto|next-header) (ESP|UDP|GRE)' /run/wire.log | awk '{ print $2 }' | sort -u | xargs
}
over_gre() { # NAME PROTOCOL
	check "$1: GRE eastwards" wait_for 10 pings west 10.8.0.2
	check "$1: GRE westwards" pings east 10.8.0.1
	check "$1: long packets" pings west 10.8.0.2 -s 1300
	check "$1: longer ones, which GRE divides" pings west 10.8.0.2 -s 3000
	check "$1: TCP over GRE both ways" iperf west east 10.8.0.2 --bidir
	is "$1: nothing else is on the wire" "$(on_the_wire)" "$2"
}

two_hosts
for ns in west east; do
	in_quiet $ns sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
done
must ip -n west addr add $WEST/64 dev w0 nodad
must ip -n east addr add $EAST/64 dev e0 nodad
load_esptun
for ns in west east; do
	must at $ns ip link add vpn0 type esptun
	must at $ns ip link set vpn0 up
done
must at west esptun peer add dev vpn0 id 1 remote 192.0.2.2 keepalive 0
must at east esptun peer add dev vpn0 id 1 remote 192.0.2.1 keepalive 0
transport off
like "the mode is shown" "$(at west esptun sa show)" 'mode transport'
is "and in JSON" "$(in_quiet west esptun -j sa show | jq -r '[.[].mode] | unique | .[]')" transport

# ---- GRE -----------------------------------------------------------------------------------

gre west 4 192.0.2.1 192.0.2.2 10.8.0.1
gre east 4 192.0.2.2 192.0.2.1 10.8.0.2
over_gre "in UDP over IPv4" UDP
is "nothing received was dropped" "$(dropped_on_receipt west)$(dropped_on_receipt east)" ''
for ns in west east; do must at $ns esptun peer set dev vpn0 id 1 encap esp; done
transport on
over_gre "plain over IPv4, ESN" ESP
for ns in west east; do must at $ns ip link del tun0; done

must at west esptun peer set dev vpn0 id 1 remote $EAST
must at east esptun peer set dev vpn0 id 1 remote $WEST
gre west 6 $WEST $EAST 10.8.0.1
gre east 6 $EAST $WEST 10.8.0.2
over_gre "plain over IPv6, ESN" ESP
for ns in west east; do must at $ns esptun peer set dev vpn0 id 1 encap udp; done
transport off
over_gre "in UDP over IPv6" UDP
is "nothing received was dropped, either" "$(dropped_on_receipt west)$(dropped_on_receipt east)" ''
for ns in west east; do must at $ns ip link del tun0; done
must at west esptun peer set dev vpn0 id 1 remote 192.0.2.2
must at east esptun peer set dev vpn0 id 1 remote 192.0.2.1

# ---- TCP and ICMP between the endpoints, by rules ---------------------------------------------

for ns in west east; do
	other=192.0.2.2
	[ $ns = west ] || other=192.0.2.1
	must at $ns ip route add $other dev vpn0 table 100
	must at $ns ip rule add to $other ipproto tcp lookup 100
	must at $ns ip rule add to $other ipproto icmp lookup 100
done
# The rules name no source: the route's is that of the device.
for ns in west east; do
	own=192.0.2.1 other=192.0.2.2
	[ $ns = west ] || own=192.0.2.2 other=192.0.2.1
	must at $ns ip route replace $other dev vpn0 table 100 src $own
done
for encap in udp esp; do
	for ns in west east; do must at $ns esptun peer set dev vpn0 id 1 encap $encap; done
	transport off
	check "$encap: ping the endpoint itself" pings west 192.0.2.2
	check "$encap: and back" pings east 192.0.2.1
	before=$(in_quiet east esptun -j peer show | jq '.[0].rx_packets')
	check "$encap: TCP to the endpoint itself, super-packets" iperf west east 192.0.2.2 --bidir
	start east /run/inner.log tcpdump -l -i vpn0 -nn -v icmp
	inner_pid=$started
	wait_for 10 holds /run/inner.log 'listening on'
	for ttl in 255 7; do
		check "$encap: TTL $ttl" pings west 192.0.2.2 -t $ttl
		check "$encap: arrives as it was" wait_for 5 holds /run/inner.log "ttl $ttl,"
	done
	must at west ip link set vpn0 type esptun df set
	check "$encap: without DF, where the link sets it" pings west 192.0.2.2 -t 8 -M dont
	check "$encap: arrives without" wait_for 5 holds /run/inner.log 'ttl 8,.*flags \[none\]'
	must at west ip link set vpn0 type esptun df inherit
	stop "$inner_pid"
	check "$encap: it went through the SA" \
		test "$(in_quiet east esptun -j peer show | jq '.[0].rx_packets')" -gt $((before + 100))
done
is "nothing received was dropped by all this" "$(dropped_on_receipt west)$(dropped_on_receipt east)" ''

# ---- refused --------------------------------------------------------------------------------

before=$(counter west tx-no-sa)
must ip -n west addr add 192.0.2.33/24 dev w0
must ip -n east addr add 192.0.2.34/24 dev e0
must at west ip route add 192.0.2.34 dev vpn0
refuse "another destination" 'Unreachable|0 received' at west ping -n -c 1 -W 1 192.0.2.34
is "is counted" "$(counter west tx-no-sa)" $((before + 1))
refuse "another source" 'Unreachable|0 received' at west ping -n -c 1 -W 1 -I 192.0.2.33 192.0.2.2
is "and counted" "$(counter west tx-no-sa)" $((before + 2))
refuse "a packet in fragments" '0 received' at west ping -n -c 1 -W 1 -M dont -s 4000 192.0.2.2
is "each of them counted" "$(counter west tx-no-sa)" $((before + 5))
must at west ip route del 192.0.2.34 dev vpn0

# The peer says that it is elsewhere, and may not roam: its packets are not its own.
must at east esptun peer set dev vpn0 id 1 roam off
must at east ip addr add 192.0.2.11/24 dev e0
must at west esptun peer set dev vpn0 id 1 local 192.0.2.33
before=$(counter east rx-ts)
at west ping -n -c 3 -i 0.2 -W 1 -I 192.0.2.33 192.0.2.2 > /dev/null
check "packets from where the peer is not are dropped" test "$(counter east rx-ts)" -ge $((before + 3))
must at west esptun peer set dev vpn0 id 1 local 0.0.0.0
must at east esptun peer set dev vpn0 id 1 roam on
check "from where it is they pass" pings west 192.0.2.2

# ---- the kernel's own IPsec as the east -------------------------------------------------------

for ns in west east; do
	ip -n $ns rule show | awk '/lookup 100/ { print $1 }' | tr -d : | while read -r prio; do
		in_quiet $ns ip rule del priority "$prio"
	done
done
must at east ip link del vpn0
for encap in udp esp; do
	for outer in 4 6; do
		west=192.0.2.1 east=192.0.2.2 kind=gre extra='' any=0.0.0.0
		[ $outer = 4 ] || west=$WEST east=$EAST kind=ip6gre extra='encaplimit none' any=::
		template=''
		if [ $encap = udp ]; then
			template="encap espinudp 4500 4500 $any"
			encap_socket east $east
			socket=$started
		fi
		for args in "$west $east $SPI_EAST 0xa0" "$east $west $SPI_WEST 0x50"; do
			# shellcheck disable=SC2086 # words
			set -- $args
			# shellcheck disable=SC2086 # words
			must at east ip xfrm state add src "$1" dst "$2" proto esp spi "$3" mode transport \
				replay-window 1024 flag esn $template aead "${kernel_name[$ALG]}" "$(key $ALG "$4")" 128
		done
		must at east ip xfrm policy add src $east dst $west proto gre dir out tmpl proto esp mode transport
		must at east ip xfrm policy add src $west dst $east proto gre dir in tmpl proto esp mode transport
		# shellcheck disable=SC2086 # words
		must at east ip link add tun0 mtu 1380 type $kind local $east remote $west ttl 64 $extra
		must at east ip addr add 10.8.0.2/24 dev tun0
		must at east ip link set tun0 up
		must at west esptun peer set dev vpn0 id 1 remote $east encap $encap
		must at west esptun sa flush dev vpn0
		esptun_sas west 1 $ALG on $SPI_WEST 0x50 $SPI_EAST 0xa0 mode transport
		gre west $outer $west $east 10.8.0.1
		over_gre "xfrm, $encap over IPv$outer" ${encap^^}
		must at west ip link del tun0
		must at east ip link del tun0
		must at east ip xfrm policy flush
		must at east ip xfrm state flush
		[ $encap = esp ] || stop "$socket"
	done
done
must at west ip link del vpn0
check "rmmod" timeout -k 1 60 rmmod esptun
finish
