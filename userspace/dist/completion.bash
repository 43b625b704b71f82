# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# bash completion for esptun(8)
_esptun() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} words
	case $prev in
	esptun) words='peer sa stats monitor keygen up down status help -j -p -s -d -n -V' ;;
	peer) words='add set del show' ;;
	sa) words='add del show flush' ;;
	keygen) words='sa' ;;
	algo) words='aes-gcm-128 aes-gcm-192 aes-gcm-256 chacha20-poly1305' ;;
	dev | up | down | status) words=$(ip -br link show type esptun 2>/dev/null | cut -d' ' -f1) ;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}
complete -F _esptun esptun
