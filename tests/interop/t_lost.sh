#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-tier: full
# vm-timeout: 200
#
# strongSwan takes a pair of SAs away, rekeys it, or wants a second one: for how long does the
# tunnel carry nothing, and what does the user read?

# shellcheck disable=SC2154 # $answer, $status, $gap, $charon_pid are of strongswan.sh
. "$VM_TOP/tests/vm/lib.sh"
. "$VM_TOP/tests/vm/agent.sh"
. "$VM_TOP/tests/interop/strongswan.sh"

load_esptun
two_hosts
lans
must ip -n east addr add 10.3.0.1/24 dev lan0
charon
second="net3 {
	local_ts = 10.3.0.0/24
	remote_ts = 10.1.0.0/24
	esp_proposals = aes256gcm16
}"
swan children="$second"
ours
agent west
wait_for 20 state_is west up || bail "no tunnel with strongSwan: $(cat "$VM_OUT/charon.log")"

# ---- the child alone -------------------------------------------------------------------

meter west child 10.2.0.1 -I 10.1.0.1
sleep 1.5
in_quiet east swanctl --terminate --child net > /dev/null
sleep 8
meter_end child
check "the peer deletes the child alone: back within 4 s" test "$gap" -le 40

# ---- a second child ----------------------------------------------------------------------

begin_anew
we_begin
is "up again" "$status" 0
in_quiet east swanctl --initiate --child net3 --timeout 10 > /dev/null
check "a second child: the first goes on" pings west 10.2.0.1 -I 10.1.0.1
check "a second child: carries its own packets" pings west 10.3.0.1 -I 10.1.0.1
like "a second child: strongSwan has both" "$(their_sas | grep -c INSTALLED)" '^2$'

# ---- rekeying -----------------------------------------------------------------------------

swan child='rekey_time = 6s
life_time = 14s
rand_time = 0'
begin_anew
we_begin
is "short-lived child: up" "$status" 0
meter west rekey 10.2.0.1 -I 10.1.0.1
sleep 20
meter_end rekey
check "strongSwan rekeys the child of our IKE SA: no outage" test "$gap" -le 5

swan child='rekey_time = 6s
life_time = 14s
rand_time = 0'
ours endpoint=
begin_anew
they_begin
is "listener, short-lived child: up" "$status" 0
meter west listen 10.2.0.1 -I 10.1.0.1
sleep 16
meter_end listen
check "strongSwan rekeys the child of its IKE SA: no outage" test "$gap" -le 5

kill -0 "$charon_pid"
is "strongSwan did not crash" "$?" 0
check "nor did esptund" agent_stop west
finish
