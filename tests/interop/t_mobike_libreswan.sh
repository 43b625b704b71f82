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
. "$VM_TOP/tests/interop/mobike.sh"

load_esptun
two_hosts
lans
peer_start
peer_conf mobike=yes right=%any encap=auto
ours selectors='10.1.0.0/24 = 10.2.0.0/24'
agent west
# shellcheck disable=SC2034 # of mobike.sh
peer=libreswan log=$VM_OUT/pluto.log

# libreswan is told none of them (see libreswan.sh), and looks for the default route.
after_move() {
	[ "$1" = east ] || return 0
	local to
	for to in 10.1.0.0/24 default; do
		must ip -n east route replace "$to" via 192.0.2.1
	done
}

we_begin
is_up we-began
scene we-began-we-move west w0 192.0.2.11 192.0.2.1 'MOBIKE request: updating IPsec SA by request'
scene we-began-we-return west w0 192.0.2.1 192.0.2.11 'MOBIKE request: updating IPsec SA by request'

ours endpoint= selectors='10.1.0.0/24 = 10.2.0.0/24'
after_move east
peer_conf mobike=yes left=%defaultroute encap=auto
begin_anew
they_begin
is_up they-began
scene they-began-they-move east e0 192.0.2.22 192.0.2.2 'MOBIKE response: updating IPsec SA'
check "esptund ends" agent_stop west
finish
