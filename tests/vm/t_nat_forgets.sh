#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-tier: full
# vm-timeout: 500
#
# The NAT in front of one side is renumbered, or forgets, while only the other side sends
# (monitoring, backups that are fetched). A keepalive of one octet opens a new binding but
# proves nothing, so traffic is back after liveness's next exchange.
#
#   lana 10.1.0.2 ---- gwa ---- nat ---- gwb 198.51.100.2 ---- 10.2.0.2 lanb

# shellcheck disable=SC2154 # $gap is of agent.sh
. "$VM_TOP/tests/vm/lib.sh"
. "$VM_TOP/tests/vm/agent.sh"

load_esptun
two_sites > /dev/null
conf gwa hq <<-END
[Tunnel]
LocalID = branch.example
[Peer]
Endpoint = 198.51.100.2
RemoteID = hq.example
PSK = $AGENT_PSK
Routes = 10.2.0.0/24
END
conf gwb branch <<-END
[Tunnel]
LocalID = hq.example
[Peer]
RemoteID = branch.example
PSK = $AGENT_PSK
Routes = 10.1.0.0/24
END
agent gwb
agent gwa
wait_for 20 state_is gwa up || bail "no tunnel"
check "traffic passes" pings lanb 10.1.0.2

# renumber OLD NEW: the NAT's outer address.
renumber() {
	must at nat ip addr add "$2/24" dev out0
	must at nat ip addr del "$1/24" dev out0
	# The second address of a network goes with the first.
	wait_for 5 in_quiet nat ip addr replace "$2/24" dev out0
}
meter lanb fetch 10.1.0.2
sleep 2
renumber 198.51.100.1 198.51.100.7
sleep 45
meter_end fetch
check "renumbered while the far side sends: dark for at most 35 s" test "$gap" -le 350
meter lana push 10.2.0.2
sleep 2
renumber 198.51.100.7 198.51.100.8
sleep 8
meter_end push
check "renumbered while this side sends: dark for at most 3 s" test "$gap" -le 30

in_quiet nat sysctl -qw net.netfilter.nf_conntrack_udp_timeout=30 net.netfilter.nf_conntrack_udp_timeout_stream=30
sleep 75
check "idle for 75 s, bindings live for 30 s: reached at once" pings lanb 10.1.0.2
finish
