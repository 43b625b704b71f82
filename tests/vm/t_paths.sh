#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-tier: full
# vm-timeout: 250
#
# The way to the peer: missing, wrong, or there at last. What the status and `esptun up` say,
# and that a tunnel does not wait for a timer once there is a way.

. "$VM_TOP/tests/vm/lib.sh"
. "$VM_TOP/tests/vm/agent.sh"

west_conf() { # ENDPOINT [LINE of Tunnel...]
	local endpoint=$1
	shift
	{
		printf '[Tunnel]\nLocalID = west.example\nAddress = 10.9.0.1/32\n'
		printf '%s\n' "$@"
		printf '[Peer]\nEndpoint = %s\nRemoteID = east.example\nPSK = %s\n' "$endpoint" "$AGENT_PSK"
		printf 'Routes = 10.9.0.2/32\n'
	} | conf west vpn0
}

error_is() { # PATTERN
	[[ $(of west .error) =~ $1 ]]
}

# A request goes out again 15.5 s after the first one, and then 31.5 s after it.
LONG=17
# up_after NAME: comes up before such a timer is due, LONG seconds after the first request; fast
# machines take one second.
up_after() {
	local began=${EPOCHREALTIME/./}
	within 12 state_is west up
	result $? "$1"
	echo "# $(((${EPOCHREALTIME/./} - began) / 1000)) ms"
}

modprobe vrf
load_esptun
two_hosts
pair_conf east west 10.9.0.2 10.9.0.1
agent east

# ---- a machine without network ------------------------------------------------------------

must ip -n west addr del 192.0.2.1/24 dev w0
must ip -n west link set w0 down
west_conf 192.0.2.2
agent west
check "without a route: the status says so" wait_for 5 error_is 'no route to 192.0.2.2'
is "and that it goes on trying" "$(of west .state)" connecting
answer=$(tell west up vpn0 2>&1)
like "up says so at once" "$answer" 'no route to 192.0.2.2'
sleep $LONG
must ip -n west link set w0 up
must ip -n west addr add 192.0.2.1/24 dev w0
up_after "address and route come: up at once"
is "nothing is wrong any more" "$(of west .error)" null
like "the log tells" "$(said west 'can be reached')" 'from 192.0.2.1'
check "traffic passes" pings west 10.9.0.2

# The name server is behind the same wire.
mkdir -p /run/dns
echo 'vpn.test A 192.0.2.2' > /run/dns/zone
start east /run/dns.log "$PYTHON" "$VM_LIB/resolver.py" 192.0.2.2 /run/dns
wait_for 30 holds /run/dns.log ready || bail "$(cat /run/dns.log)"
mkdir -p /etc/netns/west
echo 'nameserver 192.0.2.2' > /etc/netns/west/resolv.conf
must tell west down vpn0
agent_stop west
must ip -n west link set w0 down
west_conf vpn.test
agent west
sleep $LONG
must ip -n west link set w0 up
up_after "with a name, too"

# ---- carrier ---------------------------------------------------------------------------------

must tell west down vpn0
west_conf 192.0.2.2
must ip -n east link set e0 down
tell west reload > /dev/null
tell west up vpn0 timeout 1 > /dev/null 2>&1
sleep $LONG
like "without carrier: connecting, and how far it came" "$(tell west status)" \
	'attempt 1 IKE_SA_INIT sent [5-7] times, no answer again in [0-9.]+s'
is "as JSON has it" "$(of west '"\(.state) \(.step) \(.attempt)"')" "connecting IKE_SA_INIT 1"
must ip -n east link set e0 up
up_after "the cable is in: up at once"

# ---- a firewall of our own ------------------------------------------------------------------

must tell west down vpn0
must at west nft add table ip t
must at west nft add chain ip t out '{ type filter hook output priority 0; }'
must at west nft add rule ip t out udp dport 500 drop
refuse "what cannot be sent is told from what is not answered" \
	'nothing can be sent to 192.0.2.2:500: Operation not permitted' tell west up vpn0 timeout 3
like "the status tells, too" "$(tell west status)" 'sending failed: Operation not permitted'
must at west nft delete table ip t

# ---- what cannot work ---------------------------------------------------------------------------

must tell west down vpn0
west_conf 192.0.2.1
tell west reload > /dev/null
refuse "an own address as endpoint is told from a silent peer" "192.0.2.1 is one of this machine's own" \
	tell west up vpn0
west_conf 192.0.2.2 'Local = 192.0.2.77'
tell west reload > /dev/null
refuse "a Local that is none of ours is an error" 'Local = 192.0.2.77 is no address of this machine' \
	tell west up vpn0
is "of which the status knows" "$(of west .state)" failed
must ip -n west addr add 192.0.2.77/24 dev w0
up_after "the address comes: up at once"
like "from there" "$(of west .ike.local)" '^192.0.2.77:'

# ---- VRF ------------------------------------------------------------------------------------------

must tell west down vpn0
west_conf 192.0.2.2
must ip -n west link add wan type vrf table 100
must ip -n west link set wan up
must ip -n west link set w0 master wan
tell west reload > /dev/null
refuse "an underlay in a VRF: what is missing is named" 'only in VRF wan: set FwMark.* lookup 100 .*udp_l3mdev_accept' \
	tell west up vpn0
must at west ip rule add fwmark 7 lookup 100
in_quiet west sysctl -qw net.ipv4.udp_l3mdev_accept=1
west_conf 192.0.2.2 'FwMark = 7'
tell west reload > /dev/null
check "done as told: up" tell west up vpn0
check "traffic passes" pings west 10.9.0.2

# The inside in another one: the netdevice is the user's, its routes go where it is.
must tell west down vpn0
must ip -n west link add customers type vrf table 200
must ip -n west link set customers up
must at west ip link add vpn0 type esptun fwmark 7
must ip -n west link set vpn0 master customers
west_conf 192.0.2.2 'FwMark = 7' 'Table = 200'
tell west reload > /dev/null
check "the inside in a VRF: up" tell west up vpn0
check "traffic passes there" pings west 10.9.0.2 -I customers
finish
