#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# One tunnel that we begin, one that strongSwan begins; the end, from either side.

. "$VM_TOP/tests/vm/lib.sh"
. "$VM_TOP/tests/sock/strongswan.sh"

three_hosts
charon
tunnel west 1 begun start=now
tunnel west 2 heard start=listen
tunnel west 3 childless start=now "conn=childless = force"
tunnel west 4 forces start=listen "conn=childless = force"
load_swan
ike west

check "we begin: up" wait_for 10 state_is west begun up
echo "[east] swanctl --initiate --child heard" >&9
check "they begin: up" quietly swan --initiate --child heard --timeout 10
check "it takes no child SA in IKE_AUTH: up" wait_for 20 state_is west childless up
check "it begins without a child SA: up" quietly swan --initiate --child forces --timeout 10
their_sas
report west
cat "$VM_OUT/west.now.json"
for name in begun heard childless forces; do
	is "$name: both ends have the same pair" "$(our_pairs west "$name")" "$(their_pairs "$name")"
	like "$name: one pair" "$(our_pairs west "$name" | wc -l)" '^1$'
	like "$name: in UDP" "$(their_sas)" "$name.*TUNNEL-in-UDP, ESP:AES_GCM_16-256"
done
check "we begin: ESP there and back" pings 1
check "they begin: ESP there and back" pings 2

check "strongSwan ends one" quietly swan --terminate --ike heard --timeout 10
check "and we are down" wait_for 5 state_is west heard down
report west
is "and have no pair any more" "$(our_pairs west heard)" ''
check "we end the other" ike_end west
check "and strongSwan has no IKE SA any more" wait_for 5 no_sas
is "no ESP packet was lost" \
	"$(lines west 'select(.event == "total") | "\(.esp) \(.unknown) \(.bad) \(.echoed)"' | tail -n 1)" '2 0 0 2'
finish
