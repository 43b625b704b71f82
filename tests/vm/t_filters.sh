#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-tier: full
# vm-timeout: 900
#
# XDP, tc and nftables on a tunnel's device and on its outer packets: each row runs on a link of
# kind esptun and on one of kind wireguard between the same hosts, and must be true of both.
#
#   lan                  west                             east
#   l0 10.1.0.2/24 ----- lan0 10.1.0.1/24
#                        w0 192.0.2.1/24    -- veth --    e0 192.0.2.2/24
#                        w1 198.51.100.1/24 -- veth --    e1 198.51.100.2/24
#                        vpn0 10.9.0.1                    vpn0 10.9.0.2     (port 4500)
#                        wg0 10.7.0.1                     wg0 10.7.0.2      (port 51820)

# shellcheck source=tests/vm/lib.sh
. "$VM_TOP/tests/vm/lib.sh"

# Pings of both kinds of links on the underlay, without their keepalives and handshakes.
outer_len='udp length 110-150'

# lost NS ADDRESS: none of three pings comes back.
lost() {
	! in_quiet "$1" ping -n -c 3 -i 0.2 -W 1 "$2" > /dev/null 2>&1
}

# slow NS ADDRESS MS: no ping is faster.
slow() {
	in_quiet "$1" ping -n -c 3 -i 0.2 -W 20 "$2" | tee /run/slow.log |
		awk -F'[=/ ]+' -v least="$3" '/^rtt/ { found = 1; ok = $6 >= least } END { exit !(found && ok) }'
}

# few NS ADDRESS: of twenty pings at once some come back, most do not.
few() {
	local got
	got=$(in_quiet "$1" ping -n -q -c 20 -i 0.01 -W 2 "$2" | sed -n 's/.* \([0-9]*\) received.*/\1/p')
	echo "# ${got:=0} of 20 came back"
	[ "$got" -ge 2 ] && [ "$got" -le 12 ]
}

# rules NS: the chains on standard input become table t.
rules() {
	{ echo 'table inet t {'; cat; echo '}'; } > /run/rules.nft
	must in_quiet "$1" nft -f /run/rules.nft
}

no_rules() {
	local ns
	for ns; do
		must in_quiet "$ns" nft delete table inet t
	done
}

# hits NS COMMENT: packets that met the rule with this comment.
hits() {
	in_quiet "$1" nft -j list ruleset | jq --arg c "$2" \
		'[.nftables[].rule // empty | select(.comment == $c) | .expr[].counter.packets // empty] | add // 0'
}

# on_action NS DEV HOOK: packets that the action of the only filter there met.
on_action() {
	in_quiet "$1" tc -s -j filter show dev "$2" "$3" | jq '[.[].options.actions // [] | .[].stats.packets] | add // 0'
}

# sent NS DEV: packets that left by a device.
sent() {
	ip -n "$1" -j -s link show "$2" | jq '.[0].stats64.tx.packets'
}

# filter HOOK DEV WORD...: the only filter of west's device at this hook; no_filter HOOK DEV.
filter() {
	must at west tc filter add dev "$2" "$1" protocol ip flower ip_proto icmp "${@:3}"
}

no_filter() {
	must at west tc filter del dev "$2" "$1"
}

# into_sink DEV HOOK: packets that met the filter, and that left by the sink since it had sent $before.
into_sink() {
	echo "$(on_action west "$1" "$2") met it, $(($(sent west sink) - before)) came"
}

# From a host behind: a local program would hear of it, and send again, when tc drops at egress.
on_tc() { # DEV NET
	local hook before
	must ip -n east route replace 10.1.0.0/24 dev "$1"
	must at west tc qdisc add dev "$1" clsact
	for hook in ingress egress; do
		filter $hook "$1" action drop
		check "$1: tc drops at $hook" lost lan "$2.2"
		is "$1: all three" "$(on_action west "$1" $hook)" 3
		no_filter $hook "$1"
		filter $hook "$1" action police rate 800bit burst 500 conform-exceed drop
		check "$1: police at $hook" few lan "$2.2"
		no_filter $hook "$1"
		before=$(sent west sink)
		filter $hook "$1" action mirred egress mirror dev sink
		check "$1: mirrored at $hook: pings" pings lan "$2.2"
		is "$1: and there are three copies" "$(into_sink "$1" $hook)" '3 met it, 3 came'
		no_filter $hook "$1"
		before=$(sent west sink)
		filter $hook "$1" action mirred egress redirect dev sink
		check "$1: redirected at $hook: nothing passes" lost lan "$2.2"
		is "$1: and three are there" "$(into_sink "$1" $hook)" '3 met it, 3 came'
		no_filter $hook "$1"
	done
	check "$1: without filters all passes" pings lan "$2.2"
	must at west tc qdisc del dev "$1" clsact
}

# Packets of an Ethernet device are put into the tunnel, which no route leads to.
into_tunnel() { # DEV NET
	rules east <<-END
		chain pre { type filter hook prerouting priority raw
			iifname $1 ip saddr 10.1.0.2 ip daddr 10.88.0.1 counter comment "put"
		}
	END
	check "$1: no route leads there" lost lan 10.88.0.1
	is "$1: so nothing comes" "$(hits east put)" 0
	must at west tc qdisc add dev lan0 clsact
	must at west tc filter add dev lan0 ingress protocol ip flower dst_ip 10.88.0.1 \
		action mirred egress redirect dev "$1"
	check "$1: redirected into it: no answer" lost lan 10.88.0.1
	is "$1: but the other end has all three" "$(hits east put)" 3
	must at west tc qdisc del dev lan0 clsact
	no_rules east
}

on_qdiscs() { # DEV NET
	must at west tc qdisc add dev "$1" root netem delay 150ms
	check "$1: netem on the device delays" slow west "$2.2" 150
	must at west tc qdisc del dev "$1" root
	must at west tc qdisc add dev w0 root netem delay 150ms
	check "$1: netem on the underlay, too" slow west "$2.2" 150
	must at west tc qdisc del dev w0 root
	check "$1: without either TCP passes" iperf west east "$2.2"
}

on_nft() { # DEV NET PORT
	rules west <<-END
		chain out { type filter hook output priority filter
			oifname w0 udp dport $3 $outer_len counter comment "outer"
		}
		chain post { type filter hook postrouting priority filter
			oifname $1 icmp type echo-request counter comment "inner"
		}
		chain in { type filter hook input priority filter
			iifname $1 icmp type echo-reply ct state established counter comment "answer"
		}
	END
	rules east <<-END
		chain in { type filter hook input priority filter
			iifname e0 udp dport $3 $outer_len counter comment "outer"
			iifname e0 udp dport $3 $outer_len ct state established counter comment "outer-known"
			iifname $1 icmp type echo-request counter comment "inner"
			iifname $1 icmp type echo-request ct state new counter comment "inner-new"
			ct state invalid counter comment "invalid"
		}
	END
	check "$1: nft: pings" pings west "$2.2"
	is "$1: inner packets leave by the device" "$(hits west inner)" 3
	is "$1: outer ones are UDP of this host" "$(hits west outer)" 3
	is "$1: the other end sees the outer ones" "$(hits east outer)" 3
	check "$1: as a known connection" [ "$(hits east outer-known)" -ge 2 ]
	is "$1: and the inner ones as the device's" "$(hits east inner)" 3
	is "$1: as a new connection of their own" "$(hits east inner-new)" 1
	is "$1: answers are of the connection that began here" "$(hits west answer)" 3
	is "$1: nothing is invalid" "$(hits east invalid)" 0
	no_rules west east
}

# Hooks of the device itself.
on_netdev() { # DEV NET
	in_quiet west nft -f - <<-END
		table netdev t {
			chain in { type filter hook ingress device "$1" priority 0
				ip protocol icmp counter comment "in"
			}
			chain out { type filter hook egress device "$1" priority 0
				ip protocol icmp counter drop comment "out"
			}
		}
	END
	check "$1: nft drops at the device's egress" lost lan "$2.2"
	is "$1: all three" "$(hits west out)" 3
	must in_quiet west nft flush chain netdev t out
	check "$1: without that rule pings pass" pings lan "$2.2"
	is "$1: its ingress sees the answers" "$(hits west in)" 3
	must in_quiet west nft delete table netdev t
}

# What the packets inside have is not the outer ones', and the other way round: marks, marks of
# connections, no tracking. The priority is: as with IP-in-IP, not as with WireGuard, a qdisc of
# the underlay can tell them apart by it.
on_scrub() { # DEV NET PORT OTHER PRIORITY
	rules west <<-END
		chain raw { type filter hook output priority raw
			oifname $1 icmp type echo-request notrack
		}
		chain out { type filter hook output priority filter
			oifname $1 icmp type echo-request meta mark set 0x77 meta priority set 0:9
			oifname w0 udp dport $3 $outer_len counter comment "outer"
			oifname w0 udp dport $3 $outer_len meta mark 0 ct mark 0 counter comment "clean"
			oifname w0 udp dport $3 $outer_len meta priority 0:9 counter comment "priority"
			oifname w0 udp dport $3 $outer_len ct state untracked counter comment "untracked"
		}
		chain post { type filter hook postrouting priority filter
			oifname $1 meta mark 0x77 meta priority 0:9 ct state untracked counter comment "inner"
		}
	END
	rules east <<-END
		chain pre { type filter hook prerouting priority raw
			iifname e0 udp dport $3 $outer_len meta mark set 0x66 notrack
		}
		chain in { type filter hook input priority filter
			iifname e0 udp dport $3 $outer_len meta mark 0x66 ct state untracked counter comment "outer"
			iifname $1 icmp type echo-request meta mark 0 counter comment "clean"
			iifname $1 icmp type echo-request ct state untracked counter comment "untracked"
		}
	END
	check "$1: marked and not tracked inside: pings" pings west "$2.2"
	is "$1: the inner packets are" "$(hits west inner)" 3
	is "$1: the outer ones have no mark of theirs" "$(hits west clean) of $(hits west outer)" '3 of 3'
	is "$1: how many have their priority" "$(hits west priority)" "$5"
	is "$1: and are tracked" "$(hits west untracked)" 0
	is "$1: marked and not tracked outside, at the other end" "$(hits east outer)" 3
	is "$1: the inner ones have no mark of theirs" "$(hits east clean)" 3
	is "$1: and are tracked" "$(hits east untracked)" 0
	no_rules west east
	rules west <<-END
		chain raw { type filter hook output priority raw
			oifname w0 udp dport $3 notrack
		}
		chain out { type filter hook output priority filter
			oifname $1 icmp type echo-request ct mark set 0x78
			oifname w0 udp dport $3 $outer_len ct state untracked counter comment "untracked"
		}
		chain in { type filter hook input priority filter
			iifname $1 icmp type echo-reply ct state established ct mark 0x78 counter comment "answer"
		}
	END
	check "$1: outer packets that are not tracked: pings" pings west "$2.2"
	is "$1: they are not" "$(hits west untracked)" 3
	is "$1: the inner ones are, with the mark of their connection" "$(hits west answer)" 3
	no_rules west
}

# tc's marks: at egress of the device they stay inside, at its ingress and at that of the underlay
# each are of their own packets.
on_tc_marks() { # DEV NET PORT
	rules west <<-END
		chain post { type filter hook output priority filter
			oifname w0 udp dport $3 $outer_len counter comment "outer"
			oifname w0 udp dport $3 meta mark 0x55 counter comment "outer-marked"
		}
		chain in { type filter hook input priority filter
			iifname w0 udp sport $3 meta mark 0x66 counter comment "outer-in"
			iifname $1 icmp type echo-reply meta mark 0x56 counter comment "inner"
			iifname $1 icmp type echo-reply meta mark 0 counter comment "inner-clean"
		}
	END
	must at west tc qdisc add dev "$1" clsact
	must at west tc qdisc add dev w0 clsact
	filter egress "$1" action skbedit mark 0x55
	must at west tc filter add dev w0 ingress protocol ip flower ip_proto udp action skbedit mark 0x66
	check "$1: marked by tc: pings" pings west "$2.2"
	is "$1: what leaves it was" "$(on_action west "$1" egress)" 3
	is "$1: the outer packets are not" "$(hits west outer-marked) of $(hits west outer)" '0 of 3'
	check "$1: what came in outside was" [ "$(hits west outer-in)" -ge 3 ]
	is "$1: the inner packets are not" "$(hits west inner-clean)" 3
	filter ingress "$1" action skbedit mark 0x56
	check "$1: marked by tc at ingress: pings" pings west "$2.2"
	is "$1: they keep it" "$(hits west inner)" 3
	must at west tc qdisc del dev "$1" clsact
	must at west tc qdisc del dev w0 clsact
	no_rules west
}

# set_mark NS DEV MARK: the link's mark of outer packets.
set_mark() {
	case $2 in
	vpn0) must at "$1" ip link set vpn0 type esptun fwmark "$3" ;;
	wg0) must at "$1" wg set wg0 fwmark "$3" ;;
	esac
}

# ping_and_see PORT ADDRESS [NS]: pings come back; $by_other outer packets took the other way.
ping_and_see() {
	local capture answered
	capture west w1 way.pcap "udp dst port $1"
	capture=$started
	pings "${3:-west}" "$2"
	answered=$?
	capture_end "$capture"
	by_other=$(tcpdump -n -r "$VM_OUT/way.pcap" 2> /dev/null | wc -l)
	return $answered
}

by_w1() {
	ping_and_see "$@" && [ "$by_other" -ge 3 ]
}

stays_on_w0() {
	ping_and_see "$@" && [ "$by_other" = 0 ]
}

on_marks() { # DEV NET PORT
	set_mark west "$1" 0x23
	rules west <<-END
		chain out { type filter hook output priority filter
			udp dport $3 $outer_len meta mark 0x23 counter comment "marked"
		}
	END
	check "$1: the fwmark chooses the route of outer packets" by_w1 "$3" "$2.2"
	is "$1: and nft sees it on them" "$(hits west marked)" 3
	no_rules west
	set_mark west "$1" 0
	check "$1: without it they take the other" stays_on_w0 "$3" "$2.2"
	# Not of type route: that would take the inner packets themselves by the other way.
	rules west <<-END
		chain out { type filter hook output priority mangle
			oifname $1 icmp type echo-request meta mark set 0x23 counter comment "inner"
			udp dport $3 meta mark 0x23 counter comment "outer"
		}
	END
	check "$1: a mark of the inner ones does not choose it" stays_on_w0 "$3" "$2.2"
	is "$1: they have it, the outer ones do not" "$(hits west inner) $(hits west outer)" '3 0'
	no_rules west
	rules west <<-END
		chain out { type route hook output priority mangle
			udp dport $3 meta mark set 0x23
		}
	END
	check "$1: one that nft gives the outer packets does" by_w1 "$3" "$2.2"
	no_rules west
}

# program NS DEV SECTION: this XDP program and no other.
program() {
	in_quiet "$1" ip link set "$2" xdpgeneric off
	must at "$1" ip link set "$2" xdpgeneric obj /run/xdp.o sec "$3"
}

on_xdp() { # DEV NET PORT OTHER
	refuse "$1: a program in the driver" 'not support' at west ip link set "$1" xdpdrv obj /run/xdp.o sec xdp_pass
	program west "$1" xdp_pass
	check "$1: XDP_PASS: pings" pings west "$2.2"
	check "$1: XDP_PASS: TCP both ways" iperf west east "$2.2" --bidir
	program west "$1" xdp_drop
	check "$1: XDP_DROP: nothing passes" lost west "$2.2"
	program west "$1" xdp_no_icmp
	check "$1: a program reads the IP header: no ICMP" lost west "$2.2"
	check "$1: but TCP" iperf west east "$2.2" --bidir
	in_quiet west sysctl -qw net.ipv4.icmp_echo_ignore_all=1
	program west "$1" xdp_pass
	check "$1: a host that answers no pings" lost east "$2.1"
	program west "$1" xdp_answer
	check "$1: XDP_TX: a program does" pings east "$2.1"
	rules east <<-END
		chain pre { type filter hook prerouting priority raw
			iifname $4 icmp type echo-request ip saddr $2.2 counter comment "other"
		}
	END
	program west "$1" xdp_other
	check "$1: XDP_REDIRECT: no answer" lost east "$2.1"
	is "$1: what came leaves by $4" "$(hits east other)" 3
	no_rules east
	in_quiet west sysctl -qw net.ipv4.icmp_echo_ignore_all=0
	must at west ip link set "$1" xdpgeneric off
	check "$1: without a program all passes" pings west "$2.2"
	program west w0 xdp_pass
	check "$1: XDP_PASS on the underlay: TCP both ways" iperf west east "$2.2" --bidir
	must at west ip link set w0 xdpgeneric off
}

on_nat() { # DEV NET
	rules west <<-END
		chain post { type nat hook postrouting priority srcnat
			oifname $1 masquerade
		}
		chain forward { type filter hook forward priority filter; policy drop
			iifname lan0 oifname $1 accept
			iifname $1 oifname lan0 ct state established accept
		}
	END
	rules east <<-END
		chain in { type filter hook input priority filter
			iifname $1 ip saddr $2.1 counter comment "from link"
			iifname $1 ip saddr != $2.1 counter drop comment "from behind"
		}
	END
	check "$1: masqueraded: pings of a host behind" pings lan "$2.2"
	check "$1: masqueraded: TCP" iperf lan east "$2.2"
	check "$1: with the link's address" [ "$(hits east 'from link')" -gt 3 ]
	is "$1: nothing came with another" "$(hits east 'from behind')" 0
	no_rules west east
}

# Connections that were once seen do not pass the forward chain again.
on_flowtable() { # DEV NET
	rules west <<-END
		flowtable f { hook ingress priority 0; devices = { lan0, $1 }; }
		chain post { type nat hook postrouting priority srcnat
			oifname $1 masquerade
		}
		chain forward { type filter hook forward priority filter
			meta l4proto tcp flow add @f
			meta l4proto tcp counter comment "slow"
		}
	END
	check "$1: a flow table: TCP both ways" iperf lan east "$2.2" --bidir
	check "$1: few packets took the slow way" [ "$(hits west slow)" -lt 100 ]
	no_rules west
}

# The device is in a namespace of its own, its outer packets are in the west.
on_netns() { # DEV NET PORT
	must at west ip link set "$1" netns apart
	must at apart ip addr add "$2.1/24" dev "$1"
	must at apart ip link set "$1" up
	rules apart <<-END
		chain out { type filter hook output priority filter
			oifname $1 icmp type echo-request meta mark set 0x23 ct mark set 0x78 counter comment "inner"
		}
		chain in { type filter hook input priority filter
			iifname $1 icmp type echo-reply ct state established ct mark 0x78 meta mark 0 counter comment "answer"
			ct state invalid counter comment "invalid"
		}
	END
	rules west <<-END
		chain pre { type filter hook prerouting priority raw
			iifname w0 udp sport $3 meta mark set 0x66
		}
		chain out { type filter hook output priority filter
			oifname w0 udp dport $3 $outer_len meta mark 0 ct mark 0 counter comment "clean"
		}
		chain in { type filter hook input priority filter
			iifname w0 udp sport $3 $outer_len meta mark 0x66 ct state established counter comment "outer"
			icmp type { echo-request, echo-reply } counter comment "inner"
		}
	END
	check "$1: in another namespace: pings" pings apart "$2.2"
	is "$1: marked there" "$(hits apart inner)" 3
	is "$1: the outer packets are not" "$(hits west clean)" 3
	is "$1: nor the answers with the mark of the outer ones" "$(hits west outer), $(hits apart answer)" '3, 3'
	is "$1: nothing is invalid" "$(hits apart invalid)" 0
	is "$1: inner packets are not seen outside" "$(hits west inner)" 0
	no_rules west apart
	set_mark apart "$1" 0x23
	check "$1: in another namespace: the fwmark is one of where it was made" by_w1 "$3" "$2.2" apart
	set_mark apart "$1" 0
	check "$1: in another namespace: without it they take the other" stays_on_w0 "$3" "$2.2" apart
}

wireguard() { # NS OWN PEER
	local other=west
	[ "$1" = east ] || other=east
	must at "$1" ip link add wg0 type wireguard
	must at "$1" ip addr add "10.7.0.$2/24" dev wg0
	must at "$1" ip link set wg0 up
	must at "$1" wg set wg0 listen-port 51820 private-key "/run/wg.$1" \
		peer "$(wg pubkey < /run/wg.$other)" endpoint "192.0.2.$3:51820" allowed-ips 10.0.0.0/8
}

two_hosts
wire west w1 198.51.100.1/24 east e1 198.51.100.2/24
add_ns lan apart
wire lan l0 10.1.0.2/24 west lan0 10.1.0.1/24
must ip -n lan route add default via 10.1.0.1
in_quiet west sysctl -qw net.ipv4.ip_forward=1
for ns in west east; do
	# Of pings that redirects bring back, and of ways that differ.
	in_quiet $ns sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
	for dev in $(in_quiet $ns ls /proc/sys/net/ipv4/conf); do
		in_quiet $ns sysctl -qw "net.ipv4.conf.$dev.rp_filter=0"
	done
done
must at west ip rule add fwmark 0x23 table 100
must at west ip route add default via 198.51.100.2 dev w1 table 100
must at west ip link add sink type dummy
# It sends nothing of its own, as IPv6 would.
in_quiet west sysctl -qw net.ipv6.conf.sink.disable_ipv6=1
must at west ip link set sink up
load_esptun
static_west aes-gcm-128 on
static_east aes-gcm-128 on
(umask 077; for ns in west east; do wg genkey > /run/wg.$ns; done)
wireguard west 1 2
wireguard east 2 1
must clang -O2 -target bpf -DVPN0="$(ip -n west -j link show vpn0 | jq '.[0].ifindex')" \
	-DWG0="$(ip -n west -j link show wg0 | jq '.[0].ifindex')" -c "$VM_TOP/tests/vm/xdp.c" -o /run/xdp.o
# Of three pings so many have their priority outside: all, or none.
kinds=('vpn0 10.9.0 4500 wg0 3' 'wg0 10.7.0 51820 vpn0 0')
for kind in "${kinds[@]}"; do
	# shellcheck disable=SC2086 # words
	set -- $kind
	check "$1: pings" pings west "$2.2"
	on_tc "$@"
	into_tunnel "$@"
	on_qdiscs "$@"
	on_nft "$@"
	on_netdev "$@"
	on_scrub "$@"
	on_tc_marks "$@"
	on_marks "$@"
	on_xdp "$@"
	on_nat "$@"
	on_flowtable "$@"
done
for kind in "${kinds[@]}"; do
	# shellcheck disable=SC2086 # words
	on_netns $kind
done
finish
