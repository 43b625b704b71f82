# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# An address changes in the middle of a transfer (MOBIKE): what t_mobike.sh and t_mobike_libreswan.sh
# share. Source it after the file of the peer. The script sets peer and log, the peer's name and its
# log, and defines after_move if the peer's host needs more than another address.

# shellcheck disable=SC2154 # $gap, $status are of agent.sh and west.sh, $peer and $log of the script

# after_move SIDE: whose address is another one now.
after_move() {
	:
}

# moved SIDE DEV TO FROM: another address instead. The second of a network goes with the first.
moved() {
	must ip -n "$1" addr add "$3/24" dev "$2"
	must ip -n "$1" addr del "$4/24" dev "$2"
	in_quiet "$1" ip addr replace "$3/24" dev "$2"
	after_move "$1"
}

# logged PATTERN: how often the peer's log has it.
logged() {
	grep -c -E -- "$1" "$log"
}

spis() {
	of west '.ike.spi_i, .ike.spi_r, .child.spi_in, .child.spi_out'
}

# scene NAME SIDE DEV TO FROM PATTERN: while TCP runs both ways.
scene() {
	local name=$1 pattern=$6 before seen tcp
	before=$(spis)
	seen=$(logged "$pattern")
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
	echo "# $name: $(grep -o '[0-9]* packets transmitted, [0-9]* received' "/run/$name.ping")"
	check "$name: dark for at most 20 s" test "$gap" -le 200
	is "$name: the SAs of before" "$(spis)" "$before"
	check "$name: $peer's log has it" test "$(logged "$pattern")" -gt "$seen"
	said west 'ERROR|WARN' | tail -n 3
}

# is_up NAME: either end began; both take MOBIKE.
is_up() {
	is "$1: up" "$status" 0
	is "$1: esptun status shows MOBIKE" "$(of west .ike.mobike)" true
	check "$1: traffic" wait_for 10 answered west 10.2.0.1 -I 10.1.0.1
}
