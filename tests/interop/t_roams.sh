#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-tier: full
# vm-timeout: 300
#
# strongSwan on a laptop begins (MOBIKE on, as by default), esptund listens. The laptop's
# address changes: traffic is back within 30 s.

# shellcheck disable=SC2154 # $gap, $charon_pid are of agent.sh and strongswan.sh
. "$VM_TOP/tests/vm/lib.sh"
. "$VM_TOP/tests/vm/agent.sh"
. "$VM_TOP/tests/interop/strongswan.sh"

load_esptun
two_hosts
lans
ours endpoint=
agent west
charon 'keep_alive = 5s'
swan conn='dpd_delay = 10s' child='start_action = start
dpd_action = restart
close_action = start'
check "strongSwan begins: up" wait_for 20 state_is west up
check "traffic passes" pings east 10.1.0.1 -I 10.2.0.1
meter east roam 10.1.0.1 -I 10.2.0.1
sleep 2
must ip -n east addr add 192.0.2.22/24 dev e0
must ip -n east addr del 192.0.2.2/24 dev e0
# The second address of a network goes with the first.
wait_for 5 in_quiet east ip addr replace 192.0.2.22/24 dev e0
wait_for 60 answered east 10.1.0.1 -I 10.2.0.1
sleep 2
meter_end roam
check "another address: dark for at most 30 s" test "$gap" -le 300
kill -0 "$charon_pid"
is "strongSwan did not crash" "$?" 0
check "nor did esptund" agent_stop west
finish
