#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-tier: full
# vm-timeout: 1200
#
# An endpoint by name: what name servers, resolv.conf and hosts may look like, a name that
# moves to another address, one with two addresses of which the first is dead, and one that
# appears later.
#
#   west 192.0.2.1 ---- 192.0.2.254 mid 198.51.100.1 ---- 198.51.100.2 one: "east"
#                                       203.0.113.1 ----- 203.0.113.2 two: "east"

# shellcheck disable=SC2154 # $gap is of agent.sh
. "$VM_TOP/tests/vm/lib.sh"
. "$VM_TOP/tests/vm/agent.sh"

load_esptun
add_ns west mid one two
wire west w0 192.0.2.1/24 mid m0 192.0.2.254/24
wire mid m1 198.51.100.1/24 one x0 198.51.100.2/24
wire mid m2 203.0.113.1/24 two x0 203.0.113.2/24
in_quiet mid sysctl -qw net.ipv4.ip_forward=1
must ip -n west route add default via 192.0.2.254
must ip -n one route add default via 198.51.100.1
must ip -n two route add default via 203.0.113.1
pair_conf east west 10.9.0.2 10.9.0.1
for end in one two; do
	conf $end vpn0 < /run/conf/east/vpn0.conf
	agent $end
done

mkdir -p /run/dns /etc/netns/west
echo '127.0.0.1 localhost' > /etc/netns/west/hosts
start mid /run/dns.log "$PYTHON" "$VM_LIB/resolver.py" 192.0.2.254 /run/dns
wait_for 30 holds /run/dns.log ready || bail "$(cat /run/dns.log)"
resolv() { # LINE...
	printf '%s\n' "$@" > /etc/netns/west/resolv.conf
}
zone() { # LINE...
	printf '%s\n' "$@" > /run/dns/zone
}
# try NAME STATE ENDPOINT [SECONDS]: with the agent started anew.
try() {
	if [ -n "${agent_pid[west]:-}" ]; then
		# SAs outlive the agent.
		tell west down vpn0 > /dev/null
		agent_stop west > /dev/null
	fi
	pair_conf west east 10.9.0.1 10.9.0.2 "Endpoint = $3" 'Liveness = 5'
	agent west
	wait_for "${4:-20}" state_is west "$2"
	is "$1" "$(of west .state)" "$2"
	echo "# $(of west .error)"
}

# ---- answers ---------------------------------------------------------------------

resolv 'nameserver 192.0.2.254'
zone 'vpn.test A 198.51.100.2' 'c1.test CNAME c2.test' 'c2.test CNAME vpn.test' \
	'six.test AAAA 2001:db8::1' 'vpn.home.lan A 198.51.100.2'
for manner in lower upper slow; do
	echo $manner > /run/dns/manner
	try "the question comes back in another manner ($manner)" up vpn.test 40
done
echo truncated > /run/dns/manner
try "a truncated answer, and no TCP" failed vpn.test 40
rm /run/dns/manner
try "an alias of an alias" up c1.test
try "a dot at the end" up vpn.test.
try "capitals in the file" up VPN.Test
try "IPv6 only, and no route to it" connecting six.test
like "the status says what is missing" "$(of west .error)" 'no route to 2001:db8::1'

# ---- resolv.conf and hosts ----------------------------------------------------------

resolv 'search home.lan' 'nameserver 192.0.2.254'
try "a short name and a search domain" up vpn
resolv 'nameserver fe80::1%w0' 'nameserver 192.0.2.254'
try "a link-local name server first" up vpn.test 40
resolv 'nameserver 2001:db8::53' 'nameserver 192.0.2.254'
try "one that cannot be reached first" up vpn.test 40
resolv 'nameserver 192.0.2.77' 'nameserver 192.0.2.254'
try "a dead one first" up vpn.test 60
resolv '# empty' 'options edns0 trust-ad ndots:0 single-request rotate use-vc'
try "none" failed vpn.test
resolv 'options edns0 trust-ad ndots:0' 'nameserver 192.0.2.254'
try "the options of systemd-resolved" up vpn.test
printf '127.0.0.1 localhost\n2001:db8::1 vpn.test\n198.51.100.2 vpn.test\n' > /etc/netns/west/hosts
try "in hosts, its IPv6 address first" up vpn.test
printf '127.0.0.1 localhost\n198.51.100.2\tother.test vpn2.test # note\r\n' > /etc/netns/west/hosts
try "in hosts, as an alias after a tab, before a comment" up vpn2.test
echo '127.0.0.1 localhost' > /etc/netns/west/hosts

# ---- names that change ---------------------------------------------------------------

resolv 'nameserver 192.0.2.254'
zone 'vpn.test A 198.51.100.2'
try "before it moves" up vpn.test
meter west move 10.9.0.2
sleep 2
zone 'vpn.test A 203.0.113.2'
must ip -n one link set x0 down
wait_for 140 answered west 10.9.0.2
sleep 2
meter_end move
check "the name moves, the old place is dead: dark for at most 140 s" test "$gap" -le 1400
zone 'vpn.test A 198.51.100.2 203.0.113.2'
try "two addresses, the first is dead" up vpn.test 180
zone 'other.test A 192.0.2.9'
try "a name that is not known yet" failed vpn.test
zone 'vpn.test A 203.0.113.2'
check "appears: up within 35 s" within 35 state_is west up

# ---- both families -------------------------------------------------------------------

in_quiet mid sysctl -qw net.ipv6.conf.all.forwarding=1
for to in 'west w0 2001:db8:1::1' 'mid m0 2001:db8:1::254' 'mid m1 2001:db8:2::254' 'one x0 2001:db8:2::2'; do
	read -r ns dev addr <<< "$to"
	must ip -n "$ns" addr add "$addr/64" dev "$dev" nodad
done
must ip -n one link set x0 up
must ip -n one route replace default via 198.51.100.1
must ip -n one -6 route add default via 2001:db8:2::254
must ip -n west -6 route add default via 2001:db8:1::254
zone 'vpn.test A 198.51.100.2' 'vpn.test AAAA 2001:db8:2::2'
try "an address of each family" up vpn.test
is "IPv6 comes first" "$(of west .ike.remote)" '[2001:db8:2::2]:4500'
check "traffic passes" pings west 10.9.0.2
must at mid nft add table ip6 dead
must at mid nft add chain ip6 dead forward '{ type filter hook forward priority 0; policy drop; }'
try "IPv6 is dead: the other address is tried" up vpn.test 180
is "IPv4 is used" "$(of west .ike.remote)" '198.51.100.2:4500'
must ip -n west -6 route del default
try "no IPv6 route" up vpn.test
is "IPv4 is used at once" "$(of west .ike.remote)" '198.51.100.2:4500'
check "traffic passes" pings west 10.9.0.2
finish
