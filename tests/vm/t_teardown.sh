#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-tier: full
# vm-timeout: 300
#
# Everything is taken away under traffic, several times: SAs, peers, links,
# network namespaces, the module. Nothing may hang, leak or complain. A leaked
# reference makes ip or rmmod wait for ever, hence the timeouts; the runner reads
# the kernel log.
#
#   client ------ west ====== tunnel ====== east ------ server
#   10.1.0.2      10.1.0.1                  10.2.0.1    10.2.0.2
#
# Traffic is made in client and server only, so that the namespaces of the two
# ends have no process and really end when deleted.

# shellcheck source=tests/vm/lib.sh
. "$VM_TOP/tests/vm/lib.sh"

ROUNDS=${VM_ROUNDS:-2}

build() {
	add_ns west east
	must ip link add c0 netns client type veth peer name in0 netns west
	must ip link add s0 netns server type veth peer name in0 netns east
	must ip -n client addr add 10.1.0.2/24 dev c0
	must ip -n server addr add 10.2.0.2/24 dev s0
	must ip -n west addr add 10.1.0.1/24 dev in0
	must ip -n east addr add 10.2.0.1/24 dev in0
	ip -n client link set c0 up
	ip -n server link set s0 up
	ip -n west link set in0 up
	ip -n east link set in0 up
	must ip -n client route add default via 10.1.0.1
	must ip -n server route add default via 10.2.0.1
	wire west w0 192.0.2.1/24 east e0 192.0.2.2/24
	in_quiet west sysctl -qw net.ipv4.ip_forward=1
	in_quiet east sysctl -qw net.ipv4.ip_forward=1
	west_end
	east_end
}

west_end() {
	static_west aes-gcm-256 off
	must ip -n west route add 10.2.0.0/24 dev vpn0
}

east_end() {
	static_east aes-gcm-256 off
	must ip -n east route add 10.1.0.0/24 dev vpn0
}

# Both directions, without regard to answers, until stopped. Not more than leaves a slow
# kernel the time for the commands that are tried under it.
traffic_pids=()
traffic() {
	local slow=${VM_PATIENCE:-1}

	start client /run/blast1.log "$PYTHON" "$VM_LIB/blast" 10.2.0.2
	traffic_pids+=("$started")
	start server /run/blast2.log "$PYTHON" "$VM_LIB/blast" 10.1.0.2
	traffic_pids+=("$started")
	start client /run/flood.log ping -q -i "$(printf 0.%03d $((5 * slow)))" 10.2.0.2
	traffic_pids+=("$started")
	start server /run/iperf.log iperf3 -s
	traffic_pids+=("$started")
	start client /run/tcp.log sh -c \
		"while :; do iperf3 -c 10.2.0.2 -t 600 -b $((30 / slow))M --connect-timeout 1000; sleep 0.2; done"
	traffic_pids+=("$started")
	must wait_for 10 flows
}

flows() {
	local before
	before=$(ip -n west -j -s link show vpn0 | jq '.[0].stats64 | .rx.packets * .tx.packets')
	sleep 0.2
	[ "$(ip -n west -j -s link show vpn0 | jq '.[0].stats64 | .rx.packets * .tx.packets')" -gt "$before" ]
}

quick() {
	timeout -k 1 $((60 * ${VM_PATIENCE:-1})) "$@"
}

# The ends of client's and server's links went with the other namespaces.
no_links() {
	! ip -n client link show c0 && ! ip -n server link show s0
}

both_at_once() {
	ip netns del west
	ip netns del east
	quick rmmod esptun
}

add_ns client server
load_esptun
build
traffic
check "traffic flows" flows

for ((round = 1; round <= ROUNDS; round++)); do
	must at west esptun sa flush dev vpn0
	sleep 0.1
	esptun_sas west 1 aes-gcm-256 off $SPI_WEST 0x50 $SPI_EAST 0xa0
	# The east has seen higher sequence numbers than a new SA starts with.
	must at east esptun sa flush dev vpn0
	esptun_sas east 1 aes-gcm-256 off $SPI_EAST 0xa0 $SPI_WEST 0x50
	check "round $round: flows again after SAs were flushed" wait_for 10 flows
done

for ((round = 1; round <= ROUNDS; round++)); do
	must at west esptun sa flush dev vpn0
	must at west esptun peer del dev vpn0 id 1
	must at west esptun peer add dev vpn0 id 1 remote 192.0.2.2 port 4500
	esptun_sas west 1 chacha20-poly1305 off $SPI_WEST 0x50 $SPI_EAST 0xa0
	must at east esptun sa flush dev vpn0
	esptun_sas east 1 chacha20-poly1305 off $SPI_EAST 0xa0 $SPI_WEST 0x50
	check "round $round: flows again after the peer was deleted" wait_for 10 flows
done

for ((round = 1; round <= ROUNDS; round++)); do
	check "round $round: west link deleted under traffic" quick ip -n west link del vpn0
	must at east esptun sa flush dev vpn0
	esptun_sas east 1 aes-gcm-256 off $SPI_EAST 0xa0 $SPI_WEST 0x50
	west_end
	check "round $round: flows again" wait_for 10 flows
	check "round $round: link set down and up" quick ip -n west link set vpn0 down
	must quick ip -n west link set vpn0 up
	must ip -n west route replace 10.2.0.0/24 dev vpn0
	check "round $round: flows again" wait_for 10 flows
done

for ((round = 1; round <= ROUNDS; round++)); do
	check "round $round: underlay removed under traffic" quick ip -n west link del w0
	sleep 0.2
	wire west w0 192.0.2.1/24 east e0 192.0.2.2/24
	check "round $round: flows again over a new one" wait_for 10 flows
done

for ((round = 1; round <= ROUNDS; round++)); do
	check "round $round: rmmod under traffic" quick rmmod esptun
	is "round $round: the links went with it" "$(ip -n west link show | grep -c vpn0)" 0
	must modprobe esptun
	west_end
	east_end
	check "round $round: loaded again, flows again" wait_for 10 flows
done

for ((round = 1; round <= ROUNDS; round++)); do
	ip netns del west
	# A namespace whose device is still referenced keeps rmmod waiting.
	sleep 0.3
	check "round $round: rmmod after a namespace ended under traffic" quick rmmod esptun
	ip netns del east
	must modprobe esptun
	must wait_for 10 no_links
	build
	check "round $round: flows again" wait_for 10 flows
	[ $((round % 2)) = 0 ] || continue
	check "round $round: both ends' namespaces, module at once" both_at_once
	must modprobe esptun
	must wait_for 10 no_links
	build
	check "round $round: flows again" wait_for 10 flows
done

for pid in "${traffic_pids[@]}"; do
	stop "$pid"
done
check "rmmod at rest" quick rmmod esptun
is "nothing of it is left" "$(grep -c '^esptun ' /proc/modules)" 0

finish
