# SPDX-License-Identifier: MIT
# bash completion for mtatop(1)
_mtatop()
{
	local cur=$2 prev=$3
	local commands='collect report doctor help'
	local options='--cache --config --delay --demo --dump-config --filter --format --help --log --no-color
		--no-mouse --no-unicode --once --provider --read-write --readonly --replay --since --sort-key --theme
		--until --until-caught-up --version --window'

	case $prev in
	--cache | --config | --log)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
		;;
	--format)
		mapfile -t COMPREPLY < <(compgen -W 'text json csv' -- "$cur")
		return
		;;
	--window)
		mapfile -t COMPREPLY < <(compgen -W '5m 15m 1h 6h 24h 7d 30d' -- "$cur")
		return
		;;
	--theme)
		mapfile -t COMPREPLY < <(compgen -W 'default contrast mono' -- "$cur")
		return
		;;
	--replay)
		mapfile -t COMPREPLY < <(compgen -W 'postfix' -- "$cur")
		return
		;;
	postfix)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
		;;
	esac
	case $cur in
	-*) mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur") ;;
	*) mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$cur") ;;
	esac
}
complete -o filenames -F _mtatop mtatop
