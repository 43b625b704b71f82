# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# OpenIKED of the Debian in $PEER_ROOT as the east end; see west.sh. Its SAs and policies are the kernel's, by
# PF_KEY. Source it after lib.sh and agent.sh.

# shellcheck disable=SC2154 # $started is of lib.sh
. "$VM_TOP/tests/interop/west.sh"
iked_pid='' iked_flags='' peer_log=$VM_OUT/iked.log iked_etc=${PEER_ROOT:-}/etc/iked

peer_start() {
	peer_root
	mkdir -p "$iked_etc"/{ca,certs,crls,private,pubkeys/fqdn}
	must modprobe af_key
	# As warm_up, for what PF_KEY of Linux has: AES-CBC with an HMAC.
	must at east ip xfrm state add src 192.0.2.2 dst 192.0.2.1 proto esp spi 0x999 mode tunnel \
		enc 'cbc(aes)' "0x$(printf '11%.0s' {1..32})" auth-trunc 'hmac(sha512)' "0x$(printf '22%.0s' {1..64})" 256
	must at east ip xfrm state flush
	# Packets to the other network need a route before a policy takes them.
	must ip -n east route add 10.1.0.0/24 via 192.0.2.1
}

iked_ctl() {
	peer_run timeout 10 ikectl "$@"
}

# iked_begin [OPTION...]: it starts, with its configuration.
iked_begin() {
	must quietly peer_run iked -n
	start east "$peer_log" ${PEER_ROOT:+chroot "$PEER_ROOT"} iked -d -vv "$@"
	iked_pid=$started iked_flags=$*
	# At its first SADB_REGISTER the kernel looks for each algorithm that it has a name for, as a module, too.
	wait_for 120 iked_has_loaded 1 || bail "OpenIKED does not start: $(tail -n 20 "$peer_log")"
}

# iked_reload: it reads its files anew; its SAs are gone.
iked_reload() {
	local before
	before=$(grep -c 'compilation done' "$peer_log")
	must quietly peer_run iked -n
	must iked_ctl reload
	wait_for 30 iked_has_loaded $((before + 1)) || bail "OpenIKED does not read its files: $(tail -n 20 "$peer_log")"
}

# iked_has_loaded TIMES: its policies, and what its CA process found, so often at least.
iked_has_loaded() {
	[ "$(grep -c 'compilation done' "$peer_log")" -ge "$1" ] && [ "$(grep -c 'ca_reload: local cert type' "$peer_log")" -ge "$1" ]
}

peer_stop() {
	stop "$iked_pid"
	iked_pid=''
}

# iked_dies: at once, all its processes, and the kernel forgets its SAs, as when the machine fails.
iked_dies() {
	# shellcheck disable=SC2046 # words
	kill -KILL "$iked_pid" $(pgrep -P "$iked_pid")
	wait "$iked_pid" 2> /dev/null
	iked_pid=''
	must in_quiet east ip xfrm state flush
	must in_quiet east ip xfrm policy flush
}

# proof, ikesa, esp: of the policy, as iked.conf(5) has them; lid, rid: its identity and esptund's; more: what
# stands before the policy; flags: of iked.
peer_conf() {
	local proof="psk \"$AGENT_PSK\"" child='' ike='' pfs='' lid=east.example rid=west.example more='' flags=''
	local esp='enc aes-256 auth hmac-sha2-512' ikesa='enc aes-256 auth hmac-sha2-256 prf hmac-sha2-256 group curve25519'
	local flow='from 10.2.0.0/24 to 10.1.0.0/24' peer=192.0.2.1
	[ $# = 0 ] || local "$@"
	peer_write <<-END
	set nomobike
	set fragmentation
	$more
	ikev2 "west" passive esp $flow local 192.0.2.2 peer $peer \\
	  ikesa $ikesa \\
	  childsa $esp ${pfs:+group curve25519} \\
	  ${lid:+srcid $lid} ${rid:+dstid $rid} \\
	  ${ike:+ikelifetime $ike} ${child:+lifetime $child} $proof
	END
	if [ -n "$iked_pid" ] && [ "$flags" = "$iked_flags" ]; then
		iked_reload
		return
	fi
	[ -z "$iked_pid" ] || peer_stop
	# shellcheck disable=SC2086 # words
	iked_begin $flags
}

# peer_write: its configuration is what standard input has.
peer_write() {
	cat > "${PEER_ROOT:-}/etc/iked.conf"
	chmod 600 "${PEER_ROOT:-}/etc/iked.conf"
}

# iked_is_up: it has an IKE SA that is up.
iked_is_up() {
	iked_ctl show sa | grep -q '^iked_sas.* ESTABLISHED'
}

peer_initiate() {
	sed -i 's/ passive / active /' "${PEER_ROOT:-}/etc/iked.conf"
	iked_reload
	wait_for 20 iked_is_up
}

peer_terminate() {
	iked_ctl reset sa
}

peer_idle() {
	! iked_ctl show sa | grep -q '^iked_sas'
}

# peer_read: its IKE SA, with esptund's identity.
peer_read() {
	iked_ctl show sa | grep '^iked_sas'
}

# iked_own KEY [CERTIFICATE]: what it proves itself with.
iked_own() {
	cp "$1" "$iked_etc/private/local.key"
	chmod 600 "$iked_etc/private/local.key"
	rm -f "$iked_etc"/certs/*
	[ -z "${2:-}" ] || cp "$2" "$iked_etc/certs/"
	must openssl pkey -in "$1" -pubout -out "$iked_etc/local.pub"
}
