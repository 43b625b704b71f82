#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-tier: full
# vm-timeout: 250
#
# Other programs take away what a tunnel needs: addresses, routes, the netdevice's state, name
# and place, the netdevice itself, SAs. The agent puts back what its file says, and says so.

. "$VM_TOP/tests/vm/lib.sh"
. "$VM_TOP/tests/vm/agent.sh"

west_conf() {
	conf west vpn0 <<-END
	[Tunnel]
	LocalID = west.example
	Address = 10.9.0.1/32, fd00:9::1/128
	[Peer]
	Endpoint = 192.0.2.2
	RemoteID = east.example
	PSK = $AGENT_PSK
	Routes = 10.9.0.2/32, 10.2.0.0/24, fd00:9::2/128
	END
}

complete() { # [DEVICE]
	local dev=${1:-vpn0} routes addresses
	routes=$(ip -n west route show dev "$dev"; ip -n west -6 route show dev "$dev")
	addresses=$(ip -n west addr show dev "$dev")
	[[ $routes == *10.9.0.2* && $routes == *10.2.0.0/24* && $routes == *fd00:9::2* &&
		$addresses == *10.9.0.1/32* && $addresses == *fd00:9::1/128* && $addresses == *,UP* ]]
}

error_is() { # PATTERN
	[[ $(of west .error) =~ $1 ]]
}

load_esptun
two_hosts
west_conf
conf east vpn0 <<-END
[Tunnel]
LocalID = east.example
Address = 10.9.0.2/32, fd00:9::2/128
[Peer]
RemoteID = west.example
PSK = $AGENT_PSK
Routes = 10.9.0.1/32, fd00:9::1/128
END
agent east
agent west
wait_for 20 state_is west up || bail "no tunnel"
check "all is there" complete

# ---- addresses, routes, state ------------------------------------------------------------

spis=$(of west '.child | ."spi_in" + ."spi_out"')
must ip -n west route flush dev vpn0
check "routes that went are put back" wait_for 10 complete
like "which is said, with their names" "$(said west 'put back')" 'route 10.2.0.0/24'
must ip -n west addr flush dev vpn0
check "addresses that went are put back, and the routes with them" wait_for 10 complete
must ip -n west link set vpn0 down
check "a netdevice that was taken down comes up, with all that was lost" wait_for 20 complete
like "which is said" "$(said west 'took the netdevice down')" vpn0
must ip -n west link set vpn0 down
must ip -n west link set vpn0 up
check "down and up at once: the routes come back" wait_for 15 complete
is "all the time the SAs are the same" "$(of west '.child | ."spi_in" + ."spi_out"')" "$spis"
check "traffic passes" pings west 10.9.0.2
check "IPv6, too" pings west fd00:9::2

must ip -n west route replace 10.2.0.0/24 dev w0
check "a route that another program put in our place: the status tells" \
	wait_for 10 error_is 'route to 10.2.0.0/24 exists already'
is "the tunnel is up all the same" "$(of west .state)" up
must ip -n west route del 10.2.0.0/24 dev w0
tell west reload > /dev/null
check "reload puts ours back" wait_for 5 complete
is "and nothing is wrong any more" "$(of west .error)" null

# ---- SAs ---------------------------------------------------------------------------------

another_pair() {
	state_is west up && [ "$(of west '.child | ."spi_in" + ."spi_out"')" != "$spis" ] &&
		[ "$(of west '.child != null')" = true ]
}
must at west esptun sa flush dev vpn0
check "SAs that another program removed are replaced" wait_for 60 another_pair
like "the log says what happened" "$(said west removed)" 'removed by another program'
unlike "not that a limit was reached" "$(cat "$VM_OUT/esptund-west.part")" 'reached its limit'
check "traffic passes" pings west 10.9.0.2

# ---- the netdevice -----------------------------------------------------------------------

# On a slow machine the agent may have it up in between.
renamed() {
	ip -n west link set vpn0 down && ip -n west link set vpn0 name other
}
must wait_for 30 renamed
check "a renamed netdevice is noticed" wait_for 5 error_is 'renamed the netdevice to other'
check "and kept complete" wait_for 20 complete other
check "traffic passes" pings west 10.9.0.2
is "the status shows it" "$(of west .link.running)" true
mtu=$(of west .link.mtu)
must ip -n west link set other mtu 1300
is "an MTU that another program set is shown" "$(of west .link.mtu)" 1300
must ip -n west link set other mtu "$mtu"
is "also set back" "$(of west .link.mtu)" "$(ip -n west -j link show other | jq .[0].mtu)"
must tell west down vpn0
check "down leaves no netdevice behind" no_link west other
must tell west up vpn0
check "up makes a new one" complete

must ip -n west link del vpn0
check "a removed netdevice is made again" wait_for 30 complete
check "and the tunnel comes up" wait_for 20 state_is west up
check "traffic passes" pings west 10.9.0.2

add_ns box
must ip -n west link set vpn0 netns box
must ip -n box link set vpn0 up
must ip -n box addr add 10.9.0.1/32 dev vpn0
must ip -n box route add 10.9.0.2/32 dev vpn0
check "a netdevice moved to another network namespace is noticed" \
	wait_for 5 error_is 'moved the netdevice to another network namespace'
check "traffic passes there" pings box 10.9.0.2
sleep 3
check "none is made in its place" no_link west vpn0
check "traffic still passes" pings box 10.9.0.2
finish
