#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-tier: full
# vm-timeout: 300
#
# Encap of the agent with strongSwan, which has plain ESP where it sees no NAT: begun by either end,
# rekeyed, with a NAT on the path, and with strongSwan claiming one.

# shellcheck disable=SC2154 # $answer, $status are of strongswan.sh
. "$VM_TOP/tests/vm/lib.sh"
. "$VM_TOP/tests/vm/agent.sh"
. "$VM_TOP/tests/interop/strongswan.sh"

# encap WORD [KEY=VALUE...]: our side.
encap() {
	ours selectors="10.1.0.0/24 = 10.2.0.0/24" "${@:2}"
	sed -i "\$a Encap = $1" /run/conf/west/vpn0.conf
}
on_the_wire() { # what IP protocols ESP packets of a ping have; IKE has zeros in front
	start west /run/wire.log tcpdump -i w0 -nn -v 'ip proto 50 or (udp and udp[8:4] != 0)'
	local pid=$started
	wait_for 10 holds /run/wire.log 'listening on'
	pings west 10.2.0.1 -I 10.1.0.1 > /dev/null 2>&1
	sleep 0.5
	stop "$pid"
	grep -oE 'proto (ESP|UDP)' /run/wire.log | awk '{ print $2 }' | sort -u | xargs
}
crossed() { # WHAT ESP|UDP
	check "$1: packets cross" wait_for 10 pings west 10.2.0.1 -I 10.1.0.1
	is "$1: in this" "$(on_the_wire)" "$2"
}

load_esptun
two_hosts
lans
charon

# ---- no NAT --------------------------------------------------------------------------------

swan
encap auto
agent west
we_begin
is "we begin: up" "$status" 0
crossed "we begin" ESP
is "status tells it" "$(of west .ike.encap)" esp
like "so does the kernel" "$(at west esptun peer show dev vpn0)" 'encap esp'
unlike "and strongSwan" "$(their_sas)" 'in-UDP'

begin_anew
encap esp begin=listen
they_begin
is "strongSwan begins: up" "$status" 0
crossed "strongSwan begins" ESP

begin_anew
swan child='rekey_time = 5s
life_time = 20s
rand_time = 0
replay_window = 1024'
encap auto rekey="16s, 7s"
we_begin
is "both ends rekey: up" "$status" 0
check "both ends rekey: packets cross" wait_for 10 pings west 10.2.0.1 -I 10.1.0.1
start west rekey.log ping -n -i 0.2 -c 100 -W 5 -I 10.1.0.1 10.2.0.1
wait_for 120 gone "$started"
like "none is lost" "$(grep received rekey.log)" '^100 packets transmitted, 100 received'
crossed "rekeyed" ESP

# ---- strongSwan claims a NAT -----------------------------------------------------------------

begin_anew
swan conn='encap = yes'
encap auto
we_begin
is "it claims a NAT: up" "$status" 0
crossed "it claims a NAT" UDP
is "status tells it, too" "$(of west .ike.encap)" udp

begin_anew
encap esp
we_begin
unlike "Encap = esp, and it claims a NAT: not up" "$status" '^0$'
like "and that is said" "$answer" 'there is a NAT on the path.*Encap=auto'
refuse "nothing crosses" '0 received|Unreachable|unreachable' at west ping -n -c 1 -W 1 -I 10.1.0.1 10.2.0.1

# ---- a NAT: our port is another one outside ----------------------------------------------------

tell west down vpn0 > /dev/null 2>&1
must at west nft add table ip nat
must at west nft add chain ip nat post '{ type nat hook postrouting priority 100; }'
must at west nft add rule ip nat post oifname w0 meta l4proto udp masquerade to :20000-30000
swan
encap auto
we_begin
is "behind a NAT: up" "$status" 0
crossed "behind a NAT" UDP
is "we are behind it" "$(of west .ike.nat_local)" true
like "strongSwan sees it" "$(their_sas)" 'in-UDP'
check "esptund did not crash" agent_stop west
finish
