import { shellWords } from '../../domain/shell-words.ts'
import type { SimFiles } from './sim-files.ts'

/** What a program of a sim container can do. */
export interface ProgramIo {
  readonly files: SimFiles
  /** True when somebody may type: a shell without a script then waits for it. */
  readonly hasInput: boolean
  write(stream: 'stdout' | 'stderr', text: string): void
  sleep(ms: number): Promise<void>
  /** Never comes back: the program runs until it is killed. */
  forever(): Promise<never>
}

/** Gives the exit code. */
export type Program = (io: ProgramIo) => Promise<number>

/**
 * The program that a command line names, or the text with which the engine refuses to start it.
 *
 * Known are `true`, `false`, `echo [-n] WORDS`, `sleep SECONDS`, `cat PATH`, `serve` and `pause` (run until killed), `sh`, and
 * `sh -c SCRIPT`, where a script is made of those, `exit CODE`, `>&2` and `> PATH`, separated by `;` or line ends.
 */
export function findProgram(argv: readonly string[], files: SimFiles): Program | string {
  const [name] = argv
  if (name === undefined) return 'no command specified'
  if (name.startsWith('/') && files.read(name) === undefined) {
    return `exec: "${name}": stat ${name}: no such file or directory`
  }
  const command = name.split('/').at(-1) ?? ''
  if (!COMMANDS.includes(command)) return `exec: "${name}": executable file not found in $PATH`
  const words = [command, ...argv.slice(1)]
  if (command !== 'sh') return (io) => runCommand(words, io)
  const script = argv[1] === '-c' ? (argv[2] ?? '') : undefined
  if (script !== undefined) return (io) => runScript(script, io)
  return async (io) => (io.hasInput ? await io.forever() : 0)
}

const COMMANDS = ['true', 'false', 'echo', 'sleep', 'cat', 'serve', 'pause', 'sh']

async function runScript(script: string, io: ProgramIo): Promise<number> {
  let last = 0
  for (const statement of script.split(/[;\n]/)) {
    const words = shellWords(statement)
    if (words === undefined || words.length === 0) continue
    if (words[0] === 'exit') return Number(words[1] ?? last)
    last = await runCommand(words, io)
  }
  return last
}

async function runCommand(words: readonly string[], io: ProgramIo): Promise<number> {
  const [command, ...rest] = words
  const { args, write } = redirected(rest, io)
  switch (command) {
    case 'true':
      return 0
    case 'false':
      return 1
    case 'echo':
      write(args[0] === '-n' ? args.slice(1).join(' ') : `${args.join(' ')}\n`)
      return 0
    case 'sleep':
      await io.sleep(Number(args[0] ?? 0) * 1000)
      return 0
    case 'serve':
    case 'pause':
      return await io.forever()
    case 'cat': {
      const data = io.files.read(args[0] ?? '')
      if (data !== undefined) {
        write(data.toString('utf8'))
        return 0
      }
      io.write('stderr', `cat: can't open '${args[0] ?? ''}': No such file or directory\n`)
      return 1
    }
    default:
      io.write('stderr', `sh: ${command}: not found\n`)
      return 127
  }
}

/** `>&2` and `> PATH` at the end of a statement. */
function redirected(rest: readonly string[], io: ProgramIo): { args: readonly string[]; write(text: string): void } {
  const last = rest.at(-1)
  if (last === '>&2') return { args: rest.slice(0, -1), write: (text) => io.write('stderr', text) }
  if (rest.at(-2) === '>' && last !== undefined) {
    return { args: rest.slice(0, -2), write: (text) => io.files.write(last, text) }
  }
  return { args: rest, write: (text) => io.write('stdout', text) }
}
