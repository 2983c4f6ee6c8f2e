import { COMMON, type Command, type Completes } from '../args/command.ts'
import { COMMANDS } from '../commands.ts'
import { say } from '../context.ts'
import { EXIT } from '../failures.ts'
import { SERVICE_COMMANDS } from './service-commands.ts'

export const completion: Command = {
  name: 'completion',
  about: 'Prints what makes a shell complete these commands, their options and names of containers',
  operands: 'bash|zsh|fish',
  count: [1, 1],
  options: {},
  more: 'For bash: source <(zund completion bash); for zsh: the same with zsh; for fish: zund completion fish | source',
  run: async (args, context) => {
    const shell = args.operand(0)
    const write = SHELLS[shell]
    if (write === undefined) {
      const { Misuse } = await import('../failures.ts')
      throw new Misuse(`there is no completion for '${shell}'; there is for ${Object.keys(SHELLS).join(', ')}`)
    }
    const described: Described[] = [...SERVICE_COMMANDS]
    for (const [name, { load, about, aliases = [] }] of Object.entries(COMMANDS)) {
      const command = await load()
      for (const one of [name, ...aliases]) described.push({ name: one, about, ...optionsOf(command) })
    }
    await say(context, write(described))
    return EXIT.ok
  },
}

interface Described {
  readonly name: string
  readonly about: string
  readonly options: readonly string[]
  readonly completes: Completes
}

function optionsOf({ options, completes = 'nothing' }: Command): Pick<Described, 'options' | 'completes'> {
  const all = Object.entries({ ...options, ...COMMON })
  return {
    completes,
    options: all.flatMap(([name, { short }]) => [`--${name}`, ...(short === undefined ? [] : [`-${short}`])]),
  }
}

const SHELLS: Readonly<Record<string, (commands: readonly Described[]) => string>> = { bash, zsh, fish }

function bash(commands: readonly Described[]): string {
  const cases = commands.map(
    ({ name, options, completes }) => `    '${name}') options='${options.join(' ')}' operands=${completes} ;;`,
  )
  return `# Completion of zund for bash.
_zund() {
  local word=\${COMP_WORDS[COMP_CWORD]} command=\${COMP_WORDS[1]} zund=\${COMP_WORDS[0]} options= operands=
  if ((COMP_CWORD == 1)); then
    COMPREPLY=($(compgen -W '${firstWords(commands)}' -- "$word"))
    return
  fi
  case $command in ${groups(commands).join(' | ')})
    if ((COMP_CWORD == 2)); then
      case $command in
${groups(commands)
  .map((group) => `        ${group}) COMPREPLY=($(compgen -W '${seconds(commands, group)}' -- "$word")) ;;`)
  .join('\n')}
      esac
      return
    fi
    command="$command \${COMP_WORDS[2]}" ;;
  esac
  case $command in
${cases.join('\n')}
  esac
  case $word in
    -*) COMPREPLY=($(compgen -W "$options" -- "$word")) ; return ;;
  esac
  case $operands in
    containers) COMPREPLY=($(compgen -W "$("$zund" ps -a -o name 2>/dev/null)" -- "$word")) ;;
    capsules) COMPREPLY=($(compgen -W "$("$zund" capsule ls -o name 2>/dev/null)" -- "$word")) ;;
  esac
}
complete -o default -F _zund zund ./zund`
}

/** zsh takes bash's by a module of its own. */
function zsh(commands: readonly Described[]): string {
  // Where nobody has set zsh's own completion up, that module has nothing to register with.
  const own = '(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }'
  return `${own}\nautoload -Uz bashcompinit && bashcompinit\n${bash(commands)}`
}

function fish(commands: readonly Described[]): string {
  const lines = commands.flatMap(({ name, about, options, completes }) => {
    const [first = '', second] = name.split(' ')
    const when =
      second === undefined
        ? `__fish_seen_subcommand_from ${first}`
        : `__fish_seen_subcommand_from ${first}; and __fish_seen_subcommand_from ${second}`
    const offered =
      second === undefined
        ? `complete -c zund -n __fish_use_subcommand -a ${first} -d '${about.replaceAll("'", '')}'`
        : `complete -c zund -n '__fish_seen_subcommand_from ${first}' -a ${second} -d '${about.replaceAll("'", '')}'`
    const operands = OPERANDS[completes]
    return [
      offered,
      ...options.filter((one) => one.startsWith('--')).map((one) => `complete -c zund -n '${when}' -l ${one.slice(2)}`),
      ...(operands === undefined ? [] : [`complete -c zund -n '${when}' -a '(${operands})'`]),
    ]
  })
  return [
    'complete -c zund -f',
    ...groups(commands).map((group) => `complete -c zund -n __fish_use_subcommand -a ${group}`),
    ...lines,
  ].join('\n')
}

const OPERANDS: Readonly<Partial<Record<Completes, string>>> = {
  containers: 'zund ps -a -o name 2>/dev/null',
  capsules: 'zund capsule ls -o name 2>/dev/null',
}

function firstWords(commands: readonly Described[]): string {
  return [...new Set(commands.map(({ name }) => name.split(' ')[0] ?? '')), 'help'].join(' ')
}

/** First words of commands of two. */
function groups(commands: readonly Described[]): string[] {
  return [...new Set(commands.flatMap(({ name }) => (name.includes(' ') ? [name.split(' ')[0] ?? ''] : [])))]
}

function seconds(commands: readonly Described[], group: string): string {
  return commands.flatMap(({ name }) => (name.startsWith(`${group} `) ? [name.split(' ')[1] ?? ''] : [])).join(' ')
}
