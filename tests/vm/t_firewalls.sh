#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-timeout: 300
# vm-tier: full
#
# firewalld and Docker on a gateway: what their rules stop, and that it passes with the commands of
# Documentation/guides/other-programs.md, and nothing else with it.
#
#   lan 10.1.0.2 --- 10.1.0.1 west 192.0.2.1 --- 192.0.2.2 east

# shellcheck disable=SC2154 # $there is of others.sh
. "$VM_TOP/tests/vm/lib.sh"
. "$VM_TOP/tests/vm/agent.sh"
. "$VM_TOP/tests/vm/others.sh"

guide other-programs
add_ns lan west east
wire lan eth0 10.1.0.2/24 west lan0 10.1.0.1/24
wire west w0 192.0.2.1/24 east e0 192.0.2.2/24
must ip -n lan route add default via 10.1.0.1
must ip -n east route add 10.1.0.0/24 via 192.0.2.1 table 7
must ip -n east rule add from 192.0.2.2 to 10.1.0.0/24 lookup 7
load_esptun

conf west hq <<-END
	[Tunnel]
	LocalID = west.example
	Address = 10.9.0.1/32
	[Peer]
	RemoteID = east.example
	PSK = $AGENT_PSK
	Routes = 10.9.0.2/32
END
conf east hq <<-END
	[Tunnel]
	LocalID = east.example
	Address = 10.9.0.2/32
	[Peer]
	Endpoint = 192.0.2.1
	RemoteID = west.example
	PSK = $AGENT_PSK
	Routes = 10.9.0.1/32, 10.1.0.0/24
END
agent west

# commands LINE: those of the guide that begin with it, at the west.
commands() {
	block "$1" > "$others/run/commands"
	at west "${there[@]}" sh -ex /run/commands
}

# passes NS ADDRESS [OPTION...]: a ping is answered soon.
passes() {
	wait_for 10 answered "$@"
}

# stopped NS ADDRESS [OPTION...]: three are not.
stopped() {
	! at "$1" ping -n -c 3 -i 0.3 -W 1 "${@:3}" "$2"
}

# both_ways: from one end's network to the other's.
both_ways() {
	passes east 10.1.0.2 && passes lan 10.9.0.2
}

# ---- firewalld ---------------------------------------------------------------------------------

firewall_cmd() {
	in_quiet west "${there[@]}" firewall-cmd "$@"
}

firewalld_runs() {
	[ "$(firewall_cmd --state 2> /dev/null)" = running ]
}

in_quiet west sysctl -qw net.ipv4.ip_forward=1
check "before: packets pass around the tunnel" passes east 10.1.0.2 -I 192.0.2.2
start west "$VM_OUT/dbus.log" "${there[@]}" dbus-daemon --system --nofork --nopidfile
wait_for 30 test -S "$others/run/dbus/system_bus_socket"
start west "$VM_OUT/firewalld.log" "${there[@]}" firewalld --nofork --nopid
firewalld=$started
check "firewalld runs" wait_for 60 firewalld_runs || { cat "$VM_OUT/firewalld.log"; bail "no firewalld"; }
check "it has rules" test -n "$(in_quiet west nft list table inet firewalld)"
agent east
sleep 5
is "as it is, IKE does not come in" "$(of east .state)" connecting
check "the guide's commands" wait_for 60 commands 'firewall-cmd --permanent --zone=public --add-service=ipsec'
check "the tunnel comes up" wait_for 60 state_is east up
check "packets pass both ways" both_ways
check "not around the tunnel" stopped east 10.1.0.2 -I 192.0.2.2
must firewall_cmd --zone=internal --remove-interface=hq
check "nor without the tunnel's netdevice in the zone" stopped east 10.1.0.2
# It waits 25 s for firewalld's answer, and here that may take longer.
must wait_for 60 firewall_cmd --reload
check "they do again when the files are read" both_ways
kill -TERM "$firewalld"
wait_for 20 gone "$firewalld"
is "firewalld took its rules along" "$(in_quiet west nft list tables)" ''
check "without it packets pass" both_ways

# ---- Docker --------------------------------------------------------------------------------------

docker_runs() {
	in_quiet west "${there[@]}" docker info
}

policy() {
	in_quiet west "${there[@]}" iptables -S FORWARD | sed -n 's/^-P FORWARD //p'
}

# It wants its cgroups and a file system for its layers; containers are not needed.
begin_docker() {
	start west "$VM_OUT/docker-$1.log" "${there[@]}" sh -ec 'mount -t cgroup2 cgroup2 /sys/fs/cgroup || :
		mount -t tmpfs tmpfs /var/lib/docker
		exec dockerd --storage-driver vfs'
	docker=$started
	wait_for 90 docker_runs
}

mkdir -p "$others/var/lib/docker"
in_quiet west sysctl -qw net.ipv4.ip_forward=0
check "Docker runs" begin_docker first || { tail -n 40 "$VM_OUT/docker-first.log"; bail "no Docker"; }
is "it switches forwarding on" "$(in_quiet west sysctl -n net.ipv4.ip_forward)" 1
is "and has packets dropped" "$(policy)" DROP
check "as it is, none pass into the tunnel" stopped lan 10.9.0.2
check "nor out of it" stopped east 10.1.0.2
check "the tunnel itself works" passes east 10.9.0.1
check "the guide's commands" commands 'iptables -I DOCKER-USER -i hq -j ACCEPT'
check "packets pass both ways" both_ways
check "not around the tunnel" stopped east 10.1.0.2 -I 192.0.2.2
must in_quiet west "${there[@]}" iptables -D DOCKER-USER -o hq -j ACCEPT
check "the second command is needed" stopped lan 10.9.0.2
stop "$docker"
finish
