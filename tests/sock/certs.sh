# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Keys and certificates for both ends, made by openssl in $dir. Source it after strongswan.sh.

# shellcheck disable=SC2154 # $VM_OUT: tests/sock/run
dir=$VM_OUT/made

# make_folders: $dir, and those of strongSwan.
make_folders() {
	mkdir -p "$dir" "$VM_OUT/"{private,pubkey,x509,x509ca}
}

# make_key FILE KIND: a private key, rsa:BITS, ec:CURVE, ed25519 or ed448.
make_key() {
	local options=()
	case $2 in
	rsa:*) options=(rsa -pkeyopt "rsa_keygen_bits:${2#*:}") ;;
	ec:*) options=(ec -pkeyopt "ec_paramgen_curve:${2#*:}") ;;
	*) options=("$2") ;;
	esac
	openssl genpkey -algorithm "${options[@]}" -out "$1" 2> /dev/null || bail "no key of $2"
	chmod 600 "$1"
}

# certify NAME KIND ISSUER SUBJECT DAYS EXTENSION...: $dir/NAME.key, .crt; ISSUER "": it signs itself.
certify() {
	local name=$1 issuer=$3 by=()
	make_key "$dir/$name.key" "$2"
	[ -z "$issuer" ] || by=(-CA "$dir/$issuer.crt" -CAkey "$dir/$issuer.key")
	local extensions=() one
	for one in "${@:6}"; do extensions+=(-addext "$one"); done
	openssl req -new -key "$dir/$name.key" -subj "$4" -out "$dir/$name.csr" "${extensions[@]}"
	if [ -z "$issuer" ]; then
		openssl req -x509 -key "$dir/$name.key" -subj "$4" -days "$5" -out "$dir/$name.crt" \
			"${extensions[@]}"
	else
		printf '%s\n' "${@:6}" > "$dir/$name.ext"
		openssl x509 -req -in "$dir/$name.csr" "${by[@]}" -days "$5" -CAcreateserial \
			-extfile "$dir/$name.ext" -out "$dir/$name.crt" 2> /dev/null
	fi || bail "no certificate $name"
}

# authority NAME KIND ISSUER: a CA.
authority() {
	certify "$1" "$2" "$3" "/C=CH/O=Example/CN=$1" 100 basicConstraints=critical,CA:TRUE \
		keyUsage=critical,keyCertSign,cRLSign
}

# leaf NAME KIND ISSUER SAN [DAYS]: the certificate of an end.
leaf() {
	certify "$1" "$2" "$3" "/C=CH/O=Example/CN=$1" "${5:-100}" "subjectAltName=$4" \
		keyUsage=critical,digitalSignature
}

# revocations NAME ISSUER FROM UNTIL [CERTIFICATE...]: $dir/NAME.crl, of which each of the certificates was revoked; times are
# what date -d takes.
revocations() {
	local name=$1 issuer=$2 one
	cat > "$dir/$name.cnf" <<-END
	[ca]
	default_ca = ours
	[ours]
	database = $dir/$name.index
	default_md = sha256
	END
	: > "$dir/$name.index"
	for one in "${@:5}"; do
		printf 'R\t491231235959Z\t%s,keyCompromise\t%s\tunknown\t/CN=%s\n' \
			"$(date -u -d '1 hour ago' +%y%m%d%H%M%SZ)" \
			"$(openssl x509 -in "$dir/$one.crt" -noout -serial | cut -d= -f2)" "$one" \
			>> "$dir/$name.index"
	done
	openssl ca -config "$dir/$name.cnf" -gencrl -cert "$dir/$issuer.crt" -keyfile "$dir/$issuer.key" \
		-crl_lastupdate "$(date -u -d "$3" +%Y%m%d%H%M%SZ)" \
		-crl_nextupdate "$(date -u -d "$4" +%Y%m%d%H%M%SZ)" -out "$dir/$name.crl" \
		2> "$dir/$name.log" || bail "no CRL $name: $(cat "$dir/$name.log")"
}

# response NAME ISSUER: $dir/NAME.ocsp, by which NAME.crt is good for a day.
response() {
	printf 'V\t491231235959Z\t\t%s\tunknown\t/CN=%s\n' \
		"$(openssl x509 -in "$dir/$1.crt" -noout -serial | cut -d= -f2)" "$1" > "$dir/$1.index"
	openssl ocsp -index "$dir/$1.index" -CA "$dir/$2.crt" -rsigner "$dir/$2.crt" -rkey "$dir/$2.key" \
		-issuer "$dir/$2.crt" -cert "$dir/$1.crt" -ndays 1 -noverify -respout "$dir/$1.ocsp" \
		> "$dir/$1.log" 2>&1 || bail "no OCSP response $1: $(cat "$dir/$1.log")"
}
