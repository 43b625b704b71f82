#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# esptund itself, without a kernel module (no_module.c), as client of strongSwan's pool: address, name
# servers and routes, and what it does not take.

. "$VM_TOP/tests/vm/lib.sh"
. "$VM_TOP/tests/sock/strongswan.sh"

three_hosts
charon
tunnel west 2 asking start=now conn='pools = east' child='dpd_action = none' rid=east.example
sed -i -e '/^\[Peer\]/i Address = request' -e 's/^Routes.*/Routes = request/' /run/conf/west/asking.conf
sed -i 's,remote_ts = 10.1.2.0/24,remote_ts = dynamic,' "$VM_OUT/swanctl.conf"
cat >> "$VM_OUT/swanctl.conf" <<-END
	pools {
	  east {
	    addrs = 10.8.0.0/24
	    dns = 10.2.2.53
	  }
	}
END
load_swan

# Sanitizers make system calls that no confined process may make.
esptund=$(cd "$VM_TOP" && realpath "${B:-build}/tests/esptund-no-module")
esptun=$(cd "$VM_TOP" && realpath "${B:-build}/esptun")

agent_starts() {
	start west "$VM_OUT/agent-$1.log" "$esptund" --config /run/conf/west \
		--socket /run/agent.sock --state /run/state --foreground
	agent=$started
}

of() {
	"$esptun" -control /run/agent.sock -j status asking | jq -r ".tunnels[0]$1"
}

says() {
	grep -q -- "$2" "$VM_OUT/agent-$1.log"
}

up() {
	[ "$(of .state)" = up ]
}

agent_starts 1
check "we are up" wait_for 20 up
is "and have an address" "$(of '.lease[0]')" 10.8.0.1
is "and the network that is left of the selectors" "$(of '.told_routes | join(" ")')" 10.2.2.0/24
# resolved is not in this network namespace, if it is anywhere.
check "the name server is told, and how it is used" wait_for 10 \
	says 1 "name servers are 10.2.2.53, for all names: not used, for .*resolvectl dns asking 10.2.2.53"
kill -TERM "$agent"
check "the agent ends in peace" wait_for 15 gone "$agent"

sed -i -e '/^Address/a DNS = no' /run/conf/west/asking.conf
agent_starts 2
check "we are up again" wait_for 20 up
check "name servers can be left alone" wait_for 10 says 2 'not used, by DNS = no'
kill -TERM "$agent"
check "the agent ends once more" wait_for 15 gone "$agent"

# Selectors that leave a part of what strongSwan has, which is what is negotiated then.
sed -i -e '/^Selectors/d' -e '/^Routes/a Selectors = any = 10.2.2.0/25' /run/conf/west/asking.conf
agent_starts 3
check "narrower selectors: up" wait_for 20 up
is "route what they leave" "$(of '.told_routes | join(" ")')" 10.2.2.0/25
kill -TERM "$agent"
check "the agent ends at last" wait_for 15 gone "$agent"
unlike "no process was stopped by its filter" "$(cat "$VM_OUT"/agent-*.log)" 'not in the allow-list'
finish
