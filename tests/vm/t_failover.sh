#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-timeout: 300
# vm-tier: full
#
# Two gateways with keepalived, with the files of Documentation/guides/two-gateways.md: one dies, the other one takes its
# addresses, and clients are back in seconds, of which one is behind a NAT.
#
#   oslo 192.0.2.20 ------------------------------- inet --+-- gw1 198.51.100.3, 10.2.0.2 --+-- lan 10.2.0.10
#   rome 192.168.1.2 --- nat 203.0.113.9 ---------- inet   +-- gw2 198.51.100.4, 10.2.0.3 --+
#                                                          198.51.100.2 and 10.2.0.1: one of both

# shellcheck disable=SC2154 # $there is of others.sh, $gap of agent.sh
. "$VM_TOP/tests/vm/lib.sh"
. "$VM_TOP/tests/vm/agent.sh"
. "$VM_TOP/tests/vm/others.sh"

guide two-gateways
add_ns oslo rome nat inet gw1 gw2 lan

# bridge NS ADDRESS: br0 of that namespace.
bridge() {
	must ip -n "$1" link add br0 type bridge
	must ip -n "$1" addr add "$2" dev br0
	must ip -n "$1" link set br0 up
}

# plug NS DEV ADDRESS BRIDGE: a cable to that namespace's bridge.
plug() {
	must ip link add "$2" netns "$1" type veth peer name "$1" netns "$4"
	must ip -n "$1" addr add "$3" dev "$2"
	must ip -n "$1" link set "$2" up
	must ip -n "$4" link set "$1" master br0 up
}

bridge inet 198.51.100.1/24
bridge lan 10.2.0.10/24
for n in 1 2; do
	plug gw$n wan0 198.51.100.$((n + 2))/24 inet
	plug gw$n lan0 10.2.0.$((n + 1))/24 lan
	must ip -n gw$n route add default via 198.51.100.1
done
wire oslo wan0 192.0.2.20/24 inet oslo 192.0.2.1/24
wire nat out0 203.0.113.9/24 inet nat 203.0.113.1/24
wire rome wan0 192.168.1.2/24 nat in0 192.168.1.1/24
must ip -n oslo route add default via 192.0.2.1
must ip -n nat route add default via 203.0.113.1
must ip -n rome route add default via 192.168.1.1
must ip -n lan route add default via 10.2.0.1
for ns in inet nat gw1 gw2; do
	in_quiet $ns sysctl -qw net.ipv4.ip_forward=1
done
in_quiet nat nft -f - <<-'END'
table ip nat { chain post { type nat hook postrouting priority 100; oifname out0 masquerade; }; }
END
load_esptun

# ---- both gateways ----------------------------------------------------------------------------

mkdir -p /etc/esptun
(umask 077 && esptun keygen > /etc/esptun/oslo.psk && esptun keygen > /etc/esptun/rome.psk)

# begin_gateway N: its agent, and keepalived.
declare -A keepalived=()
begin_gateway() {
	local n=$1 file=/etc/keepalived/gw$1.conf
	block '# gw1 and gw2: /etc/esptun/hub.conf' | conf gw$n hub
	agent gw$n
	block '! gw1: /etc/keepalived/keepalived.conf' > "$others$file"
	[ $n = 1 ] || sed -i 's/priority 150/priority 100/' "$others$file"
	start gw$n "$VM_OUT/keepalived-$n.log" "${there[@]}" keepalived -n -l -D -f "$file" \
		-p /run/keepalived-$n.pid -r /run/vrrp-$n.pid
	keepalived[$n]=$started
}

in_charge() { # N
	ip -n gw"$1" addr show dev wan0 | grep -q 'inet 198\.51\.100\.2/' &&
		ip -n gw"$1" addr show dev lan0 | grep -q 'inet 10\.2\.0\.1/'
}

begin_gateway 1
check "the first gateway is in charge" wait_for 20 in_charge 1 || bail "$(cat "$VM_OUT/keepalived-1.log")"
begin_gateway 2

# ---- clients -----------------------------------------------------------------------------------

client_conf() {
	block '# oslo: /etc/esptun/hq.conf' | sed "s,/hq\.psk,/$1.psk,; s/oslo/$1/; s/10\.11\./$2/"
}

client_conf oslo 10.11. | conf oslo hq
client_conf rome 10.12. | conf rome hq
declare -A inside=([oslo]=10.11.0.1 [rome]=10.12.0.1)
for client in oslo rome; do
	must ip -n $client addr add ${inside[$client]}/32 dev lo
	agent $client
	check "$client reaches the network behind the gateways" wait_for 20 answered $client 10.2.0.10 -I ${inside[$client]}
done

received() { # N
	ip -n gw"$1" -s -j link show hub | jq '.[0].stats64.rx.packets'
}

# carries N: 10 pings of each client go by that gateway.
carries() {
	local client before
	for client in oslo rome; do
		before=$(received "$1")
		at $client ping -n -q -c 10 -i 0.1 -W 20 -I ${inside[$client]} 10.2.0.10 | grep ' 10 received' || return 1
		[ $(($(received "$1") - before)) -ge 10 ] || return 1
	done
}

begin_meters() {
	local client
	for client in oslo rome; do
		meter $client $client 10.2.0.10 -I ${inside[$client]}
	done
	sleep 2
}

# end_meters NAME SECONDS: no client was without an answer for longer.
end_meters() {
	local client
	for client in oslo rome; do
		meter_end $client
		check "$1: $client is back within $2 s" test "$gap" -le $(($2 * 10 * ${VM_PATIENCE:-1}))
	done
}

all_back() {
	answered oslo 10.2.0.10 -I ${inside[oslo]} && answered rome 10.2.0.10 -I ${inside[rome]}
}

# cables N up|down
cables() {
	must ip -n gw"$1" link set wan0 "$2"
	must ip -n gw"$1" link set lan0 "$2"
	[ "$2" = down ] || must ip -n gw"$1" route replace default via 198.51.100.1
}

check "by the first gateway" carries 1
# An IKE SA that is younger than 10 s is not replaced for what an unprotected message says.
sleep 10

# A machine as slow as ten of these has another 5 s.
begin_meters
cables 1 down
kill -KILL "${keepalived[1]}"
agent_stop gw1 KILL
check "the first gateway dies: the second one is in charge" wait_for 20 in_charge 2
wait_for 60 all_back
sleep 2
end_meters "the first gateway dies" 10
check "by the second gateway" carries 2

begin_meters
must ip -n gw1 link del hub
must ip -n gw1 addr flush dev wan0 to 198.51.100.2
must ip -n gw1 addr flush dev lan0 to 10.2.0.1
cables 1 up
begin_gateway 1
sleep 10
end_meters "the first gateway comes back" 5
check "the second one stays in charge" in_charge 2

begin_meters
cables 2 down
check "the second gateway loses its cables: the first one is in charge" wait_for 20 in_charge 1
wait_for 60 all_back
sleep 2
end_meters "the second gateway loses its cables" 10
check "by the first gateway" carries 1

begin_meters
cables 2 up
sleep 20
end_meters "the second gateway comes back with its old SAs" 5
check "the first one stays in charge" in_charge 1
check "and carries all" carries 1
finish
