#compdef esptun
# SPDX-License-Identifier: GPL-2.0-or-later
# zsh completion for esptun(8): the command itself knows what may come next. Installed as _esptun.
local -a offered
offered=("${(@f)$(esptun -complete "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2> /dev/null)}")
if [[ $offered == @file ]]; then
	_files
elif [[ -n $offered ]]; then
	compadd -a offered
fi
