#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-tier: full
# vm-timeout: 1500
#
# strongSwan set up in the ways people set it up, each of which esptun has no part in: the tunnel
# comes up and carries traffic, begun by either end, or the reason is told.

# shellcheck disable=SC2154 # $answer, $status, $gap, $charon_pid are of strongswan.sh
. "$VM_TOP/tests/vm/lib.sh"
. "$VM_TOP/tests/vm/agent.sh"
. "$VM_TOP/tests/interop/strongswan.sh"

load_esptun
two_hosts
lans
charon 'send_vendor_id = yes' 'cisco_unity = yes'
swan
ours
agent west

traffic() { # NAME
	check "$1: to us" pings east 10.1.0.1 -I 10.2.0.1 -M dont -s "$size"
	check "$1: from us" pings west 10.2.0.1 -I 10.1.0.1 -M dont -s "$size"
}

# works NAME [KEY=VALUE of swan...]
size=1472
works() {
	local name=$1
	shift
	swan "$@"
	ours endpoint= "${our[@]}"
	begin_anew
	they_begin
	is "$name, they begin" "$status" 0
	[ "$status" != 0 ] || traffic "$name, they begin"
	ours "${our[@]}"
	begin_anew
	we_begin
	is "$name, we begin" "$status" 0
	[ "$status" = 0 ] || echo "$answer"
	[ "$status" != 0 ] || traffic "$name, we begin"
}
our=(begin=now)
works 'as usual'
works 'fragmentation = force' conn='fragmentation = force'
works 'mobike' conn='mobike = yes'
works 'childless = never' conn='childless = never'
works 'certificate requests' conn='send_certreq = yes
send_cert = always'
works 'IPComp' child='ipcomp = yes'
works 'TFC padding' child='tfc_padding = 1200'
works 'copy_df = no' child='copy_df = no
copy_ecn = no'
works 'default proposals' ike=default esp=default
works 'several selectors' lts='10.2.0.0/24,10.3.0.0/24' rts='10.1.0.0/24,10.4.0.0/24'
works 'any to any' lts='0.0.0.0/0' rts='0.0.0.0/0'
our=(begin=now rid=any)
works 'a DN' lid='"C=CH, O=Example, CN=east"'

# ---- what cannot be: the reason is told ---------------------------------------------------

our=(begin=now)
ours
swan conn='childless = force'
begin_anew
we_begin
is "childless = force, we begin: no tunnel" "$status" 2
like "childless = force, we begin: the reason" "$answer" 'childless = allow'
ours endpoint=
begin_anew
they_begin
[ "$status" != 0 ]
result $? "childless = force, they begin: no tunnel"
like "childless = force, they begin: the reason" "$answer" 'does not support childless'

ours
swan child='mode = transport' lts=192.0.2.2/32 rts=192.0.2.1/32
begin_anew
we_begin
is "transport mode: it falls back to tunnel mode" "$status" 0

ours
swan lid='"C=CH, O=Example, CN=east"'
begin_anew
we_begin
like "a DN where a name is expected: what came is told" "$answer" 'CN=east|identif|AUTHENTICATION_FAILED'

kill -0 "$charon_pid"
is "strongSwan did not crash" "$?" 0
check "nor did esptund" agent_stop west
finish
