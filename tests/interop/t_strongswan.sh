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

CHARON=/usr/lib/ipsec/charon
charon_pid=''

# ---- the two ends -------------------------------------------------------------------

# ours [KEY=VALUE...]: writes esptund's side.
ours() {
	local psk=$AGENT_PSK crypto=modern selectors=any begin=traffic liveness=30
	local "$@"
	conf west vpn0 <<-END
	[Tunnel]
	Address = 10.9.0.1/32
	LocalID = west.example.org
	[Peer]
	Endpoint = 192.0.2.2
	RemoteID = east.example.org
	PSK = $psk
	Routes = 10.2.0.0/24
	Crypto = $crypto
	Selectors = $selectors
	Start = $begin
	Liveness = $liveness
	END
}

# theirs [KEY=VALUE...]: writes and loads strongSwan's side.
theirs() {
	local psk=$AGENT_PSK ike=aes256gcm16-prfsha256-x25519 esp=aes256gcm16 dpd=0s
	local local_ts=10.2.0.0/24 remote_ts=10.1.0.0/24
	local "$@"
	cat > /etc/netns/east/swanctl/swanctl.conf <<-END
	connections {
	  west {
	    version = 2
	    remote_addrs = 192.0.2.1
	    proposals = $ike
	    dpd_delay = $dpd
	    local {
	      auth = psk
	      id = east.example.org
	    }
	    remote {
	      auth = psk
	      id = west.example.org
	    }
	    children {
	      net {
	        local_ts = $local_ts
	        remote_ts = $remote_ts
	        esp_proposals = $esp
	      }
	    }
	  }
	}
	secrets {
	  ike {
	    secret = "$psk"
	  }
	}
	END
	quietly in_quiet east swanctl --load-all --clear || bail "strongSwan does not take its configuration"
}

strongswan_start() {
	mkdir -p /etc/netns/east/swanctl/{x509,x509ca,x509aa,x509ac,x509crl,x509ocsp,pubkey,private,rsa,ecdsa,bliss,pkcs8,pkcs12}
	cat > /etc/netns/east/strongswan.conf <<-END
	charon {
	  load = random nonce openssl aes sha1 sha2 hmac kdf gcm curve25519 kernel-netlink socket-default vici
	  filelog {
	    stderr {
	      default = 1
	      ike = 2
	      cfg = 2
	    }
	  }
	}
	END
	start east "$VM_OUT/charon.log" $CHARON
	charon_pid=$started
	wait_for 30 in_quiet east swanctl --stats || bail "strongSwan does not start"
}

their_sas() {
	in_quiet east swanctl --list-sas
}

their_log() {
	grep -E -- "$1" "$VM_OUT/charon.log"
}

no_sas() {
	[ -z "$(their_sas)" ]
}

# begin_anew: nothing is left of the former case at either end.
begin_anew() {
	tell west down vpn0 > /dev/null 2>&1
	quietly in_quiet east swanctl --terminate --ike west --force > /dev/null
	wait_for 10 no_sas || { their_sas; bail "strongSwan keeps its SA"; }
}

# we_try: `esptun up`; what it says is left in $answer, its exit code in $status.
we_try() {
	tell west reload > /dev/null
	answer=$(tell west up vpn0 2>&1)
	status=$?
	echo "$answer"
}

# they_try: strongSwan begins.
they_try() {
	echo "[east] swanctl --initiate --child net" >&9
	answer=$(in_quiet east swanctl --initiate --child net --timeout 15 2>&1)
	status=$?
	tail -n 5 <<< "$answer"
}

# wire PATTERN: do the notifies seen since begin_case hold one? A line is the exchange and
# its notify types.
begin_case() {
	begin_anew
	capture west w0 "$1.pcap" 'udp port 500 or udp port 4500'
	case_pid=$started case_name=$1
}

end_case() {
	sleep 0.3
	stop "$case_pid"
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
for side in west:10.1.0.1 east:10.2.0.1; do
	must ip -n ${side%:*} link add lan0 type dummy
	must ip -n ${side%:*} addr add ${side#*:}/24 dev lan0
	must ip -n ${side%:*} link set lan0 up
done
mkdir -p /etc/netns/east
strongswan_start
theirs
ours
agent west

# ---- esptund begins ------------------------------------------------------------------------

we_try
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
check "initiator: our delete reaches strongSwan" wait_for 5 no_sas

theirs esp=aes256gcm16-esn
we_try
is "ESN: up" "$status" 0
like "ESN: chosen" "$(of west .child.proposal)" '-esn$'
like "ESN: strongSwan agrees" "$(their_sas)" 'AES_GCM_16-256/ESN'
crossed "ESN"

begin_anew
theirs ike=aes256-sha256-modp2048 esp=chacha20poly1305
ours crypto='aes256-sha256-modp2048, chacha20poly1305-x25519'
we_try
is "AES-CBC, MODP-2048 and ChaCha20-Poly1305: up" "$status" 0
crossed "ChaCha20-Poly1305"

begin_case ke
theirs ike=aes256gcm16-prfsha256-ecp384
ours crypto=aes256gcm16-prfsha256-x25519-ecp384
we_try
end_case
is "another DH group: up" "$status" 0
like "another DH group: after INVALID_KE_PAYLOAD" "$seen" '^34.*\b17\b'

begin_anew
theirs ike=default esp=default
ours
we_try
is "strongSwan's default proposals: up" "$status" 0
crossed "default proposals"

# ---- strongSwan ends it --------------------------------------------------------------------

check "strongSwan's delete" in_quiet east swanctl --terminate --ike west
check "their delete: we are down" wait_for 5 state_is west down
check "their delete: no pair is left in the kernel" test -z "$(in_quiet west esptun sa show dev vpn0)"
ours begin=now
theirs
we_try
is "start=now: up" "$status" 0
former=$(of west '.ike.spi_i')
in_quiet east swanctl --terminate --ike west > /dev/null
another_up() {
	state_is west up && [ "$(of west '.ike.spi_i')" != "$former" ]
}
check "start=now: comes back after strongSwan's delete" wait_for 15 another_up

# ---- what does not fit, esptund begins ---------------------------------------------------------

begin_case psk
theirs
ours psk=another-key-of-24-letters
we_try
end_case
is "wrong key: up fails" "$status" 2
like "wrong key: says so" "$answer" 'AUTHENTICATION_FAILED'
like "wrong key: names the key to compare" "$answer" 'PSK'
like "wrong key: AUTHENTICATION_FAILED on the wire" "$seen" '^35.*\b24\b'

begin_case proposal
theirs ike=aes128-sha256-modp2048
ours crypto=aes256gcm16-prfsha384-ecp384
we_try
end_case
is "no common proposal: up fails" "$status" 2
like "no common proposal: says so, and what we offered" "$answer" 'NO_PROPOSAL_CHOSEN.*aes256gcm16-prfsha384-ecp384'
like "no common proposal: names the key to change" "$answer" 'Crypto'
like "no common proposal: NO_PROPOSAL_CHOSEN on the wire" "$seen" '^34.*\b14\b'

begin_case child-proposal
theirs esp=aes128gcm16
ours crypto=aes256gcm16-prfsha256-x25519
we_try
end_case
is "no common ESP proposal: up fails" "$status" 2
like "no common ESP proposal: says so" "$answer" 'NO_PROPOSAL_CHOSEN'
like "no common ESP proposal: on the wire" "$seen" '^35.*\b14\b'
is "no common ESP proposal: the IKE SA stays" "$(of west .ike.state)" established

begin_case ts
theirs local_ts=10.8.0.0/24 remote_ts=10.7.0.0/24
ours selectors='10.1.0.0/24 = 10.2.0.0/24'
we_try
end_case
is "selectors do not fit: up fails" "$status" 2
like "selectors do not fit: says so, and what we asked for" "$answer" 'TS_UNACCEPTABLE.*10.1.0.0/24'
like "selectors do not fit: names the key to change" "$answer" 'Selectors'
like "selectors do not fit: TS_UNACCEPTABLE on the wire" "$seen" '^35.*\b38\b'
is "selectors do not fit: the IKE SA stays" "$(of west .ike.state)" established

# ---- strongSwan begins -----------------------------------------------------------------------------

begin_anew
theirs
ours begin=listen
tell west up vpn0 timeout 0 > /dev/null 2>&1
tell west reload > /dev/null
they_try
is "responder: up" "$status" 0
check "responder: we are up" wait_for 5 state_is west up
is "responder: and know our role" "$(of west .ike.role)" responder
crossed "responder"
like "responder: the pair, in UDP" "$(their_sas)" 'INSTALLED, TUNNEL-in-UDP, ESP:AES_GCM_16-256'
in_quiet east swanctl --terminate --ike west > /dev/null
check "responder: strongSwan's delete" wait_for 5 state_is west down

theirs esp=aes128gcm16-esn local_ts=10.2.0.0/25 remote_ts=10.1.0.0/25
they_try
is "responder, ESN and AES-128: up" "$status" 0
is "responder, ESN: the selectors are strongSwan's" \
	"$(of west '.child.local_ts[0], .child.remote_ts[0], .child.proposal' | xargs)" \
	"10.1.0.0/25 10.2.0.0/25 aes128gcm16-esn"
crossed "responder, ESN"

# More of everything than we have ourselves; only the last of each fits.
begin_anew
many_ts=$(printf '10.3.%d.0/24,' $(seq 0 2 80))
ours begin=listen selectors='10.1.0.0/24 = 10.2.0.0/24'
tell west reload > /dev/null
many_esp=$(for bits in 128 192 256; do
	printf "aes$bits-sha1-modp%d," 1024 1536 2048 3072 4096 6144 8192
done)
theirs ike=default esp="${many_esp}aes256gcm16" local_ts="${many_ts}10.2.0.0/24"
tell west up vpn0 timeout 0 > /dev/null 2>&1
they_try
is "responder, 22 proposals and 42 selectors: up" "$status" 0
is "responder, 42 selectors: the one that fits" "$(of west '.child.remote_ts | join(" ")')" 10.2.0.0/24
crossed "responder, large offers"
begin_anew
ours begin=listen
tell west reload > /dev/null

# ---- what does not fit, strongSwan begins ------------------------------------------------------------

# fits_not NAME NOTIFY OUR_LOG [KEY=VALUE...]
fits_not() {
	local name=$1 notify=$2 pattern=$3
	shift 3
	begin_case "they-${notify#* }"
	tell west up vpn0 timeout 0 > /dev/null 2>&1
	theirs "$@"
	they_try
	end_case
	is "responder, $name: strongSwan fails" "$([ "$status" != 0 ] && echo failed)" failed
	like "responder, $name: the right notify on the wire" "$seen" "^${notify% *}.*\\b${notify#* }\\b"
	like "responder, $name: we say why" "$(said west "$pattern" | tail -n 1)" "$pattern"
}
fits_not "wrong key" '35 24' 'PSK' psk=another-key-of-24-letters
fits_not "no common proposal" '34 14' 'aes192.*Crypto|Crypto.*aes192' ike=aes192-sha512-ecp521
ours begin=listen selectors='10.1.0.0/24 = 10.2.0.0/24'
tell west reload > /dev/null
fits_not "selectors" '35 38' '10\.[78]\.0\.0/24.*Selectors' local_ts=10.8.0.0/24 remote_ts=10.7.0.0/24

# ---- liveness ---------------------------------------------------------------------------------------------

begin_anew
theirs dpd=1s
ours liveness=2
we_try
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
