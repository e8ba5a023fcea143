# SPDX-License-Identifier: MIT
# bash completion for mtatop(1)
_mtatop()
{
	local cur=$2 prev=$3
	local commands='alerts check collect dns doctor explain export help probe report warmup'
	local options='--cache --config --critical --delay --demo --dsn --dump-config --filter --format --help --host --interval --listen --log
		--max-age --min-n --no-color --no-mouse --no-unicode --once --output --provider --read-write --readonly --replay --since --sort-key --theme --timeout
		--until --until-caught-up --version --warning --window'

	case $prev in
	--cache | --config | --log | --output)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
		;;
	--format)
		mapfile -t COMPREPLY < <(compgen -W 'text json csv' -- "$cur")
		return
		;;
	check)
		mapfile -t COMPREPLY < <(compgen -W 'bounce-rate certificate deferral-rate dnsbl health lag port queue queue-active queue-age
			queue-corrupt queue-deferred queue-hold queue-incoming' -- "$cur")
		return
		;;
	warmup)
		mapfile -t COMPREPLY < <(compgen -W 'plan status' -- "$cur")
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
		mapfile -t COMPREPLY < <(compgen -W 'postfix mailgun sendgrid' -- "$cur")
		return
		;;
	postfix | mailgun | sendgrid)
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
