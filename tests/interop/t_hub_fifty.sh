#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-tier: full
# vm-timeout: 1200
#
# esptund (hub) with fifty strongSwans as its clients, which all come at once: each gets what is its own.
# The hub's agent is killed and starts anew, and loses none of them.

. "$VM_TOP/tests/vm/lib.sh"
. "$VM_TOP/tests/vm/agent.sh"
. "$VM_TOP/tests/interop/hub.sh"

all=$(seq 50)
for n in $all; do
	key[$n]=$AGENT_PSK-$n
done

# each WHAT: a packet to each client and back; how many are not answered.
each() {
	local n lost=''
	for n in $all; do
		wait_for 10 answered hub "10.2.$n.1" -I 10.1.0.1 || lost+=" c$n"
	done
	is "$1: each is reached" "$lost" ""
}

load_esptun
hub
for n in $all; do
	client "$n"
done
for n in $all; do
	charon_up "$n"
done
conf hub vpn0 <<END
[Tunnel]
LocalID = hub.example
[Peer]
RemoteID = *.example
Clients = 60
Routes = 10.2.0.0/16
Selectors = 10.1.0.0/24 = 10.2.0.0/16
Secrets = /run/conf/hub/clients
END
for n in $all; do
	echo "c$n.example = ${key[$n]}"
done > /run/conf/hub/clients
chmod 600 /run/conf/hub/clients
agent hub

# ---- all at once -------------------------------------------------------------------------

for n in $all; do
	begin "$n" &
	begins[n]=$!
done
failed=''
for n in $all; do
	wait "${begins[n]}" || failed+=" c$n"
done
is "all come at once" "$failed" ""
check "the hub has fifty clients" wait_for 20 n_clients_are 50
networks=$(for n in $all; do echo "c$n.example 10.2.$n.0/24"; done | sort)
is "each with its own network" "$(clients '(.id + " " + .children[0].remote_ts[0] + ";")' |
	sed 's/; */\n/g' | sed '/^$/d' | sort)" "$networks"
each "fifty clients"
is "no SA is there twice" "$(ip netns exec hub esptun -j sa show dev vpn0 | jq length)" 100

# ---- the hub's agent starts anew ---------------------------------------------------------------

agent_stop hub KILL
each "without an agent"
agent hub
is "all are known again" "$(clients .id | tr ' ' '\n' | sort -V | xargs)" \
	"$(for n in $all; do echo "c$n.example"; done | xargs)"
each "with a new agent"
quietly in_quiet c50 swanctl --terminate --ike hub --force
check "one comes again: the place it had" begin 50
is "and there are fifty still" "$(of hub .n_clients)" 50
each "one came again"

check "esptund did not crash" agent_stop hub
finish
