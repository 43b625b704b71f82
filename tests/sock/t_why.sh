#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# esptun why: each thing that keeps an IKE SA from coming up is broken alone, and it is the one that is named, with
# exit code 3. Both ends are esptund itself, without a kernel module (no_module.c), and so is the command.
# What needs a module is in tests/vm/t_why.sh.
#
#   west 192.0.2.1 --- 192.0.2.254 mid 198.51.100.254 --- 198.51.100.2 east

# shellcheck disable=SC2154 # $VM_OUT: tests/sock/run
. "$VM_TOP/tests/vm/lib.sh"
. "$VM_TOP/tests/sock/certs.sh"

PSK=5dtRc2sPqYb8Wm1xVn7uKz4L
built=$(cd "$VM_TOP" && realpath "${B:-build}/tests")
declare -A agent_pid=()

# conf_west KEY=VALUE..., conf_east: hq.conf of both ends; what is not said fits the other end.
conf_west() {
	local endpoint=198.51.100.2 id=west.example key="PSK = $PSK" crypto=modern selectors=any own=''
	[ $# = 0 ] || local "$@"
	write_conf west 192.0.2.1 "$id" "$own" "Endpoint = $endpoint
	RemoteID = east.example
	Start = now" "$key" "$crypto" "$selectors"
}

conf_east() {
	local key="PSK = $PSK" crypto=modern selectors=any own=''
	[ $# = 0 ] || local "$@"
	write_conf east 198.51.100.2 east.example "$own" 'RemoteID = west.example' "$key" "$crypto" "$selectors"
}

write_conf() { # NS LOCAL ID TUNNEL-LINES PEER-LINES KEY CRYPTO SELECTORS
	mkdir -p "/run/conf/$1" "/run/state-$1"
	cat > "/run/conf/$1/hq.conf" <<-END
	[Tunnel]
	Local = $2
	LocalID = $3
	$4
	[Peer]
	$5
	$6
	Crypto = $7
	Selectors = $8
	END
	chmod 600 "/run/conf/$1/hq.conf"
}

agent() { # NS
	rm -f "$VM_OUT/$1.log"
	start "$1" "$VM_OUT/$1.log" "$built/esptund-no-module" -c "/run/conf/$1" -s "/run/$1.control" \
		--state "/run/state-$1" --no-seccomp
	agent_pid[$1]=$started
	wait_for 20 holds "$VM_OUT/$1.log" 'version .* ready' || bail "esptund: $(cat "$VM_OUT/$1.log")"
}

tell() { # NS COMMAND...
	in_quiet "$1" "$built/esptun-no-module" -control "/run/$1.control" "${@:2}"
}

state_is() { # NS STATE
	[ "$(tell "$1" -j status | jq -r '.tunnels[0].state')" = "$2" ]
}

agent_end() { # NS
	kill -TERM "${agent_pid[$1]}"
	wait_for 10 gone "${agent_pid[$1]}"
}

# again [SECONDS]: both ends begin anew with their files, and the west tries for so long.
again() {
	agent_end west
	agent_end east
	agent east
	agent west
	tell west up hq timeout "${1:-3}" > /dev/null 2>&1
}

fault_is() { # NS WORD
	[ "$(tell "$1" -j status | jq -r '.tunnels[0].fault')" = "$2" ]
}

# why NAME CHECK PATTERN: the check finds the fault, those before it none, and those behind it are not made.
why() {
	local said code
	said=$(tell west -j why hq)
	code=$?
	is "$1: exit code" "$code" 3
	is "$1: the check" "$(jq -r .check <<< "$said")" "$2"
	like "$1: the sentence" "$(jq -r .text <<< "$said")" "$3"
	is "$1: no other diagnosis" "$(jq -r '[.steps[] | select(.verdict != "ok")] | length' <<< "$said")" 1
	is "$1: nothing after it" "$(jq -r '.steps[-1].check' <<< "$said")" "$2"
}

# fault NS [CHAIN-DEFINITION RULE]: a firewall there, or none any more.
fault() {
	in_quiet "$1" nft delete table inet broken 2> /dev/null
	[ $# -gt 1 ] || return 0
	must in_quiet "$1" nft add table inet broken
	must in_quiet "$1" nft add chain inet broken c "{ type filter hook $2; }"
	# shellcheck disable=SC2086 # words of a rule
	must in_quiet "$1" nft add rule inet broken c $3
}

add_ns west mid east
wire west w0 192.0.2.1/24 mid m0 192.0.2.254/24
wire mid m1 198.51.100.254/24 east e0 198.51.100.2/24
in_quiet mid sysctl -qw net.ipv4.ip_forward=1
must ip -n west route add default via 192.0.2.254
must ip -n east route add default via 198.51.100.254
conf_west
conf_east

# ---- this machine ---------------------------------------------------------------------

why "the agent does not run" agent 'the agent is not running .*: systemctl start esptund'
start west /run/taken.log "$PYTHON" -c \
	'import socket,time; s=socket.socket(2,2); s.bind(("",500)); print("ready",flush=True); time.sleep(600)'
wait_for 10 holds /run/taken.log ready
why "another daemon has port 500" 'port 500' "UDP port 500 is taken by python3.* \(process $started\): stop that IKE daemon"
stop "$started"
agent east
agent west
wait_for 20 state_is west up || bail "the tunnel is not up"
said=$(tell west why hq -v)
like "a tunnel that works: each check is told" "$said" '^ok      agent: '
unlike "and none finds a fault" "$said" '^fault'
is "what cannot be told is said, and is no success" "$(tell west why hq > /dev/null; echo $?)" 3
like "with what to do" "$said" 'esptun why hq to ADDRESS'
like "a name that is no tunnel's" "$(tell west -j why nosuch | jq -r '.check + ": " + .text')" '^configuration: no tunnel nosuch: .*esptun up nosuch'
conf_west endpoint=nosuch.invalid
again
wait_for 30 fault_is west name
why "a name that nobody knows" name 'cannot find the address of nosuch.invalid'

# ---- the way to the peer --------------------------------------------------------------

conf_west
fault west 'output priority 0' 'udp dport 500 drop'
again
why "a firewall of ours drops what goes out" sending 'nothing can be sent from 192.0.2.1:500 to 198.51.100.2:500: Operation not permitted'
fault west
must in_quiet west nft add table netdev broken
must in_quiet west nft add chain netdev broken c '{ type filter hook egress device w0 priority 0; }'
must in_quiet west nft add rule netdev broken c udp dport 500 drop
again
why "it vanishes behind the socket" sending 'are sent, and none leaves this machine'
must in_quiet west nft delete table netdev broken
fault west 'input priority 0' 'udp sport 500 drop'
again
why "a firewall of ours drops the answer" peer '198.51.100.2:500 answers, and a firewall of this machine drops it: let UDP to 192.0.2.1:500 in'
fault west
fault mid 'forward priority 0' 'udp dport 500 drop'
again
why "silence" peer 'no answer from 198.51.100.2:500 to 3 datagrams, which left this machine by w0: the peer does not run'
fault mid 'forward priority 0' 'udp dport 500 reject with icmp type admin-prohibited'
again
why "a firewall on the way refuses" peer '192.0.2.254 says that 198.51.100.2:500 may not be reached'
fault mid
agent_end east
tell west down hq > /dev/null
tell west up hq timeout 3 > /dev/null 2>&1
why "nothing listens there" peer '198.51.100.2 says that nothing listens at 198.51.100.2:500: start the IKE daemon there'
agent east
fault mid 'forward priority 0' 'udp dport 4500 drop'
again
why "500 answers, 4500 does not" "peer's port 4500" 'no answer from 198.51.100.2:4500 .*which left this machine by w0: the peer answers on port 500 alone'
fault mid

# ---- what the ends agree on -------------------------------------------------------------

conf_west crypto=aes128gcm16-prfsha256-modp2048
conf_east crypto=aes256gcm16-prfsha384-ecp384
again
why "algorithms" algorithms 'NO_PROPOSAL_CHOSEN: .*aes128gcm16-prfsha256-modp2048'
like "at the other end both ends' are named" "$(tell east -j status | jq -r '.tunnels[0].error')" \
	'aes128gcm16.*aes256gcm16|aes256gcm16.*aes128gcm16'
conf_west key='PSK = another-key-of-24-bytes-'
conf_east
again
why "another key" identities "AUTHENTICATION_FAILED: it rejects our identity 'west.example' or our key.*PSK="
is "the other end knows that it is the key" "$(tell east -j why hq | jq -r '.check + ": " + .text')" \
	"identities: peer 'west.example' does not hold our pre-shared key: set the same PSK= at both ends"
conf_west id=north.example
again
why "another identity" identities "it rejects our identity 'north.example'"
like "the other end names both" "$(tell east -j why hq | jq -r '.check + ": " + .text')" \
	"^identities: .*'north.example'.*'west.example'"
conf_west selectors='10.1.0.0/24 = 10.2.0.0/24'
conf_east selectors='10.7.0.0/24 = 10.8.0.0/24'
again
why "selectors" 'child SAs' 'TS_UNACCEPTABLE.*10.1.0.0/24'

# ---- certificates -----------------------------------------------------------------------

mkdir -p "$dir"
authority root ec:P-256 ''
for name in west east; do
	leaf $name rsa:4096 root DNS:$name.example
done
by_cert() { # NS CA
	"conf_$1" crypto=aes256gcm16-prfsha256-x25519 key="CA = $dir/$2.crt" own="Key = $dir/$1.key
	Cert = $dir/$1.crt"
}
by_cert east root
by_cert west root
fault mid 'forward priority 0' 'udp dport 4500 udp length > 400 drop'
again 12
why "IKE_AUTH is longer than what passes" progress 'answers short datagrams on port 4500, and not IKE_AUTH, which was sent [3-9] times: fragments'
fault mid
authority other ec:P-256 ''
by_cert west other
again
why "a CA that is not the peer's" identities "peer 'east.example': .*C=CH, O=Example, CN=root"
# The same CA, as it will be in three days.
openssl req -new -key "$dir/root.key" -subj /C=CH/O=Example/CN=root -out "$dir/later.csr"
printf '[v]\nbasicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n[ca]\ndefault_ca=d\n[d]\ndatabase=%s\nserial=%s\nnew_certs_dir=%s\ndefault_md=sha256\npreserve=yes\npolicy=p\n[p]\nC=supplied\nO=supplied\nCN=supplied\n' \
	"$dir/db" "$dir/serial" "$dir" > "$dir/ca.cnf"
: > "$dir/db"
echo 1000 > "$dir/serial"
openssl ca -batch -preserveDN -config "$dir/ca.cnf" -extensions v -in "$dir/later.csr" -selfsign \
	-keyfile "$dir/root.key" -startdate "$(date -u -d '+3 days' +%Y%m%d%H%M%SZ)" \
	-enddate "$(date -u -d '+30 days' +%Y%m%d%H%M%SZ)" -notext -out "$dir/later.crt" 2> "$dir/ca.log" ||
	bail "no certificate: $(cat "$dir/ca.log")"
by_cert west later
again
why "this machine's clock is behind" clock "is valid from .* on, and this machine's clock says .*: the clock"

said=$(tell west check hq)
is "check of a tunnel that does not come up: exit code" "$?" 3
like "check: that it does not come up" "$said" '^fault   up: hq is not up: '
like "check: and why" "$said" '^hq: clock: .*this machine.s clock'

conf_west
conf_east
again 10
check "all is mended: up" state_is west up
spi() {
	tell west -j status | jq -r '.tunnels[0] | .ike.spi_i + .child.spi_in'
}
before=$(spi)
said=$(tell west check hq)
is "check without an address: exit code" "$?" 3
like "check: up" "$said" '^ok      up: the tunnel is up, after'
like "check: all keys are new" "$said" '^ok      rekeying: IKE SA and child SAs, 2 in all, have new keys, after'
check "check: they are" test "$(spi)" != "$before"
like "check: what it could not tell" "$said" '^hq: ESP: .*esptun why hq to ADDRESS'
check "check: in ten lines" test "$(wc -l <<< "$said")" -le 10
refuse "rekeying what is down" 'is not up, so there are no keys' \
	bash -c "echo '{\"cmd\":\"rekey\",\"tunnel\":\"hq\"}' | $PYTHON -c '
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(\"/run/west.control\")
s.send(sys.stdin.read().encode())
print(s.recv(4096).decode())
sys.exit(1)' $(tell west down hq > /dev/null)"
tell west up hq timeout 10 > /dev/null
unlike "and nothing is wrong" "$(tell west why hq -v)" '^fault'
agent_end west
agent_end east
finish
