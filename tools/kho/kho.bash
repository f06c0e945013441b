# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Completion of kho(8) for bash.

_kho() {
	local word=${COMP_WORDS[COMP_CWORD]} options

	if ((COMP_CWORD == 1)); then
		mapfile -t COMPREPLY < <(compgen -W \
			"status map check load watch dump verify log" -- "$word")
		return
	fi
	case ${COMP_WORDS[1]} in
	status) options="--json" ;;
	map) options="--svg --range" ;;
	load) options="--force" ;;
	watch) options="--interval --count" ;;
	dump | verify) options="--fdt --in" ;;
	*) options="" ;;
	esac
	if [[ $word == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
	else
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
	fi
}
complete -o filenames -F _kho kho
