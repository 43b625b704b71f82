#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-tier: full
# vm-timeout: 300
#
# Outer routes that lead through each other's links. One packet must not keep a
# CPU or the memory for ever: it ends, is counted, and the host goes on.

# shellcheck source=tests/vm/lib.sh
. "$VM_TOP/tests/vm/lib.sh"

# sent NS: packets that all links of the namespace have sealed.
sent() {
	ip -n "$1" -j -s link show | jq '[.[] | select(.ifname | startswith("vpn")) | .stats64.tx.packets] | add'
}

# dropped NS REASON: on all links of the namespace.
dropped() {
	in_quiet "$1" esptun -br stats | awk -v name="$2" '$2 == name { sum += $3 } END { print sum + 0 }'
}

# quiet NS: nothing was sealed within half a second.
quiet() {
	local before
	before=$(sent "$1")
	sleep 0.5
	[ "$(sent "$1")" = "$before" ]
}

# link NS DEV PORT REMOTE SPI [OPTION...]: a link with one peer and a pair of SAs.
link() {
	local ns=$1 dev=$2 port=$3 remote=$4 spi=$5
	shift 5
	must at "$ns" ip link add "$dev" type esptun port "$port" "$@"
	must at "$ns" ip link set "$dev" mtu 1400 up
	must at "$ns" esptun peer add dev "$dev" id 1 remote "$remote" keepalive 0
	must at "$ns" esptun sa add dev "$dev" dir out spi "$spi" peer 1 \
		algo aes-gcm-256 key "$(key aes-gcm-256 "$spi")"
}

# ring NS N: vpn0 ... vpnN-1, each with its peer behind the next one.
#
#   10.9.0.0/24 -> vpn0 -> 198.51.100.0 -> vpn1 -> 198.51.100.1 -> ... -> vpn0
ring() {
	local ns=$1 n=$2 i
	add_ns "$ns"
	must ip -n "$ns" link add d0 type dummy
	must ip -n "$ns" addr add 192.0.2.1/24 dev d0
	must ip -n "$ns" link set d0 up
	for ((i = 0; i < n; i++)); do
		link "$ns" vpn$i $((4500 + i)) 198.51.100.$i $((0x3001 + i)) local 192.0.2.1
	done
	for ((i = 0; i < n; i++)); do
		must ip -n "$ns" route add 198.51.100.$i/32 dev vpn$(((i + 1) % n)) src 192.0.2.1
	done
	must ip -n "$ns" route add 10.9.0.0/24 dev vpn0 src 192.0.2.1
}

# one NS WHAT MOST COUNTER-NS PING-OPTION...: a packet into the loop; then all is
# quiet, at most MOST packets were sealed, and it is known why they ended.
one() {
	local ns=$1 what=$2 most=$3 why=$4 before drops
	shift 4
	before=$(sent "$ns")
	drops=$(dropped "$ns" "$why")
	at "$ns" timeout 10 ping -q -n -c 1 -W 1 "$@" 10.9.0.2 > /dev/null
	check "$what: it ends" wait_for 20 quiet "$ns"
	echo "# sealed $(($(sent "$ns") - before)), $why $(($(dropped "$ns" "$why") - drops))"
	[ $(($(sent "$ns") - before)) -le "$most" ]
	result $? "$what: after at most $most packets"
	[ "$(dropped "$ns" "$why")" -gt "$drops" ]
	result $? "$what: counted as $why"
}

load_esptun

for links in 2 3; do
	ring ring$links $links
	one ring$links "$links links, no DF" $links tx-loop -M dont -s 16
	one ring$links "$links links, no DF, in fragments" 64 tx-loop -M dont -s 4000
	one ring$links "$links links, DF" $links tx-loop -M do -s 16
done

# An SA that two CPUs send from at once, each handing over what the other sealed:
# the other link's packets get there from another CPU than their own went round.
storm() {
	local before
	before=$(dropped ring2 tx-loop)
	start ring2 /run/storm0 taskset -c 0 ping -q -n -f -M dont -s 1000 -w 3 10.9.0.2
	start ring2 /run/storm1 taskset -c 1 ping -q -n -f -M dont -s 1000 -w 3 198.51.100.0
	wait
	[ "$(dropped ring2 tx-loop)" -gt "$before" ]
}
check "two CPUs at once: loops are counted" storm
check "two CPUs at once: they end" wait_for 20 quiet ring2

# A link whose device was moved: its outer packets leave in one namespace and are
# forwarded to the other one, and so into the link again.
#
#   here: socket, here0 10.0.0.1 --- there0 10.0.0.2: there: vpn0
add_ns here there
wire here here0 10.0.0.1/24 there there0 10.0.0.2/24
in_quiet there sysctl -qw net.ipv4.ip_forward=1
must ip -n here route add 198.51.100.0/24 via 10.0.0.2
must at here ip link add vpn0 type esptun
must at here esptun peer add dev vpn0 id 1 remote 198.51.100.1 keepalive 0
must at here esptun sa add dev vpn0 dir out spi 0x3001 peer 1 \
	algo aes-gcm-256 key "$(key aes-gcm-256 1)"
must ip -n here link set vpn0 netns there
must ip -n there link set vpn0 mtu 1400 up
must ip -n there addr add 10.9.0.1/24 dev vpn0
must ip -n there route add 198.51.100.0/24 dev vpn0
start there /run/moved ping -q -n -c 1 -W 1 -M dont -s 1000 10.9.0.2
check "two namespaces, no DF: it ends" wait_for 30 quiet there
echo "# sealed $(sent there)"
[ "$(sent there)" -lt 2000 ]
result $? "two namespaces, no DF: after less than 2,000 packets"

# Peers of a hub's two links, which roam by spoofed sources to addresses that the hub
# routes into the other link. Then an answer of the hub, without DF, would go round.
#
#   a 192.0.2.2 --- 192.0.2.1 hub 198.51.100.1 --- 198.51.100.2 b
#   vpn0: a's, and 10.20.0.0/16                    vpn1: b's, and 10.30.0.0/16
add_ns hub a b
wire hub h0 192.0.2.1/24 a a0 192.0.2.2/24
wire hub h1 198.51.100.1/24 b b0 198.51.100.2/24
in_quiet hub sysctl -qw net.ipv4.ip_forward=1
for i in 0 1; do
	must at hub ip link add vpn$i type esptun
	must at hub ip addr add 10.9.$i.1/24 dev vpn$i
	must at hub ip link set vpn$i up
done

# pair NS DEV REMOTE SPI_IN KEY_IN SPI_OUT KEY_OUT
pair() {
	must at "$1" esptun peer add dev "$2" id 1 remote "$3" keepalive 0
	must at "$1" esptun sa add dev "$2" dir in spi "$4" peer 1 \
		algo aes-gcm-256 key "$(key aes-gcm-256 "$5")"
	must at "$1" esptun sa add dev "$2" dir out spi "$6" peer 1 \
		algo aes-gcm-256 key "$(key aes-gcm-256 "$7")"
}
pair hub vpn0 192.0.2.2 0x1001 1 0x2001 2
pair hub vpn1 198.51.100.2 0x1002 3 0x2002 4
must ip -n hub route add 10.20.0.0/16 dev vpn0
must ip -n hub route add 10.30.0.0/16 dev vpn1

# spoofer NS HUB INNER SOURCE
spoofer() {
	must ip -n "$1" addr add "$4/32" dev lo
	must ip -n "$1" route add default via "$2"
	must at "$1" ip link add vpn0 type esptun local "$4"
	must at "$1" ip addr add "$3" dev vpn0
	must at "$1" ip link set vpn0 up
}
spoofer a 192.0.2.1 10.9.0.2/24 10.30.0.9
pair a vpn0 192.0.2.1 0x2001 2 0x1001 1
spoofer b 198.51.100.1 10.9.1.2/24 10.20.0.9
pair b vpn0 198.51.100.1 0x2002 4 0x1002 3
at a ping -q -n -c 2 -i 0.3 -W 1 10.9.0.1 > /dev/null
start b /run/ping-b ping -q -n -c 2 -i 0.3 -W 1 10.9.1.1
remote() {
	in_quiet hub esptun -j peer show dev "$1" | jq -r '.[0].remote'
}
four_refused() {
	[ "$(dropped hub roam-refused)" -ge 4 ]
}
check "a hub with spoofing peers: refused, and counted as roam-refused" wait_for 20 four_refused
check "all is quiet" wait_for 20 quiet hub
is "vpn0's peer did not move into vpn1" "$(remote vpn0)" 192.0.2.2
is "vpn1's peer did not move into vpn0" "$(remote vpn1)" 198.51.100.2
must ip -n hub route del 10.30.0.0/16
must ip -n hub route add 10.30.0.0/16 via 192.0.2.2
must at a ping -q -n -c 1 -W 20 10.9.0.1
is "where the route does not lead into a link, it moves" "$(remote vpn0)" 10.30.0.9

finish
