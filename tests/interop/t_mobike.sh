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
. "$VM_TOP/tests/interop/mobike.sh"

load_esptun
two_hosts
lans
charon 'keep_alive = 5s'
swan
ours
agent west
# shellcheck disable=SC2034 # of mobike.sh
peer=strongSwan
log=$VM_OUT/charon.log

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
