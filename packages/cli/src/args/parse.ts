/**
 * Reads a command line. `util.parseArgs` cannot stop at the first operand, and `zund run IMAGE ls -l` must leave `-l`
 * alone; and its messages do not say what would have been right.
 */
import { Misuse } from '../failures.ts'
import { COMMON, type Command, type Option } from './command.ts'

export class Parsed {
  readonly operands: readonly string[]
  readonly #values: ReadonlyMap<string, readonly string[]>

  constructor(operands: readonly string[], values: ReadonlyMap<string, readonly string[]>) {
    this.operands = operands
    this.#values = values
  }

  has(name: string): boolean {
    return this.#values.has(name)
  }

  /** The last one counts. */
  text(name: string): string | undefined {
    return this.#values.get(name)?.at(-1)
  }

  all(name: string): readonly string[] {
    return this.#values.get(name) ?? []
  }

  number(name: string): number | undefined {
    const text = this.text(name)
    return text === undefined ? undefined : Number(text)
  }

  operand(index: number): string {
    return this.operands[index] ?? ''
  }
}

export function parse(command: Command, argv: readonly string[]): Parsed {
  const options = { ...command.options, ...COMMON }
  const values = new Map<string, string[]>()
  const operands: string[] = []
  const take = (name: string, value: string): void => {
    check(`--${name}`, options[name], value)
    values.set(name, [...(values.get(name) ?? []), value])
  }
  for (let at = 0; at < argv.length; at += 1) {
    const word = argv[at] ?? ''
    const valueFor = (shown: string, given: string | undefined): string => {
      if (given !== undefined) return given
      at += 1
      const next = argv[at]
      if (next === undefined) throw new Misuse(`${shown} needs a value`)
      return next
    }
    if (word === '--') {
      operands.push(...argv.slice(at + 1))
      break
    } else if (word.startsWith('--')) {
      const [, name = '', given] = /^--([^=]*)(?:=(.*))?$/s.exec(word) ?? []
      const option = Object.hasOwn(options, name) ? options[name] : undefined
      if (option === undefined) throw unknown(command, `--${name}`)
      if (option.value === undefined && given !== undefined) throw new Misuse(`--${name} takes no value`)
      take(name, option.value === undefined ? '' : valueFor(`--${name}`, given))
    } else if (word.startsWith('-') && word !== '-') {
      for (let letter = 1; letter < word.length; letter += 1) {
        const short = word[letter]
        const found = Object.entries(options).find(([, option]) => option.short === short)
        if (found === undefined) throw unknown(command, `-${short}`)
        const [name, option] = found
        if (option.value === undefined) {
          take(name, '')
          continue
        }
        const rest = word.slice(letter + 1)
        take(name, valueFor(`-${short}`, rest === '' ? undefined : rest.replace(/^=/, '')))
        break
      }
    } else {
      operands.push(word)
      if (operands.length === command.stopsAt) {
        const rest = argv.slice(at + 1)
        operands.push(...(rest[0] === '--' ? rest.slice(1) : rest))
        break
      }
    }
  }
  const [least, most] = command.count
  if (!values.has('help')) {
    if (operands.length < least) throw new Misuse(`${command.name} needs ${missing(command, operands.length)}`)
    if (operands.length > most) throw new Misuse(`${command.name} does not know what to do with '${operands[most]}'`)
  }
  return new Parsed(operands, values)
}

function unknown(command: Command, shown: string): Misuse {
  return new Misuse(`${command.name} has no option ${shown}; see zund ${command.name} --help`)
}

function missing({ operands }: Command, given: number): string {
  return operands.split(' ').slice(given).join(' ')
}

function check(shown: string, option: Option | undefined, value: string): void {
  if (option?.choices !== undefined && !option.choices.includes(value)) {
    throw new Misuse(`${shown} is '${value}', and may be ${option.choices.join(', ')}`)
  }
  const form = option?.number === 'whole' ? /^\d{1,15}$/ : /^\d{1,15}(\.\d{1,9})?$/
  if (option?.number !== undefined && !form.test(value)) {
    throw new Misuse(
      `${shown} is '${value}', and must be a ${option.number === 'whole' ? 'whole ' : ''}number from 0 on`,
    )
  }
}
