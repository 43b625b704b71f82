#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# IKE_AUTH in fragments (RFC 7383): strongSwan splits what is longer than 200 bytes, and ours
# has so many traffic selectors and proposals and such long identities that it does not fit in 1,280.

. "$VM_TOP/tests/vm/lib.sh"
. "$VM_TOP/tests/sock/strongswan.sh"

label=$(printf 'x%.0s' {1..60})
long=$label.$label.$label.$label
selectors=''
for i in {1..63..2}; do # not neighbours, which would be joined
	selectors+=${selectors:+, }"10.1.$i.0/24 = 10.2.1.0/24"
done

ike=''
for cipher in aes256gcm16 aes192gcm16 aes128gcm16; do
	ike+=${ike:+, }$cipher-prfsha256-x25519
done

three_hosts
charon 'fragment_size = 200'
tunnel west 1 begun start=now "lid=west.$long" "rid=east.$long" "ike=$ike" "peer=Selectors = $selectors"
tunnel west 2 heard start=listen "lid=west2.$long" "rid=east.$long"
load_swan
ike west
check "we begin: up" wait_for 10 state_is west begun up
check "they begin: up" quietly swan --initiate --child heard --timeout 10
check "we begin: ESP there and back" pings 1
check "they begin: ESP there and back" pings 2
log=$(cat "$VM_OUT/charon.log")
like "we split our IKE_AUTH request" "$log" 'parsed IKE_AUTH request 1 \[ EF\(2/2\) \]'
like "strongSwan splits its IKE_AUTH request" "$log" 'generating IKE_AUTH request 1 \[ EF\(2/'
like "strongSwan splits its IKE_AUTH response" "$log" 'generating IKE_AUTH response 1 \[ EF\(2/'
check "ends in peace" ike_end west
finish
