#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-tier: full
# vm-timeout: 600
#
# esptund (hub) gives two strongSwans addresses of its pool, which they keep over reconnecting and over a
# restart of the hub's agent; then esptund (road) gets its address from strongSwan's pool.

. "$VM_TOP/tests/vm/lib.sh"
. "$VM_TOP/tests/vm/agent.sh"
. "$VM_TOP/tests/interop/hub.sh"

key=([1]=$AGENT_PSK [2]=$AGENT_PSK)

# asking N: strongSwan of client N asks for an address, and for no network of its own.
asking() {
	local file=/etc/netns/c$1/swanctl/swanctl.conf
	sed -i -e 's/^ *remote_addrs.*/&\n    vips = 0.0.0.0/' -e '/local_ts/d' "$file"
	quietly in_quiet "c$1" swanctl --load-all --clear ||
		bail "strongSwan of c$1 does not take its configuration"
}

load_esptun
hub
for n in 1 2; do
	client "$n"
done
for n in 1 2; do
	charon_up "$n"
	asking "$n"
done
conf hub vpn0 <<END
[Tunnel]
LocalID = hub.example
Address = 10.9.0.1/24
[Peer]
RemoteID = *.example
PSK = $AGENT_PSK
Clients = 8
Selectors = 10.1.0.0/24 = any
[Pool]
Range = 10.9.0.0/24
END
agent hub

check "c1 comes" begin 1 || tail -n 20 "$VM_OUT/charon-c1.log"
check "c2 comes" begin 2
is "each has an address" "$(clients '.lease[0]')" '10.9.0.2 10.9.0.3'
is "which is its selectors" "$(clients '.children[0].remote_ts[0]')" '10.9.0.2/32 10.9.0.3/32'
is "the pool tells it" "$(of hub .pool.ipv4.held)" 2
for n in 1 2; do
	check "c$n: ping to it" pings hub "10.9.0.$((n + 1))" -I 10.1.0.1
	check "c$n: ping from it" pings "c$n" 10.1.0.1 -I "10.9.0.$((n + 1))"
done

in_quiet c1 swanctl --terminate --ike hub > /dev/null 2>&1
check "c1 goes" wait_for 20 n_clients_are 1
check "c1 comes again" begin 1
is "and has its address" "$(clients '.lease[0]')" '10.9.0.2 10.9.0.3'

check "the hub's agent ends" agent_stop hub
agent hub
check "c2 still has traffic" pings c2 10.1.0.1 -I 10.9.0.3
is "both are there" "$(of hub .pool.ipv4.held)" 2

# The new agent does not know c1's IKE SA: that begins anew, so that it can go.
in_quiet c1 swanctl --terminate --ike hub --force --timeout 2 > /dev/null 2>&1
check "c1 comes, to this agent" begin 1
in_quiet c1 swanctl --terminate --ike hub > /dev/null 2>&1
check "c1 goes" wait_for 20 n_clients_are 1
check "the hub's agent ends once more" agent_stop hub
agent hub
is "c1's lease waits for it" "$(tell hub -j pool show | jq -r '.pools[0].leases[0] | .address + " " + .state')" \
	"10.9.0.2 offline"

# ---- a client of strongSwan ---------------------------------------------------------------

add_ns road
wire road r0 192.0.9.1/24 c2 e9 192.0.9.2/24
cat >> /etc/netns/c2/swanctl/swanctl.conf <<END
connections {
  road {
    version = 2
    pools = road
    proposals = aes256gcm16-prfsha256-x25519
    local {
      auth = psk
      id = server.example
    }
    remote {
      auth = psk
      id = road.example
    }
    children {
      net {
        local_ts = 10.2.2.0/24
        esp_proposals = aes256gcm16
      }
    }
  }
}
pools {
  road {
    addrs = 10.8.0.7-10.8.0.20
    dns = 10.2.2.53
  }
}
END
quietly in_quiet c2 swanctl --load-all || bail "strongSwan of c2 does not take its pool"
conf road vpn0 <<END
[Tunnel]
LocalID = road.example
Address = request
[Peer]
Endpoint = 192.0.9.2
RemoteID = server.example
PSK = $AGENT_PSK
Routes = request
END
agent road
check "road is up" wait_for 20 state_is road up
is "and has an address" "$(of road '.lease[0]')" 10.8.0.7
like "which is on the netdevice" "$(ip -n road -4 addr show dev vpn0)" 'inet 10.8.0.7/32'
check "the network that is left of the selectors has a route" \
	wait_for 10 eval 'ip -n road route show dev vpn0 | grep -q 10.2.2.0/24'
is "which the status tells" "$(of road '.told_routes[0]')" 10.2.2.0/24
check "the log says how to use the name server" wait_for 10 said road 'resolvectl dns vpn0 10.2.2.53'
check "road: ping from it" pings road 10.2.2.1
check "road: ping to it" pings c2 10.8.0.7 -I 10.2.2.1
check "road's agent ends" agent_stop road
like "the address stays" "$(ip -n road -4 addr show dev vpn0)" 'inet 10.8.0.7/32'
agent road
like "the next agent keeps it" "$(ip -n road -4 addr show dev vpn0)" 'inet 10.8.0.7/32'
like "and the route" "$(ip -n road route show dev vpn0)" '10\.2\.2\.0/24'
check "road: ping from it, with the SAs that were there" pings road 10.2.2.1
check "road is up again" wait_for 60 state_is road up
is "with its address" "$(of road '.lease[0]')" 10.8.0.7
check "down" tell road down vpn0
unlike "the address is gone" "$(ip -n road -4 addr 2>&1)" '10\.8\.0\.7'
unlike "and the route, too" "$(ip -n road route 2>&1)" '10\.2\.2\.0/24'

quietly ip -n road link add lan type dummy && quietly ip -n road addr add 10.8.0.1/24 dev lan &&
	quietly ip -n road link set lan up || bail "no other network for road"
tell road up vpn0 > /dev/null 2>&1
check "an address of a network that road is in is refused" \
	wait_for 20 said road '10.8.0.7, which is of another netdevice here, or of the network there'
unlike "the tunnel does not count as up" "$(of road .state)" '^up$'
like "and the status says why" "$(of road .error)" 'which cannot be used here'
unlike "it is not on the netdevice" "$(ip -n road -4 addr show dev vpn0 2>&1)" '10\.8\.0\.7'
finish
