#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-timeout: 600
# vm-tier: full
#
# A branch behind a NAT loses its cable, its route, its address: traffic is back soon after
# there is a way again.
#
#   branch 192.168.7.2 ---- 192.168.7.1 nat 203.0.113.1 ---- 203.0.113.2 hub

. "$VM_TOP/tests/vm/lib.sh"
. "$VM_TOP/tests/vm/agent.sh"

# back_within SECONDS NAME: traffic passes again by then.
back_within() {
	local began=${EPOCHREALTIME/./}
	within "$1" answered branch 10.9.0.2
	result $? "$2"
	echo "# $(((${EPOCHREALTIME/./} - began) / 1000)) ms"
}

load_esptun
add_ns branch nat hub
wire branch b0 192.168.7.2/24 nat n0 192.168.7.1/24
wire nat n1 203.0.113.1/24 hub h0 203.0.113.2/24
must ip -n branch route add default via 192.168.7.1
in_quiet nat sysctl -qw net.ipv4.ip_forward=1
must at nat nft add table ip nat
must at nat nft add chain ip nat post '{ type nat hook postrouting priority 100; }'
must at nat nft add rule ip nat post oifname n1 masquerade
pair_conf branch hub 10.9.0.1 10.9.0.2 'Endpoint = 203.0.113.2' 'Liveness = 10'
pair_conf hub branch 10.9.0.2 10.9.0.1 'Liveness = 10'
agent hub
agent branch
wait_for 20 state_is branch up || bail "no tunnel"
check "traffic passes" answered branch 10.9.0.2

# ---- a cable that is out for a moment ------------------------------------------------------

start branch /run/flap.ping ping -n -i 0.2 -W 1 10.9.0.2
must ip -n branch link set b0 down
sleep 5
like "without a route: the status says so" "$(of branch .error)" 'no route to 203.0.113.2'
must ip -n branch link set b0 up
must ip -n branch route replace default via 192.168.7.1
back_within 10 "a cable out for 5 s: traffic is back within 10 s"
stop $started
is "the status is well" "$(of branch .error)" null

# ---- another address -------------------------------------------------------------------------

must ip -n branch addr add 192.168.7.3/24 dev b0
must ip -n branch addr del 192.168.7.2/24 dev b0
ip -n branch addr add 192.168.7.3/24 dev b0 2> /dev/null
must ip -n branch route replace default via 192.168.7.1
back_within 30 "an address that is replaced is followed within 30 s"
check "and the tunnel stays up" state_is branch up
finish
