#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-timeout: 250
#
# esptun in the west, the kernel's own ESP in the east (an xfrm interface, ESP
# in UDP on port 4500): every algorithm, 32- and 64-bit sequence numbers, both
# directions, IPv4 and IPv6 inside.

# shellcheck source=tests/vm/lib.sh
. "$VM_TOP/tests/vm/lib.sh"

two_hosts
load_esptun
esptun_up west 10.9.0.1/24 fd00:9::1/64 local 192.0.2.1
must at west esptun peer add dev vpn0 id 1 remote 192.0.2.2 port 4500

# What xfrm complained of since the states are in place: while they are being
# changed, the east may send something of its own and find none.
at_first=/run/xfrm-counters
xfrm_counters() {
	at east cat /proc/net/xfrm_stat
}

xfrm_errors() {
	xfrm_counters | awk 'NR == FNR { was[$1] = $2; next }
		$2 > was[$1] { print $1 "=" $2 - was[$1] }' "$at_first" - | xargs
}

lengths() {
	local size
	for size in 56 57 58 59 1300 3000; do
		at west ping -q -n -c 1 -W 20 -s $size 10.9.0.2 > /dev/null || return 1
	done
}

for alg in "${algorithms[@]}"; do
	for esn in off on; do
		must at west esptun sa flush dev vpn0
		must at east ip xfrm state flush
		esptun_sas west 1 $alg $esn $SPI_WEST 0x50 $SPI_EAST 0xa0
		xfrm_east $alg $esn
		xfrm_counters > "$at_first"
		# While the states were exchanged, a packet on its way found none.
		dropped=$(dropped_on_receipt west replay)
		name="$alg esn $esn"
		check "$name: esptun to xfrm, IPv4" pings west 10.9.0.2
		check "$name: xfrm to esptun, IPv4" pings east 10.9.0.1
		check "$name: esptun to xfrm, IPv6" pings west fd00:9::2
		check "$name: xfrm to esptun, IPv6" pings east fd00:9::1
		check "$name: packets of all lengths modulo 4, and large" lengths
		check "$name: TCP both ways" iperf west east 10.9.0.2 --bidir
		is "$name: xfrm found nothing wrong" "$(xfrm_errors)" ''
		# Late packets, once the window has moved on, are no fault: where the SIMD
		# registers are taken, xfrm (cryptd) and esptun (parking) let others overtake.
		is "$name: esptun dropped nothing received" \
			"$(dropped_on_receipt west replay)" "$dropped"
	done
done

like "the driver's name is shown" "$(at west esptun -s sa show dev vpn0)" 'rfc7539|chacha20'

finish
