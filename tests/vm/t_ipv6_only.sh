#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-tier: full
# vm-timeout: 300
#
# IPv6 alone inside, and a tunnel that starts with traffic: while no SA is there the link is
# dormant, and Linux treats IPv6 on such a link in ways of its own. A packet of the host, a
# forwarded one, and one that only a default route leads into the tunnel have to raise it.
#
#   lan fd00:1::2 ---- fd00:1::1 west fd00:9::1 ==== fd00:9::2 east

# shellcheck source=tests/vm/lib.sh
. "$VM_TOP/tests/vm/lib.sh"
# shellcheck source=tests/vm/agent.sh
. "$VM_TOP/tests/vm/agent.sh"

load_esptun
two_hosts
add_ns lan
must ip link add l0 netns lan type veth peer name w1 netns west
must ip -n lan addr add fd00:1::2/64 dev l0 nodad
must ip -n west addr add fd00:1::1/64 dev w1 nodad
must ip -n lan link set l0 up
must ip -n west link set w1 up
must ip -n lan -6 route add default via fd00:1::1
in_quiet west sysctl -qw net.ipv6.conf.all.forwarding=1
west_conf() { # ROUTES
	conf west vpn0 <<-END
	[Tunnel]
	LocalID = west.example
	Address = fd00:9::1/128
	[Peer]
	Endpoint = 192.0.2.2
	RemoteID = east.example
	PSK = $AGENT_PSK
	Routes = $1
	Start = traffic
	END
}
conf east vpn0 <<END
[Tunnel]
LocalID = east.example
Address = fd00:9::2/128
[Peer]
RemoteID = west.example
PSK = $AGENT_PSK
Routes = fd00:9::1/128, fd00:1::/64
END
# raises NAME NS: pings from there pass, perhaps not the first one, and the tunnel is up.
raises() {
	check "$1: the tunnel waits" wait_for 20 state_is west down
	at "$2" ping -n -c 4 -i 1 -W 10 fd00:9::2 | tee /run/ping.log | tail -n 3
	like "$1: pings pass" "$(cat /run/ping.log)" ' [234] received'
	is "$1: it is up" "$(of west .state)" up
}
agent east
west_conf fd00:9::2/128
agent west
raises "a packet of the host" west
must tell west down vpn0
agent_stop west
agent west
raises "a forwarded packet" lan
must tell west down vpn0
agent_stop west
west_conf ::/0
agent west
raises "by the default route" west
agent_stop west
agent_stop east
finish
