#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The demo inside the guest: two sites, one behind a NAT router, joined by two
# esptunds; then each site's gateway in turn is an unmodified strongSwan; at last
# keys are replaced every few seconds, by either end, and no packet is lost.
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
	echo
	echo "$1# ${*:2}"
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
	start nat "/run/tcpdump.log" tcpdump -n -i out0 -B 65536 -w "/run/$1.pcap" ip
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
	title "4. Both ends replace the keys of child SA and IKE SA every few seconds, under load"
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
part_rekeying
exit 0
