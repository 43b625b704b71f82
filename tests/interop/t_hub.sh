#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-tier: full
# vm-timeout: 600
#
# esptund (hub) with four strongSwans as its clients, each with an identity and a network of its own:
# two have keys of their own, two share one. Traffic to each, one that leaves and comes back, one that
# wants what another has, one that shows who another is, keys that change.

. "$VM_TOP/tests/vm/lib.sh"
. "$VM_TOP/tests/vm/agent.sh"
. "$VM_TOP/tests/interop/hub.sh"

key=([1]=Kq7mTz3vRw9pXc2nYb5sLd8g [2]=9fGhJ4kWe6rVt2yNu8iMo5pQ [3]=$AGENT_PSK [4]=$AGENT_PSK)

# secrets: standard input becomes the file of Secrets=.
secrets() {
	cat > /run/conf/hub/clients
	chmod 600 /run/conf/hub/clients
}

# refused WHAT N IDENTITY: strongSwan of client N, with its own key, is not who it says.
refused() {
	client_conf "$2" id="$3"
	begin "$2"
	like "$1" "$(cat "/run/begin-$2.log")" 'AUTHENTICATION_FAILED'
	client_conf "$2"
}

load_esptun
hub
for n in 1 2 3 4; do
	client "$n"
done
for n in 1 2 3 4; do
	charon_up "$n"
done
conf hub vpn0 <<END
[Tunnel]
LocalID = hub.example
[Peer]
RemoteID = *.example
PSK = $AGENT_PSK
Clients = 8
Routes = 10.2.0.0/16
Selectors = 10.1.0.0/24 = 10.2.0.0/16
Secrets = /run/conf/hub/clients
[Client c1.example]
PSK = ${key[1]}
END
secrets <<END
# who has a key of its own
c2.example = ${key[2]}
END
agent hub

# ---- four clients ------------------------------------------------------------------------

for n in 1 2 3 4; do
	check "c$n comes" begin "$n" || tail -n 20 "$VM_OUT/charon-c$n.log"
done
is "the hub has four clients" "$(of hub .n_clients)" 4
is "each by its identity" "$(clients .id)" "c1.example c2.example c3.example c4.example"
is "and with its own network" "$(clients '.children[0].remote_ts[0]')" \
	"10.2.1.0/24 10.2.2.0/24 10.2.3.0/24 10.2.4.0/24"
for n in 1 2 3 4; do
	crossed "four clients" "$n"
done
is "the kernel counts each client's packets" "$(clients .peer.rx_packets)" "6 6 6 6"
like "status shows a client" "$(tell hub status vpn0)" 'client c3\.example: up peer .* at 192\.0\.3\.2'
unlike "no selectors are those of all" "$(tell hub status vpn0)" 'remote-ts 10\.2\.0\.0/16'

# ---- one leaves --------------------------------------------------------------------------

quietly in_quiet c2 swanctl --terminate --ike hub
check "c2 leaves: the hub has three" wait_for 20 n_clients_are 3
is "the others stay" "$(clients .id)" "c1.example c3.example c4.example"
refuse "nothing is sent to c2" 'Unreachable|100% packet loss' \
	at hub ping -n -c 1 -W 5 -I 10.1.0.1 10.2.2.1
crossed "c2 has left" 3
check "c2 comes again" begin 2
is "the hub has four clients again" "$(of hub .n_clients)" 4
crossed "c2 has come again" 2

# ---- one wants the network of another ----------------------------------------------------

quietly in_quiet c4 swanctl --terminate --ike hub
check "c4 leaves" wait_for 20 n_clients_are 3
client_conf 4 local_ts=10.2.1.0/24
begin 4
like "c4 does not get the network of c1" "$(cat /run/begin-4.log "$VM_OUT/charon-c4.log")" 'TS_UNACCEPT'
crossed "c1 keeps its network" 1

# ---- keys ----------------------------------------------------------------------------------

quietly in_quiet c2 swanctl --terminate --ike hub
quietly in_quiet c4 swanctl --terminate --ike hub
check "c2 and c4 leave" wait_for 20 n_clients_are 2
refused "with its own key c2 is not c1" 2 c1.example
refused "nor c3, which goes by the key of all" 2 c3.example
refused "with the key of all c4 is not c1" 4 c1.example
is "c1 and c3 stay" "$(clients .id)" "c1.example c3.example"
crossed "others showed who c1 is" 1
check "as itself c2 comes" begin 2
quietly in_quiet c2 swanctl --terminate --ike hub
check "c2 leaves again" wait_for 20 n_clients_are 2

secrets <<END
c2.example = ${key[1]}
END
check "another key for c2: reload" quietly tell hub reload
begin 2
like "its former key is refused" "$(cat /run/begin-2.log)" 'AUTHENTICATION_FAILED'
like "the log tells what to do" "$(cat "$VM_OUT/esptund-hub.part")" \
	"'c2\\.example' does not hold the key we have for it: set the same at its end and in \\[Client c2\\.example\\]"
is "who is connected stays" "$(clients .id)" "c1.example c3.example"
crossed "keys were changed" 3
secrets <<END
c2.example
END
like "a wrong line is told with its number" "$(tell hub reload 2>&1)" '/clients:1: expected IDENTITY = KEY'
key[2]=${key[1]}
client_conf 2
check "the new key serves, and a wrong file changes nothing" begin 2
crossed "with the new key" 2

# ---- the hub's agent starts anew, and c1 elsewhere ------------------------------------------

secrets <<END
c2.example = ${key[2]}
END
like "the kernel keeps who a client is" "$(at hub esptun peer show dev vpn0)" ' identity c1\.example$'
agent_stop hub KILL
kill -KILL "${charon_pid[1]}"
must ip -n c1 xfrm state flush
must ip -n c1 xfrm policy flush
must ip -n c1 addr del 192.0.1.2/24 dev e0
must ip -n c1 addr add 192.0.1.9/24 dev e0
agent hub
is "the clients are known again" "$(of hub .n_clients)" 3
rm -f /tmp/c1.vici
charon 1
charon_up 1
check "c1 comes back from elsewhere" begin 1
is "it is the client it was" "$(of hub .n_clients)" 3
crossed "from elsewhere" 1
crossed "who is still connected to the former agent" 3

# ---- keys that are taken away, or changed meanwhile ------------------------------------------

secrets <<END
c4.example = ${key[4]}
END
check "the key of c2 is taken away: reload" quietly tell hub reload
check "c2 is sent away" wait_for 20 n_clients_are 2
like "which is said" "$(said hub 'taken away')" "key of client 'c2\\.example'"
refuse "nothing is sent to c2 any more" 'Unreachable|100% packet loss' \
	at hub ping -n -c 1 -W 5 -I 10.1.0.1 10.2.2.1
crossed "c2 has no key" 3
agent_stop hub
key[1]=${key[2]}x
sed -i "s/^PSK = Kq7m.*/PSK = ${key[1]}/" /run/conf/hub/vpn0.conf
agent hub
is "a key was changed meanwhile: that client's SAs go, no others" "$(clients .id)" c3.example
crossed "who has its key still" 3
quietly in_quiet c1 swanctl --terminate --ike hub --force
client_conf 1
check "c1 comes with the new key" begin 1
crossed "with a key that was changed meanwhile" 1

check "esptund did not crash" agent_stop hub
finish
