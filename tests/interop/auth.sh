# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What scripts share that try the ways of authentication with one peer: certificates for both ends, and one
# case of it in both roles. Source it after the file of the peer, which has what west.sh wants of any peer, its log in
# $peer_log, and peer_read: what it says last of esptund's proof.

# shellcheck disable=SC2034,SC2154 # shared with the scripts, agent.sh and west.sh
. "$VM_TOP/tests/sock/certs.sh"
mkdir -p "$dir"
# In these cases the selectors are those of the peer, and neither end rekeys.
FITS='selectors=10.1.0.0/24 = 10.2.0.0/24'

# ike_of FILTER: what a jq filter makes of the IKE SA in esptund's status, of its only client if it has clients.
ike_of() {
	in_quiet west esptun -j -control /run/west.control status vpn0 |
		jq -r ".tunnels[0] | (.clients[0] // .).ike | $1"
}

# both_ends NAME KIND [ISSUER...]: $dir/NAME.west and NAME.east, each .key, .crt and .chain, the certificate
# with those of its CAs below the root, which is the last one of ISSUER.
both_ends() {
	local name=$1 kind=$2 end between=()
	shift 2
	while [ $# -gt 1 ]; do
		between+=("$dir/$1.crt")
		shift
	done
	for end in west east; do
		leaf "$name.$end" "$kind" "$(basename "${between[0]:-$1}" .crt)" "DNS:$end.example"
		cat "$dir/$name.$end.crt" "${between[@]}" > "$dir/$name.$end.chain"
	done
}

# ours_by NAME [KEY=VALUE...]: as ours, with the certificate $dir/NAME.west; trust: the lines about the peer's.
ours_by() {
	local name=$1 trust="CA = $dir/root.crt" one more=()
	for one in "${@:2}"; do
		case $one in
		trust=*) trust=${one#*=} ;;
		*) more+=("$one") ;;
		esac
	done
	ours "$FITS" key="Key = $dir/$name.west.key
	Cert = $dir/$name.west.chain" proof="$trust" "${more[@]}"
}

# counted: SAs of the peer's kernel through which packets went.
counted() {
	in_quiet east ip -s xfrm state | grep -cE '^[[:space:]]+[1-9][0-9]*\(bytes\), [1-9]'
}

# crosses NAME: packets of both directions cross, and the peer's kernel has them counted.
crosses() {
	check "$1: ping there" pings west 10.2.0.1 -I 10.1.0.1
	check "$1: ping back" pings east 10.1.0.1 -I 10.2.0.1
	check "$1: the peer's kernel counts both directions" test "$(counted)" -ge 2
}

# is_up NAME ROLE AUTH READ: esptund is up in that role, each end by a method of AUTH ("ours, theirs"), and the peer
# says of esptund's proof what matches READ.
is_up() {
	local name=$1
	check "$name: up" wait_for 20 state_is west up || {
		tail -n 15 "${peer_log:?}"
		said west 'vpn0' | tail -n 5
		return 1
	}
	is "$name: esptund is the $2" "$(ike_of .role)" "$2"
	is "$name: who proves itself how" "$(ike_of '.local_auth + ", " + .remote_auth')" "$3"
	like "$name: what the peer read" "$(peer_read)" "$4"
	crosses "$name"
}

# both_roles NAME AUTH READ OURS [ARGUMENT of OURS...]: with what the peer's side is by now, esptund begins, then the
# peer; OURS is the function that writes esptund's side. AUTH and READ as is_up.
both_roles() {
	local name=$1 auth=$2 read=$3 write=$4
	shift 4
	begin_anew
	"$write" "$@" begin=traffic
	we_begin
	is_up "$name, esptund begins" initiator "$auth" "$read"
	begin_anew
	"$write" "$@" begin=listen
	they_begin
	is_up "$name, the peer begins" responder "$auth" "$read"
}

# refused NAME WHO PATTERN: after WHO (we_begin, they_begin) there is no tunnel, and esptund says why.
refused() {
	local before
	before=$(wc -l < "$VM_OUT/esptund-west.part")
	begin_anew
	"$2"
	says_why() {
		tail -n "+$((before + 1))" "$VM_OUT/esptund-west.part" | grep -qE -- "$1"
	}
	check "$1: it is said why" wait_for 20 says_why "$3" ||
		tail -n "+$((before + 1))" "$VM_OUT/esptund-west.part"
	is "$1: there is no SA" "$(in_quiet west esptun sa show dev vpn0)" ''
}
