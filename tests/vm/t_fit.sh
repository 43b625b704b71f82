#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-timeout: 400
# vm-tier: full
#
# Programs that have to do with netdevices, beside esptun and with the files that are installed for them: rules of
# nftables, systemd-networkd, NetworkManager (of the Debian of others.sh).
#
#   lan 10.1.0.2 --- 10.1.0.1 west 192.0.2.1 --- 192.0.2.2 east

. "$VM_TOP/tests/vm/lib.sh"
. "$VM_TOP/tests/vm/agent.sh"
. "$VM_TOP/tests/vm/others.sh"

dist=$VM_TOP/userspace/dist

add_ns lan west east
wire lan eth0 10.1.0.2/24 west lan0 10.1.0.1/24
wire west w0 192.0.2.1/24 east e0 192.0.2.2/24
must ip -n lan route add default via 10.1.0.1
in_quiet west sysctl -qw net.ipv4.ip_forward=1
load_esptun

# ---- nftables ------------------------------------------------------------------------------

check "nft reads the example" at west nft -c -f "$dist/example.nft"
check "and loads it" at west nft -f "$dist/example.nft"
check "once more" at west nft -f "$dist/example.nft"
is "in place of the former" "$(in_quiet west nft -j list chains | jq '[.nftables[] | select(.chain)] | length')" 2

pair_conf west east 10.9.0.1 10.9.0.2
conf east vpn0 <<-END
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
agent east
wait_for 60 state_is east up || bail "no tunnel through the rules"

connects() {
	in_quiet "$1" "$PYTHON" -c 'import socket, sys
socket.create_connection((sys.argv[1], int(sys.argv[2])), 5).close()' "$2" "$3"
}

# listen NS PORT: where something answers, for a rule to refuse it.
listen() {
	start "$1" "$VM_OUT/listen-$1-$2.log" "$PYTHON" -c 'import socket, sys
s = socket.create_server(("", int(sys.argv[1])))
print("ready", flush=True)
while True: s.accept()' "$2"
	wait_for 10 holds "$VM_OUT/listen-$1-$2.log" ready
}

check "what comes out of a tunnel may: ping" wait_for 20 in_quiet east ping -c 1 -W 2 10.1.0.2
listen lan 80
listen lan 81
listen east 7000
check "reach a web server" connects east 10.1.0.2 80
refuse "nothing else" 'timed out' connects east 10.1.0.2 81
refuse "nor the gateway" 'timed out' connects east 10.9.0.1 22
start east "$VM_OUT/syn.log" tcpdump -l -n -v -i vpn0 --immediate-mode 'tcp dst port 7000 and tcp[tcpflags] & tcp-syn != 0'
wait_for 10 holds "$VM_OUT/syn.log" 'listening on'
check "our network may go everywhere" connects lan 10.9.0.2 7000
wait_for 10 holds "$VM_OUT/syn.log" 'mss [0-9]'
mtu=$(ip -n west -j link show vpn0 | jq '.[0].mtu')
is "its segments fit into the tunnel" "$(sed -n 's/.*mss \([0-9]*\).*/\1/p' "$VM_OUT/syn.log" | head -n 1)" $((mtu - 40))

# ---- systemd-networkd ------------------------------------------------------------------------

ours() {
	ip -n west -j addr show vpn0 | jq -c '[.[].addr_info[] | select(.scope == "global") | .local]'
	ip -n west route show dev vpn0 | grep -v '^172' | xargs -n1 -d'\n'
}

has_route() {
	ip -n west route show 172.16.0.0/12 | grep -q vpn0
}

# With the example as standard input has it; what changes from now on is in a log.
begin_networkd() {
	mkdir -p /run/networkd
	cat > /run/networkd/50-vpn0.network
	start west "$VM_OUT/changes.log" ip -o monitor address route
	changes=$started
	sleep 1
	# shellcheck disable=SC2016 # the inner shell's own
	start west "$VM_OUT/networkd.log" unshare --mount sh -ec '
		mount -t tmpfs tmpfs /etc/systemd/network
		cp /run/networkd/* /etc/systemd/network/
		mkdir -p /run/systemd
		mount -t tmpfs tmpfs /run/systemd
		install -d -o systemd-network -g systemd-network /run/systemd/netif
		mount -o remount,bind,ro /sys
		exec env SYSTEMD_LOG_LEVEL=info /lib/systemd/systemd-networkd'
	networkd=$started
	wait_for 30 has_route
}

before=$(ours)
check "systemd-networkd adds the route of the example" begin_networkd < <(sed 's/^Name=.*/Name=vpn0/' "$dist/example.network")
unlike "it understands each line" "$(< "$VM_OUT/networkd.log")" 'gnoring|nknown|ailed to parse'
check "the tunnel works" wait_for 10 in_quiet east ping -c 1 -W 2 10.1.0.2
stop "$networkd"
stop "$changes"
is "what is the agent's is there" "$(ours)" "$before"
# The agent puts back what is taken from it, so only the kernel's messages tell.
unlike "and was all the time" "$(< "$VM_OUT/changes.log")" '^Deleted .*10\.9\.0\.[12]'

# ---- NetworkManager --------------------------------------------------------------------------

manager_state() {
	in_quiet west "${there[@]}" nmcli -t -f DEVICE,STATE device | sed -n 's/^vpn0://p'
}

# It has come to a decision.
manager_knows() {
	[ -n "$(manager_state)" ] && ! manager_state | grep -q connecting
}

# NetworkManager with our file among its own.
begin_manager() {
	cp "$dist/networkmanager.conf" "$others/usr/lib/NetworkManager/conf.d/esptun.conf"
	start west "$VM_OUT/manager.log" "${there[@]}" NetworkManager -n
	wait_for 60 manager_knows
}

start west "$VM_OUT/dbus.log" "${there[@]}" dbus-daemon --system --nofork --nopidfile
wait_for 30 test -S "$others/run/dbus/system_bus_socket"
before=$(ours)
check "NetworkManager runs" begin_manager
is "it leaves the netdevice alone" "$(manager_state)" unmanaged
like "and reads our file" "$(in_quiet west "${there[@]}" NetworkManager --print-config)" 'match-device=driver:esptun'
stop "$started"
is "nothing of ours has changed" "$(ours)" "$before"
finish
