#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-tier: full
# vm-timeout: 700
#
# Plain ESP (IP protocol 50): between two links, over both families; hostile packets; with
# the kernel's own IPsec as the other end, and beside it, which must not notice.

# shellcheck source=tests/vm/lib.sh
. "$VM_TOP/tests/vm/lib.sh"

WEST=2001:db8::1 EAST=2001:db8::2

link_mtu_is() { # NS MTU, for wait_for
	[ "$(ip -n "$1" -j link show vpn0 | jq '.[0].mtu')" = "$2" ]
}
remote_is() { # NS ADDRESS, for wait_for
	[ "$(in_quiet "$1" esptun -j peer show dev vpn0 id 1 | jq -r '.[0].remote')" = "$2" ]
}
link_gone() { # NS DEV, for wait_for
	! ip -n "$1" link show "$2" > /dev/null 2>&1
}
received() { # NS: packets from the peer
	in_quiet "$1" esptun -j peer show dev vpn0 id 1 | jq '.[0].rx_packets'
}
inner_of_both() { # NAME: both families, both directions
	check "$1: IPv4 inside, eastwards" pings west 10.9.0.2
	check "$1: IPv4 inside, westwards" pings east 10.9.0.1
	check "$1: IPv6 inside, eastwards" pings west fd00:9::2
	check "$1: IPv6 inside, westwards" pings east fd00:9::1
}
xfrm_errors() { # NS: what xfrm complained of, NAME=VALUE ...
	at "$1" awk '$2 > 0 { print $1 "=" $2 }' /proc/net/xfrm_stat | xargs
}
protocols() { # NS DEV COMMAND...: what IP protocols the outer packets meanwhile have
	local ns=$1 dev=$2 pid
	shift 2
	start "$ns" /run/wire.log tcpdump -i "$dev" -nn -v 'ip or ip6'
	pid=$started
	wait_for 10 holds /run/wire.log 'listening on'
	"$@" > /dev/null 2>&1
	sleep 0.5
	stop "$pid"
	grep -oE 'proto (ESP|UDP)|next-header (ESP|UDP)' /run/wire.log | awk '{ print $2 }' | sort -u | xargs
}

two_hosts
must ip -n west addr add $WEST/64 dev w0 nodad
must ip -n east addr add $EAST/64 dev e0 nodad
load_esptun
esptun_up west 10.9.0.1/24 fd00:9::1/64
esptun_up east 10.9.0.2/24 fd00:9::2/64

# ---- between two links, no xfrm at all ----------------------------------------------------

# Scripts before this one may have left it; it goes when the last of its states has gone.
no_esp_of_the_kernel() {
	rmmod esp4 esp6 2> /dev/null
	! lsmod | grep -q '^esp[46] '
}
check "the kernel's ESP is not there" wait_for 20 no_esp_of_the_kernel
must at west esptun peer add dev vpn0 id 1 remote 192.0.2.2
must at east esptun peer add dev vpn0 id 1 remote 192.0.2.1 encap esp
esptun_sas west 1 aes-gcm-256 off $SPI_WEST 0x50 $SPI_EAST 0xa0
esptun_sas east 1 aes-gcm-256 off $SPI_EAST 0xa0 $SPI_WEST 0x50
like "the default is UDP" "$(at west esptun peer show)" 'encap udp'
like "the other one is shown" "$(at east esptun peer show)" 'encap esp'
is "and in JSON" "$(in_quiet east esptun -j peer show | jq -r '.[0].encap')" esp
refuse "others are refused" 'udp or esp' at west esptun peer set dev vpn0 id 1 encap gre

before=$(received east)
refuse "a peer with UDP takes no plain ESP" ' 0 received' at west ping -n -c 2 -i 0.2 -W 1 10.9.0.2
check "one with plain ESP takes ESP in UDP" test "$(received east)" -gt "$before"
is "nothing of it was dropped" "$(dropped_on_receipt west)$(dropped_on_receipt east)" ''
must at west esptun peer set dev vpn0 id 1 encap esp
inner_of_both "plain ESP"
is "nothing else is on the wire" "$(protocols west w0 pings west 10.9.0.2)" ESP
check "TCP both ways" iperf west east 10.9.0.2 --bidir
check "the link's MTU is what fits" wait_for 10 link_mtu_is west 1446
check "so long a packet passes whole" pings west 10.9.0.2 -M do -s 1418
check "longer ones in outer fragments" pings west 10.9.0.2 -M dont -s 4000
must at west esptun peer set dev vpn0 id 1 keepalive 1
before=$(in_quiet west esptun -j peer show | jq '.[0].keepalives')
sleep 3
is "no keepalives are sent" "$(in_quiet west esptun -j peer show | jq '.[0].keepalives')" "$before"
must at west esptun peer set dev vpn0 id 1 keepalive 0

must at west esptun peer set dev vpn0 id 1 remote $EAST
inner_of_both "over IPv6"
check "the other end follows" remote_is east $WEST
check "the link's MTU, too" wait_for 10 link_mtu_is west 1426
is "only ESP over IPv6, too" "$(protocols west w0 pings west 10.9.0.2)" ESP
check "TCP both ways over IPv6" iperf west east 10.9.0.2 --bidir
must at west esptun peer set dev vpn0 id 1 remote 192.0.2.2
check "back to IPv4" pings west 10.9.0.2

for side in west east; do must at $side esptun peer set dev vpn0 id 1 encap udp; done
inner_of_both "changed to UDP while up"
is "all of it" "$(protocols west w0 pings west 10.9.0.2)" UDP
for side in west east; do must at $side esptun peer set dev vpn0 id 1 encap esp; done
inner_of_both "and back"

# ---- hostile packets ---------------------------------------------------------------------

hostile() { # 4|6 REMOTE
	must at west esptun sa flush dev vpn0
	must at east esptun peer set dev vpn0 id 1 remote 0.0.0.0 roam off
	must at west esptun peer set dev vpn0 id 1 remote "$2"
	esptun_sas west 1 aes-gcm-256 off $SPI_WEST 0x50 $SPI_EAST 0xa0
	at west ping -q -c 3 -i 0.2 -W 1 10.9.0.2 > /dev/null
	include hostile "$PYTHON" "$VM_LIB/esp50_cases.py" "$1"
	# What the ICMP errors taught.
	must ip -n west route flush cache
	must ip -n west -6 route flush cache
}
must at east esptun sa flush dev vpn0
hostile 4 192.0.2.2
hostile 6 $EAST

# ---- NAT of addresses alone ----------------------------------------------------------------

must at west esptun sa flush dev vpn0
must at west esptun peer set dev vpn0 id 1 remote 192.0.2.2
must at east esptun peer set dev vpn0 id 1 remote 192.0.2.1 roam on
esptun_sas west 1 aes-gcm-256 off $SPI_WEST 0x50 $SPI_EAST 0xa0
esptun_sas east 1 aes-gcm-256 off $SPI_EAST 0xa0 $SPI_WEST 0x50
check "before the NAT" pings west 10.9.0.2
must ip -n west addr add 192.0.2.9/24 dev w0
must at west nft add table ip nat
must at west nft add chain ip nat post '{ type nat hook postrouting priority 100; }'
must at west nft add rule ip nat post ip protocol esp snat to 192.0.2.9
must at west esptun peer set dev vpn0 id 1 local 192.0.2.1
check "through a NAT that knows protocol 50" wait_for 20 pings west 10.9.0.2
check "the peer has moved behind it" remote_is east 192.0.2.9
must at west nft delete table ip nat
must at west esptun peer set dev vpn0 id 1 local 0.0.0.0
check "and comes back" wait_for 20 pings west 10.9.0.2
check "to its own address" remote_is east 192.0.2.1

# ---- beside the kernel's own IPsec -----------------------------------------------------------

#   west                                  east
#   w0 192.0.2.101 ==== xfrm, plain ESP, transport mode ==== e0 192.0.2.102
must ip -n west addr add 192.0.2.101/24 dev w0
must ip -n east addr add 192.0.2.102/24 dev e0
beside() { # NS LOCAL REMOTE SPI_IN SPI_OUT
	must at "$1" ip xfrm state add src "$3" dst "$2" proto esp spi "$4" mode transport \
		aead "${kernel_name[aes-gcm-256]}" "$(key aes-gcm-256 0x11)" 128
	must at "$1" ip xfrm state add src "$2" dst "$3" proto esp spi "$5" mode transport \
		aead "${kernel_name[aes-gcm-256]}" "$(key aes-gcm-256 0x11)" 128
	must at "$1" ip xfrm policy add src "$2" dst "$3" dir out tmpl proto esp mode transport
	must at "$1" ip xfrm policy add src "$3" dst "$2" dir in tmpl proto esp mode transport
}
beside west 192.0.2.101 192.0.2.102 0x7001 0x7002
beside east 192.0.2.102 192.0.2.101 0x7002 0x7001
like "now it is there" "$(lsmod)" '^esp4 '
by_xfrm() {
	pings west 192.0.2.102 -I 192.0.2.101 && pings east 192.0.2.101 -I 192.0.2.102
}
check "xfrm's packets are xfrm's" by_xfrm
inner_of_both "ours are ours"
west_errors=$(xfrm_errors west) east_errors=$(xfrm_errors east)
start west /run/beside.log ping -n -i 0.1 -I 192.0.2.101 192.0.2.102
beside_pid=$started
check "TCP both ways, both at once" iperf west east 10.9.0.2 --bidir
stop "$beside_pid"
like "xfrm's lost nothing meanwhile" "$(cat /run/beside.log)" ' 0% packet loss'
is "xfrm in the west saw nothing that it does not know" "$(xfrm_errors west)" "$west_errors"
is "nor in the east" "$(xfrm_errors east)" "$east_errors"

# Namespaces that know nothing of esptun go while protocol 50, and ICMP errors about it, come to them.
for round in $(seq 6); do
	must ip netns add "gone$round"
	must ip -n west link add g0 type veth peer name g1 netns "gone$round"
	must ip -n west addr add 10.77.0.1/24 dev g0
	must ip -n west link set g0 up
	must ip -n "gone$round" addr add 10.77.0.2/24 dev g1
	must ip -n "gone$round" link set g1 up
	must ip -n "gone$round" link set lo up
	start west /run/flood.log "$PYTHON" "$VM_LIB/esp50_flood.py" 10.77.0.1 10.77.0.2
	flooder=$started
	sleep 0.5
	must ip netns del "gone$round"
	wait_for 20 link_gone west g0 || must ip -n west link del g0
	stop "$flooder"
done
inner_of_both "after namespaces went under a flood of protocol 50"

# An SPI of both: xfrm keeps it.
must at west ip xfrm state add src 192.0.2.2 dst 192.0.2.1 proto esp spi $SPI_WEST mode transport \
	aead "${kernel_name[aes-gcm-256]}" "$(key aes-gcm-256 0x50)" 128
before=$(received west)
refuse "an SPI that xfrm has, too, is xfrm's" ' 0 received' at west ping -n -c 2 -i 0.2 -W 1 10.9.0.2
is "nothing of it comes to us" "$(received west)" "$before"
must at west ip xfrm state delete src 192.0.2.2 dst 192.0.2.1 proto esp spi $SPI_WEST
check "ours again when xfrm gives it up" pings west 10.9.0.2

# An SPI of nobody's goes to xfrm, as ever.
test_more() { # COMMAND VALUE: the command says more now
	[ "$("$1")" -gt "$2" ]
}
strange() {
	at east "$PYTHON" -c 'import socket; socket.socket(2, 3, 50).sendto(bytes([0, 0, 0x99, 0x99]) + bytes(60), ("192.0.2.1", 0))'
}
no_states() { in_quiet west awk '/XfrmInNoStates/ { print $2 }' /proc/net/xfrm_stat; }
before=$(no_states)
strange
check "an SPI of nobody's is counted by xfrm" wait_for 5 test_more no_states "$before"
for side in west east; do must at $side esptun peer set dev vpn0 id 1 encap udp; done
before=$(no_states)
strange
check "and so it is without a peer with plain ESP" wait_for 5 test_more no_states "$before"
check "xfrm goes on" by_xfrm
for side in west east; do must at $side esptun peer set dev vpn0 id 1 encap esp; done

# ---- the kernel's own ESP as the east ----------------------------------------------------

must at east ip link del vpn0
xfrm_plain_sa() { # SRC DST SPI ALG KEY ESN
	local esn=''
	[ "$6" = off ] || esn='flag esn'
	# shellcheck disable=SC2086 # flags are words
	must at east ip xfrm state add src "$1" dst "$2" proto esp spi "$3" mode tunnel if_id 9 \
		replay-window 1024 $esn flag af-unspec aead "${kernel_name[$4]}" "$(key "$4" "$5")" 128
}
for outer in 4 6; do
	west=192.0.2.1 east=192.0.2.2
	[ $outer = 4 ] || west=$WEST east=$EAST
	xfrm_link $west $east 1400
	must at west esptun peer set dev vpn0 id 1 remote $east
	for alg in aes-gcm-256 chacha20-poly1305; do
		for esn in off on; do
			must at west esptun sa flush dev vpn0
			for spi in $SPI_EAST $SPI_WEST; do
				in_quiet east ip xfrm state delete dst $east proto esp spi $spi 2> /dev/null
				in_quiet east ip xfrm state delete dst $west proto esp spi $spi 2> /dev/null
			done
			esptun_sas west 1 $alg $esn $SPI_WEST 0x50 $SPI_EAST 0xa0
			xfrm_plain_sa $west $east $SPI_EAST $alg 0xa0 $esn
			xfrm_plain_sa $east $west $SPI_WEST $alg 0x50 $esn
			name="xfrm over IPv$outer, $alg esn $esn"
			inner_of_both "$name"
			check "$name: large packets" pings west 10.9.0.2 -s 3000
			check "$name: TCP both ways" iperf west east 10.9.0.2 --bidir
		done
	done
	must at east ip link del vpn0
	at east ip xfrm policy flush
done

# ---- it goes -------------------------------------------------------------------------------

at east ip xfrm state flush
at west ip xfrm state flush
at west ip xfrm policy flush
beside west 192.0.2.101 192.0.2.102 0x7001 0x7002
beside east 192.0.2.102 192.0.2.101 0x7002 0x7001
start east /run/flood.log "$PYTHON" -c '
import socket
s = socket.socket(2, 3, 50)
while True:
    s.sendto(bytes([0, 0, 0x20, 1]) + bytes(60), ("192.0.2.1", 0))'
flood=$started
for _ in 1 2 3 4 5; do
	must at west esptun peer set dev vpn0 id 1 encap udp
	must at west esptun peer set dev vpn0 id 1 encap esp
done
must at west ip link del vpn0
check "rmmod under packets" timeout -k 1 60 rmmod esptun
stop "$flood"
check "xfrm has what it had" by_xfrm
finish
