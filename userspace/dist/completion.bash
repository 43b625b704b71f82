# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# bash completion for esptun(8): the command itself knows what may come next.
_esptun() {
	mapfile -t COMPREPLY < <(esptun -complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2> /dev/null)
	if [[ ${COMPREPLY[*]} == @file ]]; then
		COMPREPLY=()
		compopt -o default
	fi
}
complete -F _esptun esptun
