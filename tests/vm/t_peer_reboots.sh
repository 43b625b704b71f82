#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-tier: full
# vm-timeout: 900
#
# The other side reboots without a word and knows no SA any more. The tunnel is dark for
# the time of liveness and two copies of a request after that, and only for moments where the
# side that comes back begins.

# shellcheck disable=SC2154 # $gap is of agent.sh
. "$VM_TOP/tests/vm/lib.sh"
. "$VM_TOP/tests/vm/agent.sh"

reboot_east() {
	agent_stop east KILL
	must ip -n east link del vpn0
	must ip -n east link set e0 down
	sleep 2
	must ip -n east link set e0 up
	agent east
}

# west_conf [LINE of Peer...]
west_conf() {
	pair_conf west east 10.9.0.1 10.9.0.2 'Endpoint = 192.0.2.2' 'Liveness = 5' "$@"
}

# dark_at_most SECONDS NAME: while the east reboots, seen from the west.
dark_at_most() {
	meter west reboot 10.9.0.2
	sleep 2
	reboot_east
	# What is to be seen takes longer than what is allowed only if it fails.
	wait_for "$1" answered west 10.9.0.2
	sleep 2
	meter_end reboot
	check "$2: dark for at most $1 s" test "$gap" -le $(($1 * 10))
}

load_esptun
two_hosts
pair_conf east west 10.9.0.2 10.9.0.1
west_conf
agent east
agent west
wait_for 20 state_is west up || bail "no tunnel"
# An IKE SA that is younger than 10 s is not replaced for what an unprotected message says.
sleep 10
# Liveness of 5 s, copies of a request after 0.5, 1.5 and 3.5 s, and what else a slow machine takes.
dark_at_most 20 "one that only listens reboots"

west_conf 'Start = traffic'
must tell west reload
check "with Start = traffic: up by the first packets" wait_for 20 answered west 10.9.0.2
sleep 10
dark_at_most 20 "with Start = traffic, the listener reboots"

west_conf
must tell west reload
pair_conf east west 10.9.0.2 10.9.0.1 'Endpoint = 192.0.2.1'
must tell east reload
check "both begin: up" wait_for 20 answered west 10.9.0.2
dark_at_most 10 "one that begins by itself reboots"
one_pair() {
	[ "$(in_quiet west esptun -j sa show dev vpn0 | jq length)" = 2 ]
}
check "one pair of SAs is left" wait_for 20 one_pair

# Longer than retransmissions last, so that both have given up.
must ip -n east link set e0 down
check "the path is gone: the west notices" wait_for 120 state_is west connecting
sleep 30
must ip -n east link set e0 up
check "it is back: so is the tunnel within 65 s" within 65 answered west 10.9.0.2
finish
