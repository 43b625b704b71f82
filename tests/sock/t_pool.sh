#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Addresses by the configuration payload: two strongSwan clients (vips) of our hub, one of which comes again,
# and one that asks for none; then we are a client of strongSwan's pool.

. "$VM_TOP/tests/vm/lib.sh"
. "$VM_TOP/tests/sock/strongswan.sh"

three_hosts
charon
hub <<-END
	Selectors = 10.1.1.0/24 = any
	[Pool]
	Range = 10.9.0.2-10.9.0.3, fd09::/64
	DNS = 10.1.1.53
	Domains = corp.example
END

client alice 'vips = 0.0.0.0'
client bob 'vips = 0.0.0.0, ::'
client carol
client dave 'vips = 0.0.0.0'

# And the other way round: east has the pool.
tunnel west 2 asking start=listen conn='pools = east' child='dpd_action = none' rid=east.example
sed -i -e '/^\[Peer\]/i Address = request' -e '/^Routes/d' /run/conf/west/asking.conf
sed -i 's,remote_ts = 10.1.2.0/24,remote_ts = dynamic,' "$VM_OUT/swanctl.conf"
cat >> "$VM_OUT/swanctl.conf" <<-END
	pools {
	  east {
	    addrs = 10.8.0.0/24
	    dns = 10.2.2.53
	  }
	}
END
sed -i 's/^Start = listen/Start = now/' /run/conf/west/asking.conf
load_swan
ike west

check "strongSwan has a pool: we are up" wait_for 10 state_is west asking up
like "and have an address of it" "$(lines west 'select(.event == "settings")')" '"address":"10.8.0.1","server":"10.2.2.53"'
check "to which packets come, and back" in_quiet east ping -q -c 1 -W 2 -I 10.2.2.1 10.8.0.1

for name in alice bob; do
	check "$name comes" quietly swan --initiate --child "$name" --timeout 10
done
their_sas
like "alice has the first address" "$(their_sas)" '\[10.9.0.2\]|local  10.9.0.2/32'
like "bob has the second one, and one of IPv6" "$(swan --list-sas --ike bob)" '10.9.0.3.*fd09::1'
check "alice's packets come, and back" in_quiet east ping -q -c 1 -W 2 -I 10.9.0.2 10.1.1.7
check "bob's, too" in_quiet east ping -q -c 1 -W 2 -I 10.9.0.3 10.1.1.7

swan --initiate --child dave --timeout 5 > "$VM_OUT/dave" 2>&1
like "a third one finds the pool used up" "$(cat "$VM_OUT/dave")" INTERNAL_ADDRESS_FAILURE
like "which we tell" "$(lines west 'select(.event == "log").text')" "client 'dave.client.example' gets no .*address: clients"
swan --initiate --child carol --timeout 5 > "$VM_OUT/carol" 2>&1
like "who asks for none gets no child SA" "$(cat "$VM_OUT/carol")" FAILED_CP_REQUIRED

check "bob goes" quietly swan --terminate --ike bob --timeout 10
check "alice goes" quietly swan --terminate --ike alice --timeout 10
check "bob comes again" quietly swan --initiate --child bob --timeout 10
like "and has his address" "$(swan --list-sas --ike bob)" '10.9.0.3'
finish
