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
conf west vpn0 <<-END
[Tunnel]
LocalID = west.example
Address = 10.9.0.1/32
[Peer]
Endpoint = 192.0.2.2
RemoteID = east.example
PSK = $AGENT_PSK
Routes = 10.9.0.2/32
Liveness = 10
END
conf east vpn0 <<-END
[Tunnel]
LocalID = east.example
Address = 10.9.0.2/32
[Peer]
RemoteID = west.example
PSK = $AGENT_PSK
Routes = 10.9.0.1/32
Liveness = 5
END
agent east
agent west
wait_for 20 state_is west up || bail "no tunnel"

# ---- the wall clock -------------------------------------------------------------------------

spi=$(of west '.ike."spi_i"')
for jump in '+400 days' '-800 days' '@100' '2027-01-01'; do
	must date -s "$jump" > /dev/null
	sleep 8 # longer than the liveness of the east
	check "the clock jumps ($jump): nothing is lost" pings west 10.9.0.2
done
is "it is the same IKE SA" "$(of west '.ike."spi_i"')" "$spi"
like "its age makes sense" "$(of west .ike.age)" '^[0-9]{2,3}(\.|$)'

# ---- an agent that stands still --------------------------------------------------------------

answered() {
	in_quiet west ping -n -c 1 -W 1 10.9.0.2
}
kill -STOP "${agent_pid[west]}"
check "the peer gives up" wait_for 150 state_is east down
kill -CONT "${agent_pid[west]}"
check "after a pause traffic is back within 40 s" wait_for 40 answered

# ---- power cuts -------------------------------------------------------------------------------

for _ in 1 2 3 4 5; do
	agent_stop west KILL
	agent_stop east KILL
	agent east
	agent west
done
check "both agents killed and started five times: traffic passes" wait_for 30 answered
one_pair() {
	[ "$(in_quiet west esptun -j sa show dev vpn0 | jq length)" = 2 ]
}
check "and one pair is left" wait_for 60 one_pair
finish
