#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-tier: full
# vm-timeout: 400
#
# An address changes in the middle of a transfer (MOBIKE): esptund began and its address changes,
# strongSwan's does; strongSwan began and its address changes, esptund's does. The transfer goes
# on within seconds, under the IKE SA and the child SA of before, and strongSwan's log says that it
# took part. Last without MOBIKE: another IKE SA, at once.

# shellcheck disable=SC2154 # $gap, $status are of agent.sh and strongswan.sh
. "$VM_TOP/tests/vm/lib.sh"
. "$VM_TOP/tests/vm/agent.sh"
. "$VM_TOP/tests/interop/strongswan.sh"

load_esptun
two_hosts
lans
charon 'keep_alive = 5s'
swan
ours
agent west
log=$VM_OUT/charon.log

# moved SIDE DEV TO FROM: another address instead. The second of a network goes with the first.
moved() {
	must ip -n "$1" addr add "$3/24" dev "$2"
	must ip -n "$1" addr del "$4/24" dev "$2"
	in_quiet "$1" ip addr replace "$3/24" dev "$2"
}

# logged PATTERN: how often strongSwan's log has it.
logged() {
	grep -c -E -- "$1" "$log"
}

spis() {
	of west '.ike.spi_i, .ike.spi_r, .child.spi_in, .child.spi_out'
}

# scene NAME SIDE DEV TO FROM PATTERN: while TCP runs both ways.
scene() {
	local name=$1 side=$2 dev=$3 to=$4 from=$5 pattern=$6 before seen tcp
	before=$(spis)
	seen=$(logged "$pattern")
	start east /run/iperf-server.log iperf3 -s -1 -B 10.2.0.1
	wait_for 10 listens east 5201
	start west "/run/$name.iperf" iperf3 -c 10.2.0.1 -B 10.1.0.1 -t 24 --bidir -b 5M
	tcp=$started
	meter west "$name" 10.2.0.1 -I 10.1.0.1
	sleep 5
	moved "$side" "$dev" "$to" "$from"
	wait "$tcp"
	is "$name: TCP all the time" "$?" 0
	meter_end "$name"
	echo "# $name: $(grep -o '[0-9]* packets transmitted, [0-9]* received' "/run/$name.ping")"
	check "$name: dark for at most 20 s" test "$gap" -le 200
	is "$name: the SAs of before" "$(spis)" "$before"
	check "$name: strongSwan's log has it" test "$(logged "$pattern")" -gt "$seen"
	said west 'ERROR|WARN' | tail -n 3
}

# is_up NAME: either end began; both take MOBIKE.
is_up() {
	is "$1: up" "$status" 0
	is "$1: esptun status shows MOBIKE" "$(of west .ike.mobike)" true
	check "$1: traffic" wait_for 10 answered west 10.2.0.1 -I 10.1.0.1
}

we_begin
is_up we-began
scene we-began-we-move west w0 192.0.2.11 192.0.2.1 \
	'parsed INFORMATIONAL request [0-9]+ \[ N\(UPD_SA_ADDR\) N\(NATD_S_IP\) N\(NATD_D_IP\)'
scene we-began-we-return west w0 192.0.2.1 192.0.2.11 \
	'remote endpoint changed from 192.0.2.11\[4500\] to 192.0.2.1\[4500\]'
scene we-began-they-move east e0 192.0.2.22 192.0.2.2 \
	'local endpoint changed from 192.0.2.2\[4500\] to 192.0.2.22\[4500\]'
moved east e0 192.0.2.2 192.0.2.22
wait_for 20 answered west 10.2.0.1 -I 10.1.0.1

ours endpoint=
begin_anew
they_begin
is_up they-began
scene they-began-they-move east e0 192.0.2.22 192.0.2.2 'requesting address change using MOBIKE'
check "we verified the address: strongSwan was asked for COOKIE2" \
	holds "$log" 'parsed INFORMATIONAL request [0-9]+ \[ N\(NATD_S_IP\) N\(NATD_D_IP\) N\(COOKIE2\) \]'
check "… and returned it" \
	holds "$log" 'generating INFORMATIONAL response [0-9]+ \[ N\(NATD_S_IP\) N\(NATD_D_IP\) N\(COOKIE2\) \]'
scene they-began-they-return east e0 192.0.2.2 192.0.2.22 'requesting address change using MOBIKE'
scene they-began-we-move west w0 192.0.2.11 192.0.2.1 \
	'remote endpoint changed from 192.0.2.1\[4500\] to 192.0.2.11\[4500\]'
moved west w0 192.0.2.1 192.0.2.11
wait_for 20 answered west 10.2.0.1 -I 10.1.0.1

ours
swan conn='mobike = no
    remote_addrs = %any'
begin_anew
we_begin
is "without: up" "$status" 0
is "without: esptun status says so" "$(of west .ike.mobike)" false
before=$(of west .ike.spi_i)
meter west without 10.2.0.1 -I 10.1.0.1
sleep 2
moved west w0 192.0.2.11 192.0.2.1
another() {
	[ "$(of west .ike.spi_i)" != "$before" ] && answered west 10.2.0.1 -I 10.1.0.1
}
check "without: another IKE SA" wait_for 30 another
meter_end without
check "without: dark for at most 20 s" test "$gap" -le 200
check "esptund ends" agent_stop west
finish
