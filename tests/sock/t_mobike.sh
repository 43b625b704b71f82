#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# strongSwan's address changes while pings cross two tunnels, of which it began one and we the
# other. It updates the one, and takes our update of the other: by what its log says. The IKE SAs
# are those of before; the pairs are not, as strongSwan's ESP in userspace cannot change an SA, so
# that strongSwan rekeys it instead.

. "$VM_TOP/tests/vm/lib.sh"
. "$VM_TOP/tests/sock/strongswan.sh"

three_hosts
tunnel west 1 theirs start=listen conn='local_addrs = %any'
tunnel west 2 ours conn='local_addrs = %any'
charon
load_swan
ike west
check "ours: up" wait_for 20 state_is west ours up
quietly swan --initiate --child theirs --timeout 10
is "theirs: up" "$?" 0
check "ours: traffic" wait_for 5 pings 2
check "theirs: traffic" wait_for 5 pings 1
report west
for name in theirs ours; do
	our_ike_sas west $name > "$VM_OUT/$name.ike"
done

# moved TO FROM: another address instead.
moved() {
	must ip -n east addr add "$1/24" dev e0
	must ip -n east addr del "$2/24" dev e0
	in_quiet east ip addr replace "$1/24" dev e0
}

for step in '192.0.2.3 192.0.2.1' '192.0.2.1 192.0.2.3'; do
	read -r to from <<< "$step"
	moved "$to" "$from"
	check "at $to: traffic of ours" wait_for 20 pings 2
	check "at $to: traffic of theirs" wait_for 20 pings 1
	sleep 2
	report west
	for name in theirs ours; do
		is "$name: the IKE SA of before" "$(our_ike_sas west $name)" "$(cat "$VM_OUT/$name.ike")"
		is "$name: both ends have one pair" "$(our_pairs west $name)" "$(their_pairs $name)"
		is "$name: strongSwan has the same" "$(their_ike_sas $name)" "$(cat "$VM_OUT/$name.ike")"
	done
done
log=$VM_OUT/charon.log
check "strongSwan knows that we take MOBIKE" holds "$log" 'peer supports MOBIKE'
check "strongSwan asked for a change of address" holds "$log" 'requesting address change using MOBIKE'
check "strongSwan was asked for COOKIE2" holds "$log" 'parsed INFORMATIONAL request [0-9]+ \[ N\(NATD_S_IP\) N\(NATD_D_IP\) N\(COOKIE2\) \]'
check "strongSwan took our UPDATE_SA_ADDRESSES" holds "$log" 'parsed INFORMATIONAL request [0-9]+ \[ N\(UPD_SA_ADDR\)'
check "… and answered it as it should" holds "$log" 'generating INFORMATIONAL response [0-9]+ \[ N\(NATD_S_IP\) N\(NATD_D_IP\) N\(COOKIE2\) \]'
check "ikehost ends" ike_end west
finish
