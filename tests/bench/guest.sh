#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The guest's part of tests/bench/run: tunnels of each kind between two_hosts,
# traffic from load.c over them, a line of JSON for each run in $VM_OUT/runs.
# From the environment: WIRES, TESTS, IMPLS, AEADS, RUNS, SECONDS_EACH; CPUS, the numbers
# of processors to do it with; LIMIT and PROFILE, yes or no; PEERS, numbers of them.

# shellcheck source=tests/vm/lib.sh
. "$VM_TOP/tests/vm/lib.sh"

cp "$VM_TOP"/build/bench/{load,sa_load} /run/
PATH=/run:$PATH
port=6000
: > "$VM_OUT/runs"

# ---- tunnels ----------------------------------------------------------------------

xfrm_west() {
	local any
	xfrm_sa west 192.0.2.1 192.0.2.2 $SPI_EAST "$1" 0xa0 1024 'flag esn'
	xfrm_sa west 192.0.2.2 192.0.2.1 $SPI_WEST "$1" 0x50 1024 'flag esn'
	if [ ! -e /run/xfrm-west ]; then
		touch /run/xfrm-west
		encap_socket west 192.0.2.1
		for any in 0.0.0.0/0 ::/0; do
			must at west ip xfrm policy add src $any dst $any dir out if_id 9 \
				tmpl src 192.0.2.1 dst 192.0.2.2 proto esp mode tunnel
			must at west ip xfrm policy add src $any dst $any dir in if_id 9 \
				tmpl src 192.0.2.2 dst 192.0.2.1 proto esp mode tunnel
		done
		must at west ip link add vpn0 type xfrm dev w0 if_id 9
		must at west ip addr add 10.9.0.1/24 dev vpn0
	fi
}

# All tunnels carry packets of the same length: esptun's.
MTU=1434

up_xfrm() {
	local first=''
	[ -e /run/xfrm-west ] || first=yes
	xfrm_east "$1" on
	[ -z "$first" ] || encap_pids+=("$started")
	xfrm_west "$1"
	[ -z "$first" ] || encap_pids+=("$started")
	must ip -n west link set vpn0 mtu $MTU up
	must ip -n east link set vpn0 mtu $MTU up
}

down_xfrm() {
	at west ip xfrm state flush
	at east ip xfrm state flush
}

# The last of xfrm: its sockets hold port 4500.
end_xfrm() {
	local ns
	for ns in west east; do
		at $ns ip xfrm policy flush
		at $ns ip link del vpn0
		rm -f /run/xfrm-$ns
	done
	kill "${encap_pids[@]}"
	wait "${encap_pids[@]}" 2> /dev/null
	encap_pids=()
}

up_esptun() {
	static_east "$1" on
	static_west "$1" on
	must ip -n west link set vpn0 mtu $MTU
	must ip -n east link set vpn0 mtu $MTU
	wait_for 20 running west vpn0
}

down_esptun() {
	must ip -n west link del vpn0
	must ip -n east link del vpn0
}

up_wireguard() {
	local ns
	for ns in west east; do
		wg genkey > /run/$ns.key
		must ip -n $ns link add vpn0 type wireguard
	done
	must at west wg set vpn0 listen-port 51820 private-key /run/west.key \
		peer "$(wg pubkey < /run/east.key)" endpoint 192.0.2.2:51820 allowed-ips 0.0.0.0/0
	must at east wg set vpn0 listen-port 51820 private-key /run/east.key \
		peer "$(wg pubkey < /run/west.key)" endpoint 192.0.2.1:51820 allowed-ips 0.0.0.0/0
	must ip -n west addr add 10.9.0.1/24 dev vpn0
	must ip -n east addr add 10.9.0.2/24 dev vpn0
	must ip -n west link set vpn0 mtu $MTU up
	must ip -n east link set vpn0 mtu $MTU up
}

down_wireguard() {
	down_esptun
}

up_plain() {
	must ip -n west link set w0 mtu $MTU
	must ip -n east link set e0 mtu $MTU
}

down_plain() {
	must ip -n west link set w0 mtu 1500
	must ip -n east link set e0 mtu 1500
}

# ---- the wire ---------------------------------------------------------------------

# set_wire cable|whole. On a cable every packet goes alone, and the receiver's GRO joins
# what came: veth hands over nothing that it would have to cut itself, and only then uses
# NAPI and GRO. Otherwise super-packets cross whole, and whatever cannot make them is at a
# disadvantage.
set_wire() {
	local state=on
	wire=$1
	[ "$wire" != cable ] || state=off
	must at west ethtool -K w0 gro on tso $state tx-udp-segmentation $state
	must at east ethtool -K e0 gro on tso $state tx-udp-segmentation $state
}

# ---- one run ----------------------------------------------------------------------

# What `load send` is run by, if anything.
by=()

# transfer KIND TO AT NUMBER SENT-NUMBER SECONDS [ADDRESSES]: load's two lines of
# JSON, in $sent and $got. It serves at address AT and sends to TO.
sent='' got=''
transfer() {
	local pid kind=$1 to=$2 at=$3 number=$4 size=$5
	shift 5
	port=$((port + 1))
	start east /run/server load serve "$kind" "$at" $port "$number"
	pid=$started
	wait_for 60 holds /run/server ready || bail "load serve: $(cat /run/server)"
	sent=$(at west "${by[@]}" load send "$kind" "$to" $port "$size" "$@") ||
		bail "$kind to $to: sending failed"
	wait "$pid" || bail "$kind to $to: data was damaged: $(cat /run/server)"
	got=$(tail -n 1 /run/server)
}

# run IMPL AEAD TEST
run() {
	local kind=${3%%[0-9]*} number=${3##*[a-z]} address=10.9.0.2
	[ "$1" != plain ] || address=192.0.2.2
	transfer "$kind" $address $address "${number:-1}" "${number:--}" "$SECONDS_EACH"
	printf '{"wire":"%s","impl":"%s","aead":"%s","test":"%s","cpus":%d,"sent":%s,"got":%s}\n' \
		"$wire" "$1" "$2" "$3" "$cpus" "$sent" "$got" >> "$VM_OUT/runs"
}

# online N: as many processors.
online() {
	local file=/sys/devices/system/cpu/cpu1/online
	cpus=$1
	[ ! -e $file ] || [ "$(cat $file)" = $((cpus - 1)) ] || echo $((cpus - 1)) > $file ||
		bail "$cpus processors are not to be had"
}

# implementation IMPL AEAD
implementation() {
	local i n test address=10.9.0.2
	[ "$1" != plain ] || address=192.0.2.2
	for n in $CPUS; do
		online "$n"
		"up_$1" "$2"
		wait_for 60 pings west $address > /dev/null || bail "$1 $2 carries nothing"
		for test in $TESTS; do
			for ((i = 0; i < RUNS; i++)); do
				run "$1" "$2" "$test"
			done
		done
		"down_$1"
	done
}

implementations() {
	local impl aead
	for impl in $IMPLS; do
		case $impl in
		plain) implementation plain none ;;
		wireguard)
			case $AEADS in *chacha*) implementation wireguard chacha20-poly1305 ;; esac ;;
		*) for aead in $AEADS; do implementation "$impl" "$aead"; done ;;
		esac
		[ "$impl" != xfrm ] || end_xfrm
	done
}

# ---- ciphers alone ----------------------------------------------------------------

# tcrypt always "fails" to load. In virtual time its cycles are instructions.
ciphers() {
	case $AEADS in *gcm*) modprobe tcrypt mode=211 sec=0 2> /dev/null ;; esac
	case $AEADS in *chacha*) modprobe tcrypt mode=213 sec=0 2> /dev/null ;; esac
	dmesg | grep -E 'testing speed|byte blocks|operation in' > "$VM_OUT/tcrypt"
}

# ---- many SAs ---------------------------------------------------------------------

# Each peer of the west's has a pair of SAs and one address behind it, all of them in
# the east; that only receives, by as many SAs.
up_many() {
	local ns
	esptun_up west 10.9.0.1/24 fd00:9::1/64 local 192.0.2.1
	esptun_up east 10.9.0.2/24 fd00:9::2/64 local 192.0.2.2
	must at west sa_load --side a --count "$1" --remote 192.0.2.2 peers sas-in sas-out \
		> /run/installs
	must at east sa_load --side b --count "$1" --remote 192.0.2.1 --any peers sas-in
	for ns in west east; do
		must ip -n $ns link set vpn0 mtu $MTU
	done
	must ip -n west route add 10.0.0.0/16 dev vpn0
	must ip -n east route replace local 10.0.0.0/16 dev lo
}

# scale N: what a datagram of 64 octets costs that goes to each of N peers by turns.
# In 0.4 s of virtual time all 10,000 have a turn; before that none has a route.
scale() {
	local i installs
	up_many "$1"
	mapfile -t installs < /run/installs
	for ((i = 0; i <= RUNS; i++)); do
		transfer udp 10.0.0.1 0.0.0.0 1 64 0.4 "$1"
		[ $i -gt 0 ] || continue
		printf '{"sas":%d,"sent":%s,"got":%s,"installs":[%s,%s,%s]}\n' \
			"$1" "$sent" "$got" "${installs[@]}" >> "$VM_OUT/scale"
	done
	down_esptun
}

# ---- where the time goes ----------------------------------------------------------

# The first run tells what a packet costs, the second who spends it: cpu-clock ticks
# in virtual time, so that a sample is so many instructions.
profile() {
	local aead
	cat /proc/kallsyms > "$VM_OUT/kallsyms"
	for aead in $AEADS; do
		up_esptun "$aead"
		wait_for 60 pings west 10.9.0.2 > /dev/null || bail "esptun $aead carries nothing"
		run esptun "$aead" tcp1
		by=(perf record -q -a -N -B -e cpu-clock -F 15000 -o "/run/perf.data")
		transfer tcp 10.9.0.2 10.9.0.2 1 1 "$SECONDS_EACH"
		by=()
		cp /run/perf.data "$VM_OUT/$aead.perf"
		down_esptun
	done
}

# ---- all --------------------------------------------------------------------------

encap_pids=()
# Where xfrm can have it: GRO for ESP in UDP came with 6.7.
[ "$(printf "%s\n" 6.7 "$(uname -r)" | sort -V | head -n 1)" != 6.7 ] || ENCAP_GRO=gro
two_hosts
modprobe -a aesni_intel chacha-x86_64 poly1305-x86_64 ghash-clmulni-intel
load_esptun
uname -r > "$VM_OUT/kernel"
set_wire "${WIRES%% *}"
if [ "$PROFILE" = yes ]; then
	cpus=1
	profile
else
	for wire in $WIRES; do
		set_wire "$wire"
		implementations
	done
	[ "$LIMIT" != yes ] || ciphers
	for peers in $PEERS; do
		scale "$peers"
	done
fi
result 0 "all runs, all data as it was sent"
finish
