#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-tier: full
# vm-timeout: 900
#
# strongSwan's lifetimes run out (its defaults: 1 h for the child, 4 h for IKE; here seconds), for
# each way in which a tunnel begins and each thing that it renews. How long is it dark? What we
# began we replace before it ends; what strongSwan began it has to close before it begins anew.

# shellcheck disable=SC2154 # $answer, $status, $gap, $charon_pid are of strongswan.sh
. "$VM_TOP/tests/vm/lib.sh"
. "$VM_TOP/tests/vm/agent.sh"
. "$VM_TOP/tests/interop/strongswan.sh"

load_esptun
two_hosts
lans
charon
swan
ours
agent west

# scene NAME TENTHS OURS THEIRS...: pings for 35 s, no gap longer than TENTHS.
scene() {
	local name=$1 limit=$2 our=$3
	shift 3
	ours "$our"
	swan "$@"
	begin_anew
	if [ "$our" = endpoint= ]; then
		they_begin
	else
		we_begin
	fi
	is "$name: up" "$status" 0
	meter west "$name" 10.2.0.1 -I 10.1.0.1
	sleep 35
	meter_end "$name"
	check "$name: no outage over $((limit / 10)).$((limit % 10)) s" test "$gap" -le "$limit"
	said west 'peer wants|peer deleted|second' | tail -n 3
}

child='rekey_time = 8s
life_time = 16s
rand_time = 0'
ike='rekey_time = 12s
over_time = 5s
rand_time = 0'
reauth='rekey_time = 0
reauth_time = 12s
over_time = 5s
rand_time = 0'
scene now-child 15 begin=now child="$child"
scene traffic-child 15 begin=traffic child="$child"
scene now-ike 15 begin=now conn="$ike"
scene now-reauth 40 begin=now conn="$reauth"
scene listener-child 40 endpoint= child="$child"
scene listener-child-close 40 endpoint= child="$child
close_action = start"
scene listener-ike 40 endpoint= conn="$ike"
scene listener-reauth 40 endpoint= conn="$reauth"
agent_stop west
finish
