#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Both ends rekey at the same times, and what we send takes 0.4 s, so that requests of both are
# under way at once (RFC 7296 2.8.1, 2.25): of pairs, of the IKE SA, of both. Afterwards each end
# has the same IKE SA and the same pair, and no ping was lost.

. "$VM_TOP/tests/vm/lib.sh"
. "$VM_TOP/tests/sock/strongswan.sh"

SECONDS_UP=24
often='rekey_time = 6s
        life_time = 30s
        rand_time = 1s'
ike='rekey_time = 10s
    over_time = 20s
    rand_time = 2s'

settled() {
	local pairs ike
	report west
	pairs=$(our_pairs west "$1")
	ike=$(our_ike_sas west "$1")
	[[ $pairs && $ike && $pairs$ike != *$'\n'* && $pairs = "$(their_pairs "$1")" && $ike = "$(their_ike_sas "$1")" ]]
}

three_hosts
charon 'delete_rekeyed_delay = 1' 'retransmit_timeout = 2'
names=() pids=()
for n in {1..8}; do
	case $n in
	[1-4]) name=pairs-$n rekey='off, 5s' child=$often conn='rekey_time = 0' ;;
	[56]) name=ike-$n rekey='10s, off' child='rekey_time = 0' conn=$ike ;;
	*) name=all-$n rekey='10s, 5s' child=$often conn=$ike ;;
	esac
	names+=("$name")
	tunnel west $n "$name" esp=aes256gcm16-x25519 "peer=Rekey = $rekey" "child=$child" "conn=$conn"
done
load_swan
ike west --delay 400
for name in "${names[@]}"; do
	check "$name: up" wait_for 20 state_is west "$name" up
done
for n in {1..8}; do
	start east "$VM_OUT/$n.ping" ping -q -i 0.1 -c $((SECONDS_UP * 10)) -W 2 -I "10.2.$n.1" "10.1.$n.1"
	pids+=("$started")
done
wait "${pids[@]}"
for n in {1..8}; do
	name=${names[n - 1]}
	like "$name: no ping was lost" "$(cat "$VM_OUT/$n.ping")" ', 0% packet loss'
	check "$name: one IKE SA and one pair, the same at both ends" wait_for 20 settled "$name" || {
		grep "\"$name\"" "$VM_OUT/west.now.json"
		swan --list-sas --ike "$name"
	}
	is "$name: we authenticated once" \
		"$(grep -c "authentication of '$name.west.example' with pre-shared key successful" "$VM_OUT/charon.log")" 1
	is "$name: it never went down" \
		"$(lines west "select(.event == \"state\" and .tunnel == \"$name\").state" | xargs)" 'connecting up'
done
collisions=$(grep -oE 'detected (CHILD|IKE)_REKEY collision with (CHILD|IKE)_REKEY' "$VM_OUT/charon.log" | sort | uniq -c)
echo "$collisions"
check "strongSwan saw collisions" [ -n "$collisions" ]
is "every ESP packet was known and authentic" \
	"$(lines west 'select(.event == "total") | "\(.unknown) \(.bad)"' | tail -n 1)" '0 0'
check "ends in peace" ike_end west
finish
