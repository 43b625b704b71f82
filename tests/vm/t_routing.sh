#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-timeout: 500
# vm-tier: full
#
# FRR over two tunnels between two sites, with the files of Documentation/guides/routing.md: BGP, then OSPF. Routes go by the
# first tunnel, by the second one while the first is down or loses all packets, and by the first one again.
#
#   lanw 10.1.0.2 --- 10.1.0.1 west 192.0.2.1 ---- path1 ---- 192.0.2.2 east 10.2.0.1 --- 10.2.0.2 lane
#                                198.51.100.1 ---- path2 ---- 198.51.100.2

# shellcheck disable=SC2154 # $there is of others.sh, $gap of agent.sh
. "$VM_TOP/tests/vm/lib.sh"
. "$VM_TOP/tests/vm/agent.sh"
. "$VM_TOP/tests/vm/others.sh"

guide routing
add_ns lanw west east lane
wire lanw eth0 10.1.0.2/24 west lan0 10.1.0.1/24
wire lane eth0 10.2.0.2/24 east lan0 10.2.0.1/24
wire west w1 192.0.2.1/24 east e1 192.0.2.2/24
wire west w2 198.51.100.1/24 east e2 198.51.100.2/24
must ip -n lanw route add default via 10.1.0.1
must ip -n lane route add default via 10.2.0.1
for site in west east; do
	in_quiet $site sysctl -qw net.ipv4.ip_forward=1
done
load_esptun

# ---- the tunnels -----------------------------------------------------------------------------

mkdir -p /etc/esptun
(umask 077 && esptun keygen > /etc/esptun/sites.psk)
for site in west east; do
	for name in path1 path2; do
		block "# $site: /etc/esptun/$name.conf" | conf $site $name
	done
	agent $site
done

for name in path1 path2; do
	check "$name is up" wait_for 30 running west $name || bail "no tunnel"
done

# ---- FRR ---------------------------------------------------------------------------------------

declare -A daemons=() # of a site: PIDs

vtysh() { # SITE OPTION...
	in_quiet "$1" "${there[@]}" vtysh -N "$1" "${@:2}"
}

# begin_frr DAEMON N: at both sites, with the Nth frr.conf of the guide.
begin_frr() {
	local site name
	for site in west east; do
		mkdir -p "$others/etc/frr/$site" "$others/run/frr/$site"
		block "! $site: /etc/frr/frr.conf" "$2" > "$others/etc/frr/$site/frr.conf"
		echo 'service integrated-vtysh-config' > "$others/etc/frr/$site/vtysh.conf"
		must chroot "$others" chown -R frr:frr "/etc/frr/$site" /run/frr
		for name in zebra "$1"; do
			start $site "$VM_OUT/$name-$site.log" "${there[@]}" "/usr/lib/frr/$name" -N $site
			daemons[$site]+=" $started"
			wait_for 20 test -S "$others/run/frr/$site/$name.vty" || bail "no $name"
		done
		is "$1 at $site reads the guide's file" "$(vtysh $site -b 2>&1)" ''
	done
}

end_frr() {
	local site pid
	for site in west east; do
		for pid in ${daemons[$site]}; do
			stop "$pid"
		done
		daemons[$site]=''
		rm -rf "$others/run/frr/$site"
	done
}

# The guide's own question, at the west, and the same at the east.
declare -A question=([west]=$(block 'ip route get 10.2.0.2 from 10.1.0.2 iif lan0')
	[east]='ip route get 10.1.0.2 from 10.2.0.2 iif lan0')

# go_by TUNNEL: both sites' routes.
go_by() {
	local site
	for site in west east; do
		# shellcheck disable=SC2086 # a command
		in_quiet $site ${question[$site]} 2> /dev/null | grep -q " dev $1 " || return 1
	done
}

# packets TUNNEL: that the west sent and received by it.
packets() {
	ip -n west -s -j link show "$1" | jq '.[0].stats64 | .tx.packets + .rx.packets'
}

# carries TUNNEL OTHER: 30 pings and their answers go by the one, and not by the other.
carries() {
	local one other
	one=$(packets "$1") other=$(packets "$2")
	at lanw ping -n -q -c 30 -i 0.05 -W 20 10.2.0.2 | grep ' 30 received' || return 1
	one=$(($(packets "$1") - one)) other=$(($(packets "$2") - other))
	echo "# packets by $1: $one, by $2: $other"
	[ $one -ge 60 ] && [ $other -lt 60 ]
}

# The first line loses all packets, in both directions; and does not any more.
cut_line() {
	must at west nft add table inet cut
	must at west nft add chain inet cut in '{ type filter hook prerouting priority -300; }'
	must at west nft add chain inet cut out '{ type filter hook postrouting priority 300; }'
	must at west nft add rule inet cut in iifname w1 drop
	must at west nft add rule inet cut out oifname w1 drop
}

mend_line() {
	must at west nft delete table inet cut
}

# moves PROTOCOL TO FROM: within the time that the guide's timers take.
moves() {
	check "$1: routes go by $2" wait_for 40 go_by "$2" || { vtysh west -c 'show ip route'; vtysh east -c 'show ip route'; }
	check "$1: and so do packets" carries "$2" "$3"
}

not() {
	! "$@"
}

fails_over() { # PROTOCOL
	echo "# $1: both tunnels are up"
	moves "$1" path1 path2

	echo "# $1: the first line loses all packets, and says nothing"
	meter lanw "$1-silence" 10.2.0.2
	cut_line
	moves "$1" path2 path1
	check "$1: the tunnel was still up" running west path1
	meter_end "$1-silence"
	check "$1: the agent finds the peer dead, and the netdevice is dormant" wait_for 90 not running west path1
	mend_line
	moves "$1" path1 path2

	echo "# $1: the first tunnel is taken down"
	meter lanw "$1-down" 10.2.0.2
	must tell west down path1
	moves "$1" path2 path1
	meter_end "$1-down"
	check "$1: dark for 3 s at most, as the netdevice told" test "$gap" -le $((30 * ${VM_PATIENCE:-1}))
	must tell west up path1
	moves "$1" path1 path2
}

# ---- BGP ---------------------------------------------------------------------------------------

begin_frr bgpd 1
fails_over BGP

# A network that the west has no route to, so that only the filter keeps it away.
must ip -n east route add blackhole 203.0.113.0/24
must vtysh east -c 'configure terminal' -c 'route-map ours permit 20' -c 'exit' -c 'router bgp 65002' \
	-c 'address-family ipv4 unicast' -c 'network 203.0.113.0/24'
announced() {
	vtysh east -c 'show bgp ipv4 unicast neighbors 10.255.1.1 advertised-routes' | grep -q '203\.0\.113\.0/24'
}
check "BGP: the east announces another network, too" wait_for 20 announced
sleep 3
check "BGP: routes are as they were" wait_for 40 go_by path1
is "BGP: the west takes its own network alone" "$(ip -n west route show proto bgp | cut -d' ' -f1)" 10.2.0.0/24
end_frr

# ---- OSPF --------------------------------------------------------------------------------------

is "FRR took its routes along" "$(ip -n west route show 10.2.0.0/24)" ''
for site in west east; do
	block 'ip link set path1 multicast on' > /run/multicast
	check "commands at $site" at $site sh -e /run/multicast
done
begin_frr ospfd 2
fails_over OSPF
end_frr
finish
