#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-tier: full
# vm-timeout: 200
#
# Selectors of one protocol, as people let one service through. What they name passes, both ways.

# shellcheck disable=SC2154 # $answer, $status, $gap, $charon_pid are of strongswan.sh
. "$VM_TOP/tests/vm/lib.sh"
. "$VM_TOP/tests/vm/agent.sh"
. "$VM_TOP/tests/interop/strongswan.sh"

load_esptun
two_hosts
lans
must ip -n east route add 10.1.0.0/24 via 192.0.2.1
charon
swan
ours
agent west

# narrow NAME LOCAL REMOTE OURS: the tunnel comes up with these selectors.
narrow() {
	swan lts="$2" rts="$3"
	ours selectors="$4"
	begin_anew
	we_begin
	is "$1: up" "$status" 0
	of west '.child."local-ts", .child."remote-ts"' | xargs echo "# $1:"
}
narrow 'ICMP' '10.2.0.0/24[icmp]' '10.1.0.0/24[icmp]' any
check "ICMP: from us" pings west 10.2.0.1 -I 10.1.0.1
check "ICMP: to us" pings east 10.1.0.1 -I 10.2.0.1
narrow 'ICMP asked for by us' '10.2.0.0/24[icmp]' '10.1.0.0/24[icmp]' '10.1.0.0/24:icmp = 10.2.0.0/24:icmp'
check "ICMP asked for by us: from us" pings west 10.2.0.1 -I 10.1.0.1
check "ICMP asked for by us: to us" pings east 10.1.0.1 -I 10.2.0.1
narrow 'TCP' '10.2.0.0/24[tcp]' '10.1.0.0/24[tcp]' any
check "TCP: both ways" iperf west east 10.2.0.1 -B 10.1.0.1 --bidir
narrow 'a server port' '10.2.0.0/24[tcp/5201]' '10.1.0.0/24[tcp]' any
check "a server port: TCP" iperf west east 10.2.0.1 -B 10.1.0.1
agent_stop west
finish
