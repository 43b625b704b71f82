# SPDX-License-Identifier: GPL-2.0-or-later
# fish completion for esptun(8): the command itself knows what may come next.
function __esptun_offered
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l offered (esptun -complete $words[2..-1] "$current" 2> /dev/null)
    if test "$offered" = @file
        __fish_complete_path "$current"
    else
        string join \n -- $offered
    end
end
complete -c esptun -f -a '(__esptun_offered)'
