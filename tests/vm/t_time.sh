#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-timeout: 400
# vm-tier: full
#
# The wall clock jumps, the agent stands still while its peer gives up (a suspended machine, a
# paused container), and a whole laboratory loses power again and again.

. "$VM_TOP/tests/vm/lib.sh"
. "$VM_TOP/tests/vm/agent.sh"

load_esptun
two_hosts
pair_conf west east 10.9.0.1 10.9.0.2 'Endpoint = 192.0.2.2' 'Liveness = 10'
pair_conf east west 10.9.0.2 10.9.0.1 'Liveness = 5'
agent east
agent west
wait_for 20 state_is west up || bail "no tunnel"

# ---- the wall clock -------------------------------------------------------------------------

spi=$(of west '.ike."spi_i"')
for jump in '+400 days' '-800 days' '@100000000' '2027-01-01'; do
	must date -s "$jump" > /dev/null
	sleep 8 # longer than the liveness of the east
	check "the clock jumps ($jump): nothing is lost" pings west 10.9.0.2
done
is "it is the same IKE SA" "$(of west '.ike."spi_i"')" "$spi"
like "its age makes sense" "$(of west .ike.age)" '^[0-9]{2,3}(\.|$)'

# ---- an agent that stands still --------------------------------------------------------------

kill -STOP "${agent_pid[west]}"
check "the peer gives up" wait_for 150 state_is east down
kill -CONT "${agent_pid[west]}"
# A question to the peer, which does not know the IKE SA any more, is given up after 63.5 s.
check "after a pause traffic is back within 75 s" within 75 answered west 10.9.0.2

# ---- power cuts -------------------------------------------------------------------------------

for _ in 1 2 3 4 5; do
	agent_stop west KILL
	agent_stop east KILL
	agent east
	agent west
done
check "both agents killed and started five times: traffic passes" wait_for 30 answered west 10.9.0.2
one_pair() {
	[ "$(in_quiet west esptun -j sa show dev vpn0 | jq length)" = 2 ]
}
check "and one pair is left" wait_for 60 one_pair
finish
