#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The demo inside the guest: two sites, one behind a NAT router, joined by two
# esptunds; then each site's gateway in turn is an unmodified strongSwan, and one the kernel's own
# IPsec, over IPv6; then keys are replaced every few seconds, by either end, and no packet is lost; at last
# a hub gives addresses to clients behind a NAT.
# tests/demo/run is the other half.

. "$VM_TOP/tests/vm/lib.sh"

PSK=$(openssl rand -base64 24)
capture_pid='' charon_pid='' recording=''
# Further lines of strongSwan's connection and of its child, of esptund's [Peer].
their_conn='' their_child='' our_peer=''
declare -A agent_pid
# The default, less extended sequence numbers: tshark 4.0 cannot check those.
CRYPTO='Crypto = aes256gcm16-prfsha256-x25519-noesn'
CHARON=/usr/lib/ipsec/charon
BRANCH6=2001:db8:1::2 HQ6=2001:db8:2::2

failed() {
	echo
	for log in "$VM_OUT"/*.log; do
		[ -s "$log" ] && [ "${log##*/}" != cmd.log ] || continue
		echo "--- last lines of ${log##*/}"
		tail -n 15 "$log"
	done
	echo "demo-guest: failed: $*"
	exit 1
}

bail() {
	failed "$@"
}

title() {
	printf '\n=== %s\n' "$*"
}

# show NS COMMAND...: a command the reader may type, and what it says.
show() {
	local line="$1#" word
	for word in "${@:2}"; do
		[[ $word != *'('* ]] || word="'$word'"
		line+=" $word"
	done
	printf '\n%s\n' "$line"
	ip netns exec "$@" 2>&1 || failed "on $1: ${*:2}"
}

# conf NS NAME: standard input becomes that host's /etc/esptun/NAME.conf.
conf() {
	local dir=/etc/netns/$1/esptun
	mkdir -p "$dir" /etc/esptun
	cat >"$dir/$2.conf"
	printf '%s\n' "$PSK" >"$dir/psk"
	chmod 600 "$dir"/*
	echo
	echo "$1# cat /etc/esptun/$2.conf"
	cat "$dir/$2.conf"
}

# agent NS LOG KEYS: starts esptund, its control socket in /run/NS, and has it
# export its keys for tshark.
agent() {
	mkdir -p "/run/$1" "$VM_OUT/$3"
	echo
	echo "$1# esptund"
	start "$1" "$VM_OUT/$2.log" esptund --socket "/run/$1/control" --debug-keys "$VM_OUT/$3"
	agent_pid[$1]=$started
	wait_for 10 test -S "/run/$1/control" || failed "esptund on $1 does not come up"
}

agent_stop() {
	ip netns exec "$1" esptun -control "/run/$1/control" down --all
	wait_for 10 no_link "$1" "$2" || failed "esptund on $1 left its netdevice $2"
	stop "${agent_pid[$1]}"
	rm -rf "/etc/netns/$1/esptun"
}

no_link() {
	! ip -n "$1" link show "$2" >/dev/null 2>&1
}

# The gateways share this guest's /run, hence the control socket's path.
status() {
	show "$1" esptun -control "/run/$1/control" status
}

# up NS DEV: waits for the tunnel.
up() {
	wait_for 20 running "$1" "$2" || {
		ip netns exec "$1" esptun -control "/run/$1/control" status
		failed "the tunnel $2 on $1 does not come up"
	}
}

# across FROM TO ADDRESS: ping and iperf3 from LAN to LAN.
across() {
	show "$1" ping -n -c 3 -i 0.3 -W 5 "$3"
	start "$2" /run/iperf-server.log iperf3 -s -1
	local pid=$started
	wait_for 10 listens "$2" 5201 || failed "the iperf3 server on $2"
	show "$1" timeout 30 iperf3 -f m -t 2 -i 0 -c "$3"
	wait "$pid"
}

# record NAME: captures the wire at the NAT router (a gateway with the kernel's
# ESP would show the inner packets too), in memory, so that nothing is missed.
record() {
	recording=$1
	start nat "/run/tcpdump.log" tcpdump -n -i out0 -B 65536 -w "/run/$1.pcap" ip or ip6
	capture_pid=$started
	wait_for 10 holds /run/tcpdump.log 'listening on' || failed "tcpdump: $(cat /run/tcpdump.log)"
}

record_end() {
	sleep 1
	stop "$capture_pid"
	cp "/run/$recording.pcap" "$VM_OUT/" || failed "no capture of $recording"
	rm "/run/$recording.pcap"
}

# strongswan NS LOG LAN ID PEER_LAN PEER_ID PEER: an unmodified charon, with
# its configuration in that host's /etc. One at a time: its socket has one place.
strongswan() {
	local ns=$1 log=$VM_OUT/$2.log etc=/etc/netns/$1
	shift 2
	mkdir -p "$etc/swanctl"/{x509,x509ca,x509aa,x509ac,x509crl,x509ocsp,pubkey,private,rsa,ecdsa,bliss,pkcs8,pkcs12}
	swanctl_conf "$@" >"$etc/swanctl/swanctl.conf"
	# The kernel's own ESP, not charon's.
	cat >"$etc/strongswan.conf" <<-END
	charon {
	  load = random nonce openssl aes sha1 sha2 hmac kdf gcm curve25519 kernel-netlink socket-default vici
	  filelog {
	    stderr {
	      default = 1
	    }
	  }
	}
	END
	echo
	echo "$ns# cat /etc/swanctl/swanctl.conf"
	cat "$etc/swanctl/swanctl.conf"
	echo
	start "$ns" "$log" $CHARON
	charon_pid=$started
	wait_for 20 ip netns exec "$ns" swanctl --stats || failed "strongSwan on $ns does not start"
	ip netns exec "$ns" swanctl --load-all >>"$log" 2>&1 ||
		failed "strongSwan does not take its configuration"
}

# swanctl.conf of the site with LAN $1, identity $2; the other $3, $4 at $5.
swanctl_conf() {
	cat <<-END
	connections {
	  site {
	    version = 2
	    remote_addrs = $5
	    proposals = aes256gcm16-prfsha256-x25519${their_conn:+
    $their_conn}
	    local {
	      auth = psk
	      id = $2
	    }
	    remote {
	      auth = psk
	      id = $4
	    }
	    children {
	      net {
	        local_ts = $1
	        remote_ts = $3
	        esp_proposals = aes256gcm16${their_child:+
        $their_child}
	      }
	    }
	  }
	}
	secrets {
	  ike {
	    secret = "$PSK"
	  }
	}
	END
}

branch_conf() {
	conf gwa hq <<-END
	[Tunnel]
	LocalID = branch.example.org
	[Peer]
	Endpoint = 198.51.100.2
	RemoteID = hq.example.org
	PSK = file:/etc/esptun/psk
	Routes = 10.2.0.0/24
	$CRYPTO${our_peer:+
	$our_peer}
	END
}

hq_conf() {
	conf gwb branch <<-END
	[Tunnel]
	LocalID = hq.example.org
	[Peer]
	RemoteID = branch.example.org
	PSK = file:/etc/esptun/psk
	Routes = 10.1.0.0/24
	$CRYPTO
	END
}

part_esptun() {
	title "1. esptund on both gateways, pre-shared key"
	record esptun
	hq_conf
	agent gwb esptund-hq keys-esptun
	branch_conf
	agent gwa esptund-branch keys-esptun-branch
	up gwa hq
	up gwb branch
	status gwa
	status gwb
	across lana lanb 10.2.0.2
	show gwa ip -d -s link show hq
	show gwb esptun -s peer show
	record_end
	agent_stop gwa hq
	agent_stop gwb branch
}

part_responder() {
	title "2. strongSwan $($CHARON --version 2>/dev/null | grep -oE '[0-9]+\.[0-9.]+' | head -n 1) at hq is the responder, esptund at the branch the initiator"
	record strongswan-responder
	strongswan gwb charon-responder \
		10.2.0.0/24 hq.example.org 10.1.0.0/24 branch.example.org %any
	branch_conf
	agent gwa esptund-initiator keys-responder
	up gwa hq
	status gwa
	show gwb swanctl --list-sas
	across lana lanb 10.2.0.2
	record_end
	agent_stop gwa hq
	stop "$charon_pid"
}

part_initiator() {
	title "3. strongSwan at the branch, behind the NAT router, is the initiator, esptund at hq the responder"
	record strongswan-initiator
	hq_conf
	agent gwb esptund-responder keys-initiator
	strongswan gwa charon-initiator \
		10.1.0.0/24 branch.example.org 10.2.0.0/24 hq.example.org 198.51.100.2
	show gwa swanctl --initiate --child net --timeout 20
	up gwb branch
	status gwb
	show gwa swanctl --list-sas
	across lana lanb 10.2.0.2
	record_end
	stop "$charon_pid"
	agent_stop gwb branch
}

# static_sas ID MODE: a pair of SAs with keys of this moment. The branch's are esptun's, those at hq the
# kernel's; tshark gets a line for each.
static_sas() {
	local mode=$2 dir spi src dst enc auth args
	for args in "out 0x${1}001 $BRANCH6 $HQ6" "in 0x${1}002 $HQ6 $BRANCH6"; do
		read -r dir spi src dst <<<"$args"
		enc=0x$(openssl rand -hex 32) auth=0x$(openssl rand -hex 32)
		show gwa esptun sa add dev hq dir "$dir" spi "$spi" peer 1 mode "$mode" \
			algo aes-cbc-256 key "$enc" auth hmac-sha256 "$auth" esn off
		# shellcheck disable=SC2046 # words
		show gwb ip xfrm state add src "$src" dst "$dst" proto esp spi "$spi" mode "$mode" \
			$([ "$mode" = transport ] || echo if_id 9 flag af-unspec) replay-window 1024 \
			enc 'cbc(aes)' "$enc" auth-trunc 'hmac(sha256)' "$auth" 128
		printf '"IPv6","*","*","%s","AES-CBC [RFC3602]","%s","HMAC-SHA-256-128 [RFC4868]","%s"\n' \
			"$spi" "$enc" "$auth" >>"$VM_OUT/keys-kernel/esp_sa"
	done
}

part_kernel() {
	local dir
	title "4. IPv6 outside; at hq the kernel's own IPsec, AES-CBC with HMAC-SHA2-256, static keys; no agent"
	must ip -n gwa addr add $BRANCH6/64 dev wan0 nodad
	must ip -n nat addr add 2001:db8:1::1/64 dev in0 nodad
	must ip -n nat addr add 2001:db8:2::1/64 dev out0 nodad
	must ip -n gwb addr add $HQ6/64 dev wan0 nodad
	must ip -n gwa route add default via 2001:db8:1::1
	must ip -n gwb route add default via 2001:db8:2::1
	mkdir -p "$VM_OUT/keys-kernel"
	record kernel
	show gwa ip link add hq type esptun
	show gwa ip link set hq up
	show gwa esptun peer add dev hq id 1 remote $HQ6 encap esp
	show gwa ip route add 10.2.0.0/24 dev hq
	show gwb ip link add branch type xfrm dev wan0 if_id 9
	show gwb ip link set branch mtu 1400 up
	show gwb ip xfrm policy add src 10.2.0.0/24 dst 10.1.0.0/24 dir out if_id 9 \
		tmpl src $HQ6 dst $BRANCH6 proto esp mode tunnel
	for dir in in fwd; do
		show gwb ip xfrm policy add src 10.1.0.0/24 dst 10.2.0.0/24 dir $dir if_id 9 \
			tmpl src $BRANCH6 dst $HQ6 proto esp mode tunnel
	done
	show gwb ip route add 10.1.0.0/24 dev branch
	static_sas 1 tunnel
	across lana lanb 10.2.0.2
	show gwa esptun sa show

	title "The same two with GRE in transport mode"
	show gwa esptun sa flush dev hq
	show gwa ip route del 10.2.0.0/24 dev hq
	show gwb ip link del branch
	show gwb ip xfrm policy flush
	show gwb ip xfrm state flush
	static_sas 2 transport
	# A source that GRE chose needs a rule: it enters the tunnel, and nothing else of the host does.
	show gwa ip -6 route add $HQ6 dev hq table 100 src $BRANCH6
	show gwa ip -6 rule add to $HQ6 ipproto gre lookup 100
	show gwa ip link add gre1 mtu 1360 type ip6gre local $BRANCH6 remote $HQ6 dev hq ttl 64 encaplimit none
	show gwb ip link add gre1 mtu 1360 type ip6gre local $HQ6 remote $BRANCH6 ttl 64 encaplimit none
	show gwb ip xfrm policy add src $HQ6 dst $BRANCH6 proto gre dir out tmpl proto esp mode transport
	show gwb ip xfrm policy add src $BRANCH6 dst $HQ6 proto gre dir in tmpl proto esp mode transport
	show gwa ip link set gre1 up
	show gwb ip link set gre1 up
	show gwa ip route add 10.2.0.0/24 dev gre1
	show gwb ip route add 10.1.0.0/24 dev gre1
	across lana lanb 10.2.0.2
	show gwa esptun -s sa show
	record_end
	must ip -n gwa link del gre1
	must ip -n gwb link del gre1
	must ip -n gwa -6 rule del to $HQ6 ipproto gre lookup 100
	must ip -n gwa link del hq
	must ip -n gwb xfrm policy flush
	must ip -n gwb xfrm state flush
}

# replaced WORD: CREATE_CHILD_SA requests that strongSwan's log tells of with this word, for the
# child SA and for the IKE SA.
replaced() {
	awk -v word="$1 CREATE_CHILD_SA request" 'index($0, word) { if (/REKEY_SA/) child++; else ike++ }
		END { print "the child SA", child + 0, "and the IKE SA", ike + 0, "times" }' \
		"$VM_OUT/charon-rekeying.log"
}

# exported TABLE DIVISOR: what the agent exported to it, a line each, or one for each direction.
exported() {
	echo $(($(wc -l <"$VM_OUT/keys-rekeying/$1") / $2))
}

part_rekeying() {
	title "5. Both ends replace the keys of child SA and IKE SA every few seconds, under load"
	# The emulator's cryptd lets packets overtake more others than the usual window of 32 holds.
	their_child='rekey_time = 6s
        rand_time = 2s
        life_time = 20s
        replay_window = 1024'
	their_conn='rekey_time = 11s
    rand_time = 4s
    over_time = 10s'
	our_peer='Rekey = 10s, 5s'
	record rekeying
	strongswan gwb charon-rekeying \
		10.2.0.0/24 hq.example.org 10.1.0.0/24 branch.example.org %any
	branch_conf
	agent gwa esptund-rekeying keys-rekeying
	up gwa hq
	echo
	echo "lana# iperf3 -t 3600 -b 4M --bidir -c 10.2.0.2 &"
	start lanb /run/iperf-server.log iperf3 -s -1
	wait_for 10 listens lanb 5201 || failed "the iperf3 server on lanb"
	start lana "$VM_OUT/load.log" iperf3 -t 3600 -b 4M --bidir -c 10.2.0.2
	local load=$started
	show lana ping -q -n -c 4000 -i 0.01 -W 20 10.2.0.2 | tee /run/flood
	gone "$load" && failed "the load beside the pings has ended"
	stop "$load"
	echo
	local theirs ours
	theirs=$(replaced generating) ours=$(replaced parsed)
	echo "strongSwan replaced $theirs, esptund $ours:" \
		"$(exported esp_sa 2) child SAs, $(exported ikev2_decryption_table 1) IKE SAs"
	[[ $theirs == *[1-9]* && $ours == *[1-9]* ]] || failed "one end replaced no keys"
	grep -q ' 4000 received' /run/flood || failed "packets were lost while keys were replaced"
	echo "Of 4000 packets there and 4000 back not one was lost."
	record_end
	agent_stop gwa hq
	stop "$charon_pid"
}

# certificate FILE NAME: a key, and a certificate below the CA of $made, for NAME.
made=/run/made
certificate() {
	openssl genpkey -algorithm ec -pkeyopt ec_paramgen_curve:P-256 -out "$made/$1.key" 2>/dev/null
	openssl req -new -key "$made/$1.key" -subj "/O=Example/CN=$1" -out "$made/$1.csr"
	openssl x509 -req -in "$made/$1.csr" -CA "$made/ca.crt" -CAkey "$made/ca.key" -days 365 \
		-extfile <(echo "subjectAltName=DNS:$2") -out "$made/$1.crt" 2>/dev/null ||
		failed "openssl makes no certificate for $2"
}

# road_warrior NS NAME LOCAL SECRET: an unmodified charon that asks for an address; LOCAL is how it proves who it is.
road_warrior() {
	local ns=$1 etc=/etc/netns/$1
	mkdir -p "$etc/swanctl"/{x509,x509ca,x509aa,x509ac,x509crl,x509ocsp,pubkey,private,rsa,ecdsa,bliss,pkcs8,pkcs12}
	cp "$made/ca.crt" "$etc/swanctl/x509ca/"
	[ ! -f "$made/$ns.key" ] || cp "$made/$ns.key" "$etc/swanctl/private/"
	[ ! -f "$made/$ns.crt" ] || cp "$made/$ns.crt" "$etc/swanctl/x509/"
	cat >"$etc/strongswan.conf" <<-END
	charon {
	  load = random nonce openssl pem pkcs1 pkcs8 x509 pubkey aes sha1 sha2 md4 hmac kdf gcm curve25519 kernel-netlink socket-default vici eap-identity eap-mschapv2
	  plugins {
	    vici {
	      socket = unix:///tmp/$ns.vici
	    }
	  }
	  filelog {
	    stderr {
	      default = 1
	    }
	  }
	}
	swanctl {
	  socket = unix:///tmp/$ns.vici
	}
	END
	cat >"$etc/swanctl/swanctl.conf" <<-END
	connections {
	  hub {
	    version = 2
	    remote_addrs = 198.51.100.2
	    vips = 0.0.0.0
	    proposals = aes256gcm16-prfsha256-x25519
	    local {
	      $3
	    }
	    remote {
	      auth = pubkey
	      id = hub.example.org
	    }
	    children {
	      net {
	        remote_ts = 10.2.0.0/24
	        esp_proposals = aes256gcm16
	      }
	    }
	  }
	}
	$4
	END
	echo
	echo "$ns# cat /etc/swanctl/swanctl.conf"
	cat "$etc/swanctl/swanctl.conf"
	start "$ns" "$VM_OUT/charon-$2.log" sh -c "mount -t tmpfs run /run && exec $CHARON"
	charon_pid=$started
	wait_for 20 ip netns exec "$ns" swanctl --stats || failed "strongSwan on $ns does not start"
	ip netns exec "$ns" swanctl --load-all >>"$VM_OUT/charon-$2.log" 2>&1 ||
		failed "strongSwan of $ns does not take its configuration"
}

# hub_conf NAME POOL PROOF...: a tunnel of the hub for clients who prove who they are so.
hub_conf() {
	conf gwb "$1" <<-END
	[Tunnel]
	LocalID = hub.example.org
	Key = /etc/esptun/hub.key
	Cert = /etc/esptun/hub.crt
	Address = $2.1/24
	[Peer]
	Clients = 8
	$3
	Selectors = 10.2.0.0/24 = any
	$CRYPTO
	[Pool]
	Range = $2.0/24
	END
}

# leased NS NET: the address of that network which the client was given.
leased() {
	ip -n "$1" -j -4 addr | jq -r --arg net "$2." '.[].addr_info[].local | select(startswith($net))'
}

# from_lease NS NET: there is traffic, there and back, with that address.
from_lease() {
	local addr
	addr=$(leased "$1" "$2")
	[ -n "$addr" ] || failed "$1 has no address of the pool $2.0/24"
	show "$1" ping -n -c 10 -i 0.2 -W 5 -I "$addr" 10.2.0.2
	show lanb ping -n -c 3 -i 0.3 -W 5 "$addr"
}

part_road() {
	local eap_pid cert_pid
	title "6. A hub with a certificate; behind the NAT router a user with a password (EAP-MSCHAPv2) and one with a certificate"
	mkdir -p $made
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout $made/ca.key \
		-subj "/O=Example/CN=ca" -days 365 -out $made/ca.crt 2>/dev/null || failed "openssl makes no CA"
	certificate hub hub.example.org
	certificate road alice.example.org
	mkdir -p /etc/netns/gwb/esptun
	cp $made/hub.key $made/hub.crt $made/ca.crt /etc/netns/gwb/esptun/
	echo 'bob = "correct horse 9"' >/etc/netns/gwb/esptun/users
	add_ns road
	wire road wan0 192.168.2.2/24 nat in1 192.168.2.1/24
	single_packets road wan0
	single_packets nat in1
	must ip -n road route add default via 192.168.2.1
	record road
	hub_conf staff 10.9.1 $'RemoteAuth = eap\nUsers = /etc/esptun/users'
	hub_conf machines 10.9.2 $'RemoteID = *.example.org\nCA = /etc/esptun/ca.crt'
	agent gwb esptund-hub keys-road
	road_warrior gwa eap 'auth = eap-mschapv2
	      eap_id = bob' 'secrets {
	  eap-bob {
	    id = bob
	    secret = "correct horse 9"
	  }
	}'
	eap_pid=$charon_pid
	road_warrior road cert 'auth = pubkey
	      certs = road.crt
	      id = alice.example.org' ''
	cert_pid=$charon_pid
	show gwa swanctl --initiate --child net --timeout 40
	show road swanctl --initiate --child net --timeout 40
	show gwb esptun -control /run/gwb/control status staff
	show gwb esptun -control /run/gwb/control status machines
	show gwb esptun -control /run/gwb/control pool show
	from_lease gwa 10.9.1
	from_lease road 10.9.2
	record_end
	stop "$eap_pid"
	stop "$cert_pid"
	agent_stop gwb staff
}

uname -srv
cat <<'END'

  branch                                                            headquarters
  lana          gwa                       nat                       gwb           lanb
  10.1.0.2 ---- 10.1.0.1   192.168.1.2 -- 192.168.1.1
                                          198.51.100.1 ============ 198.51.100.2
                           masquerading router   the wire we watch  10.2.0.1 ---- 10.2.0.2
END
two_sites >/dev/null 2>&1
load_esptun
part_esptun
part_responder
part_initiator
part_kernel
part_rekeying
part_road
exit 0
