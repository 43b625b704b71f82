# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# esptund as the west end of two_hosts, with a network behind each end; the east end is another
# implementation, of strongswan.sh or libreswan.sh. Source it after lib.sh and agent.sh.
#
#   west: esptund                          east: the peer
#   10.1.0.1/24 lan0                       10.2.0.1/24 lan0
#   192.0.2.1/24 w0 --------- veth ------- 192.0.2.2/24 e0
#
# What a script wants of any peer, each file of a peer has:
#   peer_start, peer_stop        the daemon runs, ends
#   peer_conf [KEY=VALUE...]     writes and loads its side; child, ike: seconds after which it
#                                rekeys these SAs; pfs=yes: each child with a key exchange
#   peer_initiate                it begins; tells what happened, by its status too
#   peer_terminate, peer_idle    it deletes its IKE SA; it has none
#   $peer_log                    the file that it writes to

# shellcheck disable=SC2034,SC2154 # shared with the scripts and lib.sh
answer='' status=0

# lans: the networks behind both ends.
lans() {
	local side
	for side in west:10.1.0.1 east:10.2.0.1; do
		must ip -n "${side%:*}" link add lan0 type dummy
		must ip -n "${side%:*}" addr add "${side#*:}/24" dev lan0
		must ip -n "${side%:*}" link set lan0 up
	done
}

# peer_run COMMAND...: in east, and in $PEER_ROOT where the peer's programs are of another Debian.
peer_run() {
	in_quiet east ${PEER_ROOT:+chroot "$PEER_ROOT"} "$@"
}

# peer_root: what programs in $PEER_ROOT need of the machine; what they write is gone with the guest.
peer_root() {
	[ -n "${PEER_ROOT:-}" ] || return 0
	must mount --rbind /dev "$PEER_ROOT/dev"
	must mount --rbind /proc "$PEER_ROOT/proc"
	must mount -t tmpfs run "$PEER_ROOT/run"
}

# warm_up: the kernel's modules for ESP. A busy machine takes half a minute for the first SA: longer
# than an SPI that was asked for is kept, and than anybody waits for an answer.
warm_up() {
	must at east ip xfrm state add src 192.0.2.2 dst 192.0.2.1 proto esp spi 0x999 mode tunnel \
		aead "${kernel_name[aes-gcm-256]}" "$(key aes-gcm-256 1)" 128 encap espinudp 4500 4500 0.0.0.0
	must at east ip xfrm state flush
}

# ours [KEY=VALUE...]: writes esptund's side; endpoint= (empty) leaves Endpoint out; key and proof are
# lines of [Tunnel] and of [Peer] instead of the PSK.
ours() {
	local psk=$AGENT_PSK crypto=modern selectors=any begin=now liveness=30 endpoint=192.0.2.2 rekey='' from=''
	local lid=west.example rid=east.example key='' proof=''
	[ $# = 0 ] || local "$@"
	conf west vpn0 <<-END
	[Tunnel]
	LocalID = $lid
	${from:+Local = $from}
	$key
	[Peer]
	${endpoint:+Endpoint = $endpoint}
	RemoteID = $rid
	${proof:-PSK = $psk}
	Routes = 10.2.0.0/24, 10.3.0.0/24
	Crypto = $crypto
	Selectors = $selectors
	${endpoint:+Start = $begin}
	Liveness = $liveness
	${rekey:+Rekey = $rekey}
	END
}

# peer_ended: the peer has no IKE SA left; one that it was about to replace may come once more.
peer_ended() {
	peer_terminate > /dev/null 2>&1
	peer_idle
}

# begin_anew: nothing is left of the former case at either end, nor in peer_said.
peer_said_from=1
begin_anew() {
	tell west down vpn0 > /dev/null 2>&1
	wait_for 20 peer_ended || bail "the peer keeps its SA"
	peer_said_from=$(($(wc -l < "$peer_log") + 1))
}

# peer_said PATTERN: the last line of the peer's log since begin_anew that matches.
peer_said() {
	tail -n "+$peer_said_from" "$peer_log" | grep -e "$1" | tail -n 1
}

# we_begin, they_begin: with the configuration written last; what was said is left in
# $answer, the exit code in $status.
we_begin() {
	tell west reload > /dev/null
	answer=$(tell west up vpn0 timeout 60 2>&1)
	status=$?
	echo "$answer"
}

they_begin() {
	tell west reload > /dev/null
	tell west up vpn0 timeout 0 > /dev/null 2>&1 # so that it listens
	echo "[east] the peer initiates" >&9
	answer=$(peer_initiate 2>&1)
	status=$?
	tail -n 5 <<< "$answer"
}
