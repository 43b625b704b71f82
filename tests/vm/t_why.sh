#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-timeout: 700
# vm-tier: full
#
# esptun why where it needs the module: each thing is broken alone, and it is the one that is named. What keeps
# an IKE SA from coming up is in tests/sock/t_why.sh.
#
#   west 192.0.2.1 --- 192.0.2.254 mid 198.51.100.254 --- 198.51.100.2 east

. "$VM_TOP/tests/vm/lib.sh"
. "$VM_TOP/tests/vm/agent.sh"

# why NAME CHECK PATTERN [ARGUMENT...]: at the end $side the check finds the fault, those before it none, and those
# behind it are not made.
side=west
why() {
	local said code
	said=$(tell $side -j why vpn0 "${@:4}")
	code=$?
	sed "s/^/# /" <<< "$said"
	is "$1: exit code" "$code" 3
	is "$1: the check" "$(jq -r .check <<< "$said")" "$2"
	like "$1: the sentence" "$(jq -r .text <<< "$said")" "$3"
	is "$1: no other diagnosis" "$(jq -r '[.steps[] | select(.verdict != "ok")] | length' <<< "$said")" 1
	is "$1: nothing after it" "$(jq -r '.steps[-1].check' <<< "$said")" "$2"
}

# well NAME [ARGUMENT...]
well() {
	local said
	said=$(tell $side why vpn0 -v "${@:2}")
	is "$1" "$?" 0
	sed "s/^/# /" <<< "$said"
}

# fault NS [CHAIN-DEFINITION RULE]: a firewall there, or none any more.
fault() {
	in_quiet "$1" nft delete table inet broken 2> /dev/null
	[ $# -gt 1 ] || return 0
	must in_quiet "$1" nft add table inet broken
	must in_quiet "$1" nft add chain inet broken c "{ type filter hook $2; }"
	# shellcheck disable=SC2086 # words of a rule
	must in_quiet "$1" nft add rule inet broken c $3
}

# ESP in UDP: not the four zero bytes of IKE, and longer than a keepalive.
ESP='udp dport 4500 udp length > 12 @th,64,32 != 0'

add_ns west mid east
wire west w0 192.0.2.1/24 mid m0 192.0.2.254/24
wire mid m1 198.51.100.254/24 east e0 198.51.100.2/24
in_quiet mid sysctl -qw net.ipv4.ip_forward=1
must ip -n west route add default via 192.0.2.254
must ip -n east route add default via 198.51.100.254
single_packets west w0
single_packets mid m0 m1
single_packets east e0
pair_conf east west 10.9.0.2 10.9.0.1
pair_conf west east 10.9.0.1 10.9.0.2 'Endpoint = 198.51.100.2'

# ---- this machine ---------------------------------------------------------------------

echo /bin/false > /proc/sys/kernel/modprobe
rmmod esptun 2> /dev/null
why "the module is missing" module 'modprobe esptun'
echo /sbin/modprobe > /proc/sys/kernel/modprobe
load_esptun
why "the agent does not run" agent 'the agent is not running'
start west /run/taken.log "$PYTHON" -c \
	'import socket,time; s=socket.socket(2,2); s.bind(("",4500)); print("ready",flush=True); time.sleep(600)'
taken=$started
wait_for 10 holds /run/taken.log ready
agent east
agent west
wait_for 20 state_is west failed
why "another daemon has port 4500" 'port 4500' "UDP port 4500 is taken by python3.* \(process $taken\)"
stop "$taken"
agent_stop west
must ip -n west route del default
agent west
wait_for 20 state_is west connecting
why "no route" route 'there is no route to 198.51.100.2'
must ip -n west route add default via 192.0.2.254
wait_for 60 state_is west up || bail "no tunnel"
well "a tunnel that works"
said=$(tell west check vpn0)
is "check of a tunnel that works" "$?" 0
sed "s/^/# /" <<< "$said"
like "check: all keys are new" "$said" '^ok      rekeying: IKE SA and child SAs, 2 in all, have new keys'
like "check: no echo request is lost" "$said" '^ok      meanwhile: ([0-9]+) of \1 echo requests had an answer'
like "check: sizes" "$said" '^ok      MTU: packets of 14[0-9][0-9] bytes pass'
check "check: in ten lines" test "$(wc -l <<< "$said")" -le 10
tell west down vpn0 > /dev/null
why "taken down" netdevice 'esptun up vpn0'
must tell west up vpn0 > /dev/null
fault west 'output priority 0' 'udp dport 4500 drop'
tell west down vpn0 > /dev/null
tell west up vpn0 timeout 2 > /dev/null 2>&1
why "a firewall of ours drops what the module sends" "peer's port 4500" \
	'(nothing can be sent|none leaves this machine)'
fault west
wait_for 60 state_is west up || bail "no tunnel"

# ---- packets in the tunnel -----------------------------------------------------------------

fault west 'output priority 0' "$ESP drop"
why "a firewall of ours drops ESP" ESP 'ESP is sent, and none leaves this machine'
fault west 'input priority 0' "$ESP drop"
why "a firewall of ours drops ESP that comes" ESP 'reaches this machine, and is not taken: a firewall'
fault west
fault mid 'forward priority 0' "ip daddr 192.0.2.1 $ESP drop"
why "ESP is lost on the way here" ESP 'ESP leaves this machine by w0 .*none of the peer comes back'
fault mid 'forward priority 0' "ip saddr 192.0.2.1 $ESP drop"
meter east busy 10.9.0.1
sleep 1
why "ESP is lost on the way there, and the peer sends" ESP 'ESP of the peer comes in .*what is sent there does not reach the peer'
fault mid
meter_end busy
why "nobody has that address" ESP '10.9.0.77 answers no echo requests|enters no SA' to 10.9.0.77
well "mended, and an address by name of the user" to 10.9.0.2

# A narrow router, whose ICMP is dropped.
must ip -n mid link set m1 mtu 1300
must ip -n east link set e0 mtu 1300
must in_quiet mid nft add table ip mute
must in_quiet mid nft add chain ip mute out '{ type filter hook output priority 0; }'
must in_quiet mid nft add rule ip mute out icmp type destination-unreachable drop
why "a black hole of path MTU discovery" MTU 'packets of 14[0-9][0-9] bytes are lost .*those of 12[0-9][0-9] pass'
must in_quiet mid nft delete table ip mute
well "the router says what fits"
# Fragments are dropped before the other end joins them.
must in_quiet east nft add table ip whole
must in_quiet east nft add chain ip whole in '{ type filter hook prerouting priority -450; }'
must in_quiet east nft add rule ip whole in 'ip frag-off & 0x3fff != 0' drop
why "fragments are dropped" fragments 'ESP passes, and its fragments do not: packets of up to 12[0-9][0-9] bytes pass'
must in_quiet east nft delete table ip whole
well "mended"
must ip -n mid link set m1 mtu 1500
must ip -n east link set e0 mtu 1500

# ---- a NAT ------------------------------------------------------------------------------------

# anew NAME: both agents begin with their files as they are now, and with no SAs: where the west is
# behind a NAT the east must not know another address of it from before.
anew() {
	agent_stop west
	agent_stop east
	must ip -n west link del vpn0
	must ip -n east link del vpn0
	agent east
	agent west
	wait_for 60 state_is west up || bail "$1: no tunnel"
}

# At once: what passes before the rule is there is never translated.
must in_quiet mid nft 'add table ip nat; add chain ip nat post { type nat hook postrouting priority 100; }
	add rule ip nat post oifname m1 masquerade'
anew "behind a NAT"
well "behind a NAT that remembers"
like "it was tried" "$(tell west why vpn0 -v)" '^ok      NAT: (the NAT in front of this machine remembers for 17 s|other packets keep)'
in_quiet mid sysctl -qw net.netfilter.nf_conntrack_udp_timeout=10 net.netfilter.nf_conntrack_udp_timeout_stream=10
why "a NAT that forgets before the keepalive" NAT 'forgets within 17 s, and Keepalive = 20 comes too late: .*set Keepalive = 8'
pair_conf west east 10.9.0.1 10.9.0.2 'Endpoint = 198.51.100.2' 'Keepalive = 8'
anew "with the keepalive that it says"
well "the keepalive that it says is often enough"
must in_quiet mid nft delete table ip nat

# ---- a hub, and one of its clients --------------------------------------------------------------

pair_conf east '*' 10.9.0.2 10.9.0.1 'Clients = 4' 'Selectors = 10.9.0.2/32 = 10.9.0.0/24'
pair_conf west east 10.9.0.1 10.9.0.2 'Endpoint = 198.51.100.2' 'Selectors = 10.9.0.1/32 = 10.9.0.2/32'
anew "a hub"
side=east
said=$(tell east why vpn0)
is "a hub, and nobody says which client: it cannot be told" "$?" 3
like "and what to do" "$said" "^vpn0: ESP: (clients that are connected: 1|client 'west.example' was sent).*esptun why vpn0 to ADDRESS"
well "a client, by an address behind it" to 10.9.0.1
why "an address that no client has" ESP '10.9.0.77 is behind no client' to 10.9.0.77
fault mid 'forward priority 0' "ip saddr 192.0.2.1 $ESP drop"
why "ESP of a client is lost on the way here" ESP 'ESP leaves this machine by e0 .*none of the peer comes back' to 10.9.0.1
fault mid
must ip -n mid link set m0 mtu 1300
must ip -n west link set w0 mtu 1300
must in_quiet mid nft add table ip mute
must in_quiet mid nft add chain ip mute out '{ type filter hook output priority 0; }'
must in_quiet mid nft add rule ip mute out icmp type destination-unreachable drop
why "a black hole on the way to a client" MTU 'packets of 14[0-9][0-9] bytes are lost .*those of 12[0-9][0-9] pass' to 10.9.0.1
must in_quiet mid nft delete table ip mute
must in_quiet west nft add table ip whole
must in_quiet west nft add chain ip whole in '{ type filter hook prerouting priority -450; }'
must in_quiet west nft add rule ip whole in 'ip frag-off & 0x3fff != 0' drop
why "fragments do not get to a client" fragments 'ESP passes, and its fragments do not' to 10.9.0.1
must in_quiet west nft delete table ip whole
well "the client, mended" to 10.9.0.1
finish
