#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-tier: full
# vm-timeout: 320
#
# Two clients with addresses of a hub's pool reach one another, until ClientToClient = no.
#
#   c1 192.0.1.1 ---- 192.0.1.2 hub 192.0.2.2 ---- 192.0.2.1 c2

. "$VM_TOP/tests/vm/lib.sh"
. "$VM_TOP/tests/vm/agent.sh"

# hub_conf [LINE of Pool...]
hub_conf() {
	{
		printf '[Tunnel]\nLocalID = hub.example\nAddress = 10.9.0.1/24\n'
		printf '[Peer]\nRemoteID = *.example\nPSK = %s\nClients = 8\n[Pool]\nRange = 10.9.0.0/24\n' "$AGENT_PSK"
		[ $# = 0 ] || printf '%s\n' "$@"
	} | conf hub vpn0
}

rules() {
	ip -n hub rule | grep -c 'iif vpn0 .*prohibit'
}

rules_are() {
	[ "$(rules)" = "$1" ]
}

load_esptun
add_ns hub c1 c2
for n in 1 2; do
	wire "c$n" w0 "192.0.$n.1/24" hub "w$n" "192.0.$n.2/24"
	conf "c$n" vpn0 <<-END
	[Tunnel]
	LocalID = c$n.example
	Address = request
	[Peer]
	Endpoint = 192.0.$n.2
	RemoteID = hub.example
	PSK = $AGENT_PSK
	Routes = 10.9.0.0/24
	END
done
in_quiet hub sysctl -qw net.ipv4.ip_forward=1
hub_conf
agent hub
for n in 1 2; do
	agent "c$n"
	wait_for 20 state_is "c$n" up || bail "c$n does not come up"
	is "c$n has its address" "$(of "c$n" '.lease[0]')" "10.9.0.$((n + 1))"
done
is "no rule by default" "$(rules)" 0
check "clients reach one another" pings c1 10.9.0.3

hub_conf 'ClientToClient = no'
tell hub reload > /dev/null
check "rules are there" wait_for 5 rules_are 14
refuse "no more" '100% packet loss' in_quiet c1 ping -q -c 2 -W 1 10.9.0.3
refuse "in no direction" '100% packet loss' in_quiet c2 ping -q -c 2 -W 1 10.9.0.2
check "the hub's own address is reached" pings c1 10.9.0.1
check "from both" pings c2 10.9.0.1
is "the clients are the same" "$(of hub .n_clients)" 2

must ip -n hub rule del priority 69 iif vpn0 to 10.9.0.2/31
check "a rule that is taken away comes back" wait_for 10 rules_are 14
like "which is said" "$(said hub 'put back')" 'rule to 10.9.0.2/31'
must agent_stop hub
is "rules outlive the agent" "$(rules)" 14
agent hub
# rename FROM TO: 6.1 renames no netdevice that is up.
rename() {
	must ip -n hub link set "$1" down
	must ip -n hub link set "$1" name "$2"
	must ip -n hub link set "$2" up
}
rename vpn0 hub0
check "and follow the netdevice's name" wait_for 10 eval 'ip -n hub rule | grep -q "iif hub0 .*prohibit"'
rename hub0 vpn0
check "back, too" wait_for 10 rules_are 14

# In a VRF packets come from that, as far as rules see: then it is said that there is no way.
modprobe vrf
must ip -n hub link add red type vrf table 100
must ip -n hub link set red up
must ip -n hub link set vpn0 master red
check "in a VRF the status says that clients are not kept apart" \
	wait_for 20 eval '[[ $(of hub .error) == *"no effect while vpn0 is in a VRF"* ]]'
must ip -n hub link set vpn0 nomaster
must ip -n hub link del red
check "and nothing when it is out again" wait_for 45 eval '[ "$(of hub .error)" = null ]'
check "rules are there again" wait_for 5 rules_are 14
check "the hub is reached again" wait_for 20 pings c1 10.9.0.1
refuse "and clients apart" '100% packet loss' in_quiet c1 ping -q -c 2 -W 1 10.9.0.3

hub_conf
tell hub reload > /dev/null
check "they go with the word" wait_for 5 rules_are 0
check "and clients reach one another again" pings c1 10.9.0.3
hub_conf 'ClientToClient = no'
tell hub reload > /dev/null
check "once more" wait_for 5 rules_are 14
must tell hub down vpn0
is "they go with the netdevice" "$(rules)" 0
finish
