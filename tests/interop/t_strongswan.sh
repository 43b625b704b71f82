#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vm-timeout: 900
#
# esptund (west) with an unmodified strongSwan and the kernel's ESP (east): both as
# initiator and as responder; what does not fit; liveness; deletes from both ends.
#
#   west: esptund                          east: strongSwan
#   10.1.0.1/24 lan0                       10.2.0.1/24 lan0
#   192.0.2.1/24 w0 --------- veth ------- 192.0.2.2/24 e0

. "$VM_TOP/tests/vm/lib.sh"
. "$VM_TOP/tests/vm/agent.sh"

. "$VM_TOP/tests/interop/strongswan.sh"

their_log() {
	grep -E -- "$1" "$VM_OUT/charon.log"
}

# begin_case NAME ... end_case: the notifies on the wire meanwhile are left in $seen, a line
# is the exchange and its notify types.
begin_case() {
	begin_anew
	capture west w0 "$1.pcap" 'udp port 500 or udp port 4500'
	case_pid=$started case_name=$1
}

end_case() {
	capture_end "$case_pid"
	seen=$(notifies "$case_name.pcap")
}

crossed() {
	check "$1: ping to strongSwan's LAN" pings west 10.2.0.1 -I 10.1.0.1
	check "$1: ping from strongSwan's LAN" pings east 10.1.0.1 -I 10.2.0.1
}

# ---- start --------------------------------------------------------------------------------

load_esptun
two_hosts
single_packets west w0
single_packets east e0
lans
charon
swan
ours begin=traffic
agent west

# ---- esptund begins ------------------------------------------------------------------------

we_begin
is "initiator: up" "$status" 0
[ "$status" = 0 ] || { tail -n 40 "$VM_OUT/charon.log"; bail "no tunnel with strongSwan"; }
crossed "initiator"
sas=$(their_sas)
echo "$sas"
like "initiator: strongSwan has the IKE SA" "$sas" 'west: .*ESTABLISHED, IKEv2'
like "initiator: and the pair, in UDP" "$sas" 'INSTALLED, TUNNEL-in-UDP, ESP:AES_GCM_16-256'
like "initiator: strongSwan counts both directions" "$sas" '(in|out) .* [1-9][0-9]* bytes'
is "initiator: narrowed to strongSwan's selectors" \
	"$(of west '.child.local_ts[0], .child.remote_ts[0]' | xargs)" "10.1.0.0/24 10.2.0.0/24"
check "initiator: iperf3" iperf west east 10.2.0.1 -B 10.1.0.1
tell west down vpn0
check "initiator: our delete reaches strongSwan" wait_for 5 peer_idle

swan esp=aes256gcm16-esn
we_begin
is "ESN: up" "$status" 0
like "ESN: chosen" "$(of west .child.proposal)" '-esn$'
like "ESN: strongSwan agrees" "$(their_sas)" 'AES_GCM_16-256/ESN'
crossed "ESN"

begin_anew
swan ike=aes256-sha256-modp2048 esp=chacha20poly1305
ours begin=traffic crypto='aes256-sha256-modp2048, chacha20poly1305-x25519'
we_begin
is "AES-CBC, MODP-2048 and ChaCha20-Poly1305: up" "$status" 0
crossed "ChaCha20-Poly1305"

begin_case ke
swan ike=aes256gcm16-prfsha256-ecp384
ours begin=traffic crypto=aes256gcm16-prfsha256-x25519-ecp384
we_begin
end_case
is "another DH group: up" "$status" 0
like "another DH group: after INVALID_KE_PAYLOAD" "$seen" '^34.*\b17\b'

begin_anew
swan ike=default esp=default
ours begin=traffic
we_begin
is "strongSwan's default proposals: up" "$status" 0
crossed "default proposals"

# ---- strongSwan ends it --------------------------------------------------------------------

check "strongSwan's delete" in_quiet east swanctl --terminate --ike west
check "their delete: we are down" wait_for 5 state_is west down
check "their delete: no pair is left in the kernel" test -z "$(in_quiet west esptun sa show dev vpn0)"
ours begin=now
swan
we_begin
is "start=now: up" "$status" 0
former=$(of west '.ike.spi_i')
in_quiet east swanctl --terminate --ike west > /dev/null
another_up() {
	state_is west up && [ "$(of west '.ike.spi_i')" != "$former" ]
}
check "start=now: comes back after strongSwan's delete" wait_for 15 another_up

# ---- what does not fit, esptund begins ---------------------------------------------------------

begin_case psk
swan
ours begin=traffic psk=another-key-of-24-letters
we_begin
end_case
is "wrong key: up fails" "$status" 2
like "wrong key: says so" "$answer" 'AUTHENTICATION_FAILED'
like "wrong key: names the key to compare" "$answer" 'PSK'
like "wrong key: AUTHENTICATION_FAILED on the wire" "$seen" '^35.*\b24\b'

begin_case proposal
swan ike=aes128-sha256-modp2048
ours begin=traffic crypto=aes256gcm16-prfsha384-ecp384
we_begin
end_case
is "no common proposal: up fails" "$status" 2
like "no common proposal: says so, and what we offered" "$answer" 'NO_PROPOSAL_CHOSEN.*aes256gcm16-prfsha384-ecp384'
like "no common proposal: names the key to change" "$answer" 'Crypto'
like "no common proposal: NO_PROPOSAL_CHOSEN on the wire" "$seen" '^34.*\b14\b'

begin_case child-proposal
swan esp=aes128gcm16
ours begin=traffic crypto=aes256gcm16-prfsha256-x25519
we_begin
end_case
is "no common ESP proposal: up fails" "$status" 2
like "no common ESP proposal: says so" "$answer" 'NO_PROPOSAL_CHOSEN'
like "no common ESP proposal: on the wire" "$seen" '^35.*\b14\b'
is "no common ESP proposal: the IKE SA stays" "$(of west .ike.state)" established

begin_case ts
swan lts=10.8.0.0/24 rts=10.7.0.0/24
ours begin=traffic selectors='10.1.0.0/24 = 10.2.0.0/24'
we_begin
end_case
is "selectors do not fit: up fails" "$status" 2
like "selectors do not fit: says so, and what we asked for" "$answer" 'TS_UNACCEPTABLE.*10.1.0.0/24'
like "selectors do not fit: names the key to change" "$answer" 'Selectors'
like "selectors do not fit: TS_UNACCEPTABLE on the wire" "$seen" '^35.*\b38\b'
is "selectors do not fit: the IKE SA stays" "$(of west .ike.state)" established

# ---- strongSwan begins -----------------------------------------------------------------------------

begin_anew
swan
ours begin=listen
they_begin
is "responder: up" "$status" 0
check "responder: we are up" wait_for 5 state_is west up
is "responder: and know our role" "$(of west .ike.role)" responder
crossed "responder"
like "responder: the pair, in UDP" "$(their_sas)" 'INSTALLED, TUNNEL-in-UDP, ESP:AES_GCM_16-256'
in_quiet east swanctl --terminate --ike west > /dev/null
check "responder: strongSwan's delete" wait_for 5 state_is west down

swan esp=aes128gcm16-esn lts=10.2.0.0/25 rts=10.1.0.0/25
they_begin
is "responder, ESN and AES-128: up" "$status" 0
is "responder, ESN: the selectors are strongSwan's" \
	"$(of west '.child.local_ts[0], .child.remote_ts[0], .child.proposal' | xargs)" \
	"10.1.0.0/25 10.2.0.0/25 aes128gcm16-esn"
crossed "responder, ESN"

# More of everything than we have ourselves; only the last of each fits.
begin_anew
many_ts=$(printf '10.3.%d.0/24,' $(seq 0 2 80))
ours begin=listen selectors='10.1.0.0/24 = 10.2.0.0/24'
many_esp=$(for bits in 128 192 256; do
	printf "aes$bits-sha1-modp%d," 1024 1536 2048 3072 4096 6144 8192
done)
swan ike=default esp="${many_esp}aes256gcm16" lts="${many_ts}10.2.0.0/24"
they_begin
is "responder, 22 proposals and 42 selectors: up" "$status" 0
is "responder, 42 selectors: the one that fits" "$(of west '.child.remote_ts | join(" ")')" 10.2.0.0/24
crossed "responder, large offers"
begin_anew
ours begin=listen

# ---- what does not fit, strongSwan begins ------------------------------------------------------------

# fits_not NAME NOTIFY OUR_LOG [KEY=VALUE...]
fits_not() {
	local name=$1 notify=$2 pattern=$3
	shift 3
	begin_case "they-${notify#* }"
	swan "$@"
	they_begin
	end_case
	is "responder, $name: strongSwan fails" "$([ "$status" != 0 ] && echo failed)" failed
	like "responder, $name: the right notify on the wire" "$seen" "^${notify% *}.*\\b${notify#* }\\b"
	like "responder, $name: we say why" "$(said west "$pattern" | tail -n 1)" "$pattern"
}
fits_not "wrong key" '35 24' 'PSK' psk=another-key-of-24-letters
fits_not "no common proposal" '34 14' 'aes192.*Crypto|Crypto.*aes192' ike=aes192-sha512-ecp521
ours begin=listen selectors='10.1.0.0/24 = 10.2.0.0/24'
fits_not "selectors" '35 38' '10\.[78]\.0\.0/24.*Selectors' lts=10.8.0.0/24 rts=10.7.0.0/24

# ---- liveness ---------------------------------------------------------------------------------------------

begin_anew
swan conn='dpd_delay = 1s'
ours begin=traffic liveness=2
we_begin
is "liveness: up" "$status" 0
sleep 4
is "liveness: both ask and answer, the SA stays" "$(of west .state)" up
like "liveness: strongSwan had its answers" "$(their_log 'parsed INFORMATIONAL (request|response) . \[ \]' | tail -n 1)" INFORMATIONAL
must at east nft add table ip t
must at east nft add chain ip t in '{ type filter hook input priority 0; }'
must at east nft add rule ip t in udp dport '{ 500, 4500 }' drop
silent_noticed() {
	[ "$(of west .state)" != up ] && [ "$(of west .error)" != null ]
}
check "liveness: a silent peer is noticed" wait_for 100 silent_noticed
like "liveness: and the reason told" "$(of west .error)" '192.0.2.2'
must at east nft delete table ip t

kill -0 "$charon_pid"
is "strongSwan did not crash" "$?" 0
check "nor did esptund" agent_stop west
stop "$charon_pid"
cp -r /run/keys "$VM_OUT/"
finish
