#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-tier: full
# vm-timeout: 400
#
# t_mobike.sh with libreswan 4.10, which takes MOBIKE only where one end's address is not named,
# and moves only as the end that began: esptund began and its address changes; libreswan began,
# its address goes and another one is there.

# shellcheck disable=SC2154 # $gap, $status are of agent.sh and west.sh
. "$VM_TOP/tests/vm/lib.sh"
. "$VM_TOP/tests/vm/agent.sh"
PEER_ROOT=$ROOT_LIBRESWAN
. "$VM_TOP/tests/interop/libreswan.sh"

load_esptun
two_hosts
lans
peer_start
peer_conf mobike=yes right=%any encap=auto
ours selectors='10.1.0.0/24 = 10.2.0.0/24'
agent west
log=$VM_OUT/pluto.log

# libreswan is told none of them (see libreswan.sh), and looks for the default route.
routes_of_east() {
	local to
	for to in 10.1.0.0/24 default; do
		must ip -n east route replace "$to" via 192.0.2.1
	done
}

# moved SIDE DEV TO FROM: another address instead. The second of a network goes with the first.
moved() {
	must ip -n "$1" addr add "$3/24" dev "$2"
	must ip -n "$1" addr del "$4/24" dev "$2"
	in_quiet "$1" ip addr replace "$3/24" dev "$2"
	[ "$1" != east ] || routes_of_east
}

spis() {
	of west '.ike.spi_i, .ike.spi_r, .child.spi_in, .child.spi_out'
}

# scene NAME SIDE DEV TO FROM PATTERN: while TCP runs both ways.
scene() {
	local name=$1 before seen tcp
	before=$(spis)
	seen=$(grep -c -E -- "$6" "$log")
	start east /run/iperf-server.log iperf3 -s -1 -B 10.2.0.1
	wait_for 10 listens east 5201
	start west "/run/$name.iperf" iperf3 -c 10.2.0.1 -B 10.1.0.1 -t 24 --bidir -b 5M
	tcp=$started
	meter west "$name" 10.2.0.1 -I 10.1.0.1
	sleep 5
	moved "$2" "$3" "$4" "$5"
	wait "$tcp"
	is "$name: TCP all the time" "$?" 0
	meter_end "$name"
	check "$name: dark for at most 20 s" test "$gap" -le 200
	is "$name: the SAs of before" "$(spis)" "$before"
	check "$name: libreswan's log has it" test "$(grep -c -E -- "$6" "$log")" -gt "$seen"
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
scene we-began-we-move west w0 192.0.2.11 192.0.2.1 'MOBIKE request: updating IPsec SA by request'
scene we-began-we-return west w0 192.0.2.1 192.0.2.11 'MOBIKE request: updating IPsec SA by request'

ours endpoint= selectors='10.1.0.0/24 = 10.2.0.0/24'
routes_of_east
peer_conf mobike=yes left=%defaultroute encap=auto
begin_anew
they_begin
is_up they-began
scene they-began-they-move east e0 192.0.2.22 192.0.2.2 'MOBIKE response: updating IPsec SA'
check "esptund ends" agent_stop west
finish
