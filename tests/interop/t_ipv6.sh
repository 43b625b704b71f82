#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-timeout: 300
#
# IPv6 outside, esptund (west) with strongSwan and the kernel's ESP (east): both roles, rekeying
# from the other end.
#
#   west: esptund                          east: strongSwan
#   10.1.0.1/24 lan0                       10.2.0.1/24 lan0
#   2001:db8::1/64 w0 -------- veth ------ 2001:db8::2/64 e0

. "$VM_TOP/tests/vm/lib.sh"
. "$VM_TOP/tests/vm/agent.sh"
. "$VM_TOP/tests/interop/strongswan.sh"

crossed() {
	check "$1: ping" pings west 10.2.0.1 -I 10.1.0.1
	check "$1: ping from strongSwan's LAN" pings east 10.1.0.1 -I 10.2.0.1
	check "$1: iperf3" iperf west east 10.2.0.1 -B 10.1.0.1
}

# pair_differs: for wait_for.
pair_differs() {
	[ "$(of west '.child.spi_in')" != "$former" ]
}

load_esptun
two_hosts
must ip -n west addr add 2001:db8::1/64 dev w0 nodad
must ip -n east addr add 2001:db8::2/64 dev e0 nodad
lans
charon
swan remote=2001:db8::1
ours endpoint=2001:db8::2 begin=traffic
agent west

we_begin
is "initiator: up" "$status" 0
[ "$status" = 0 ] || { tail -n 40 "$VM_OUT/charon.log"; bail "no tunnel with strongSwan"; }
is "initiator: over IPv6" "$(of west '.ike.remote')" '[2001:db8::2]:4500'
crossed "initiator"
like "initiator: strongSwan has the pair, in UDP" "$(their_sas)" 'INSTALLED, TUNNEL-in-UDP'

former=$(of west '.child.spi_in')
check "strongSwan rekeys the child SA" peer_run swanctl --rekey --child net
check "there is another pair" wait_for 10 pair_differs
crossed "rekeyed"
former=$(of west '.ike.spi_i')
check "strongSwan rekeys the IKE SA" peer_run swanctl --rekey --ike west
another_ike() {
	[ "$(of west '.ike.spi_i')" != "$former" ] && state_is west up
}
check "there is another IKE SA" wait_for 10 another_ike
crossed "under the new IKE SA"

begin_anew
ours endpoint=2001:db8::2 begin=traffic from=2001:db8::11
tell west reload > /dev/null
refuse "a Local that is none of ours is an error" 'Local = 2001:db8::11 is no address of this machine' \
	tell west up vpn0
must ip -n west addr add 2001:db8::11/64 dev w0 nodad
swan remote=2001:db8::11
we_begin
is "the address is there: up" "$status" 0
crossed "Local"
like "Local: both ends send to and from it" "$(in_quiet east ip -s xfrm state)" 'src 2001:db8::11 dst 2001:db8::2'
like "Local: strongSwan counts what comes from it" "$(their_sas)" "in .* [1-9][0-9]* bytes"

begin_anew
swan remote=2001:db8::1
ours endpoint=
they_begin
is "responder: up" "$status" 0
is "responder: over IPv6" "$(of west '.ike.remote')" '[2001:db8::2]:4500'
crossed "responder"
finish
