/** What a command is, as data: it is parsed, explained and completed by this. */
import type { Context } from '../context.ts'
import type { Parsed } from './parse.ts'

export interface Option {
  readonly short?: string
  /** Name of its value, as help shows it; absent: it is a switch. */
  readonly value?: string
  /** May be given several times. */
  readonly many?: boolean
  /** Only these values. */
  readonly choices?: readonly string[]
  /** Whole number from 0 on, or any number from 0 on. */
  readonly number?: 'whole' | 'any'
  readonly about: string
}

/** What completion offers for operands. */
export type Completes = 'containers' | 'capsules' | 'files' | 'nothing'

export interface Command {
  /** What follows `zund`; two words for what belongs to a thing: `capsule ls`. */
  readonly name: string
  readonly aliases?: readonly string[]
  readonly about: string
  /** What follows the options: `CONTAINER [COMMAND...]`. */
  readonly operands: string
  /** How many operands there may be. */
  readonly count: readonly [least: number, most: number]
  /** What follows the first operand, if it begins with a dash, belongs to somebody else. */
  readonly stopsAt?: number
  readonly options: Readonly<Record<string, Option>>
  readonly completes?: Completes
  readonly more?: string
  run(args: Parsed, context: Context): Promise<number>
}

/** Options that every command takes. */
export const COMMON: Readonly<Record<string, Option>> = {
  'os-cloud': { value: 'NAME', about: 'cloud of clouds.yaml' },
  help: { short: 'h', about: 'this text' },
}

export const FORMAT: Readonly<Record<string, Option>> = {
  output: { short: 'o', value: 'FORMAT', choices: ['table', 'json', 'yaml', 'name'], about: 'form of the output' },
}
