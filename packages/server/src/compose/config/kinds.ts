/** Kinds of options: how each is read, and what is said of it where all options are listed. */

export interface Option<T> {
  readonly group: string
  readonly name: string
  /** In the words of oslo.config's own listings. */
  readonly type: string
  /** What a value must be, for people; empty: anything. */
  readonly limits: string
  /** Throws an Error that says what is wrong with the value. */
  readonly parse: (text: string) => T
  /** As it would be written in the file; `$name` and `${group.name}` refer to other options. undefined: not set. */
  readonly fallback: string | undefined
  readonly help: string
  readonly secret?: true
  /** Written several times, all values count and not only the last; they reach `parse` as lines. */
  readonly multiple?: true
}

export type Spec = {
  readonly fallback?: string
  readonly help: string
  readonly secret?: true
  readonly multiple?: true
}
type Make<T> = (group: string, name: string, spec: Spec) => Option<T>

export const option =
  <T>(type: string, parse: (text: string) => T, limits = ''): Make<T> =>
  (group, name, spec) => ({ fallback: undefined, ...spec, type, limits, group, name, parse })

export const text = option('string', (value) => value)
export const optionalText = option<string | null>('string', (value) => (value === '' ? null : value))

/** Items between commas; one that holds a comma stands in quotes. */
export function items(value: string): string[] {
  return [...value.matchAll(/\s*(?:"([^"]*)"|'([^']*)'|([^,]*?))\s*(?:,|$)/gs)]
    .map(([, double, single, plain]) => (double ?? single ?? plain ?? '').trim())
    .filter((item) => item !== '')
}

const linesOf = (value: string): string[] =>
  value
    .split('\n')
    .map((item) => item.trim())
    .filter((item) => item !== '')

export const list = option('list', items)
export const lines = option('multi valued', linesOf)

function toFlag(value: string): boolean {
  if (/^(true|1|on|yes)$/i.test(value)) return true
  if (/^(false|0|off|no)$/i.test(value)) return false
  throw new Error('it is not one of true, false, 1, 0, on, off, yes, no')
}

export const flag = option('boolean', toFlag, 'true, false')

/** null: nobody said. */
export const optionalFlag = option<boolean | null>(
  'boolean',
  (value) => (value === '' ? null : toFlag(value)),
  'true, false',
)

function number(type: 'integer' | 'floating point', min: number, max: number): Make<number> {
  const parse = (value: string): number => {
    const parsed = Number(value)
    if (value.trim() === '' || !Number.isFinite(parsed)) throw new Error('it is not a number')
    if (type === 'integer' && !Number.isInteger(parsed)) throw new Error('it is not a whole number')
    if (parsed < min || parsed > max) throw new Error(`it is not between ${min} and ${max}`)
    return parsed
  }
  return option(type, parse, `${min} to ${max}`)
}

export const whole = (min: number, max: number): Make<number> => number('integer', min, max)
export const decimal = (min: number, max: number): Make<number> => number('floating point', min, max)

export const oneOf = <const T extends string>(...values: readonly T[]): Make<T> =>
  option<T>(
    'string',
    (value) => {
      const known = values.find((v) => v === value)
      if (known === undefined) throw new Error(`it is not one of ${values.map((v) => `'${v}'`).join(', ')}`)
      return known
    },
    values.map((v) => (v === '' ? "''" : v)).join(', '),
  )

export const port = whole(0, 65_535)
export const seconds = whole(1, 86_400)
export const gib = whole(0, 1_000_000)
export const mib = whole(0, 1_000_000_000)
export const quota = whole(-1, 2_000_000_000)
