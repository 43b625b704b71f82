#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# esptund itself, without a kernel module (no_module.c): passwords are with the confined process that has the keys,
# at either end of EAP; and a user that is taken out of the file is out.

. "$VM_TOP/tests/vm/lib.sh"
. "$VM_TOP/tests/sock/strongswan.sh"
. "$VM_TOP/tests/sock/certs.sh"
. "$VM_TOP/tests/sock/eap.sh"

# up NAME TIMES: strongSwan has had so many IKE SAs of it.
up() {
	[ "$(grep -c "IKE_SA $1\[[0-9]*\] established" "$VM_OUT/charon.log")" -ge "$2" ]
}

# says WORDS: esptund does.
says() {
	grep -qF -- "$1" "$VM_OUT/agent.log"
}

# is_closed NAME: strongSwan has no IKE SA of it.
is_closed() {
	[ -z "$(swan --list-sas --ike "$1")" ]
}

three_hosts
make_folders
charon "$EAP_PLUGINS"
authority root ec:P-256 ''
leaf east ec:P-256 root DNS:east.example
leaf west ec:P-256 root DNS:log-in.west.example,DNS:both.west.example
leaf hub ec:P-256 root DNS:server.west.example
leaf laptop ec:P-256 root DNS:laptop.example
cp "$dir"/{east,laptop}.key "$VM_OUT/private/"
cp "$dir"/{east,laptop}.crt "$VM_OUT/x509/"
cp "$dir/root.crt" "$VM_OUT/x509ca/"
printf 'dave = the right one\n' > "$dir/users"
chmod 600 "$dir/users"
printf 'red herring\n' > "$dir/password"
chmod 600 "$dir/password"
secret carol 'red herring'
secret cate 'red herring'
secret dave 'the right one'
we_log_in 1 carol carol "file:$dir/password" mschapv2
they_log_in 2 log-in dave mschapv2
we_come 3 both pubkey cate "file:$dir/password"
they_come 4 server psk dave
load_swan
# Sanitizers make system calls that no confined process may make.
esptund=$(cd "$VM_TOP" && realpath "${B:-build}/tests/esptund-no-module")
start west "$VM_OUT/agent.log" "$esptund" --config /run/conf/west \
	--socket /run/agent.sock --foreground
agent=$started

check "we log in" wait_for 20 up carol 1
quietly swan --initiate --child log-in --timeout 10
check "they log in" wait_for 20 up log-in 1
check "as the user" says 'IKE SA with dave at'
check "we prove ourselves in two rounds" wait_for 20 up both 1
quietly swan --initiate --child server --timeout 10
check "they do" wait_for 20 up server 1
status() {
	"$(cd "$VM_TOP" && realpath "${B:-build}/esptun")" -control /run/agent.sock status "$1"
}
like "status: our rounds" "$(status both)" 'local .* id cate by pubkey, eap'
like "status: theirs" "$(status server)" 'client dave: up .* by psk, eap first as laptop.example'

printf 'erin = another\n' > "$dir/users"
kill -HUP "$agent"
check "without that user: the IKE SA ends" wait_for 10 is_closed log-in
check "we are still logged in" up carol 1
chmod 644 "$dir/users"
kill -HUP "$agent"
check "a file that others can read is refused" wait_for 10 says 'can be read by others'
kill -TERM "$agent"
check "ends in peace" wait_for 15 gone "$agent"
finish
