import type { Need } from '../../tools/test/needs.ts'

/** What a file bench/<name>.ts exports. */
export interface Bench {
  readonly name: string
  /** One line, for --list. */
  readonly description: string
  /** Of the machine; absent: nothing. With `engine` there is one at ZUND_TEST_ENGINE, holding busybox:latest. */
  readonly needs?: readonly Need[]
  run(o: { signal: AbortSignal }): Promise<readonly Figure[]>
}

/** One measured number. Ratios have the unit `x`. */
export interface Figure {
  readonly what: string
  readonly value: number
  readonly unit: 'x' | 'ms' | 's' | '/s' | 'MiB' | 'MiB/s' | '%'
  readonly aim?: { readonly atMost: number } | { readonly atLeast: number }
}

export async function loadBench(path: string): Promise<Bench> {
  const module = (await import(path)) as Partial<Bench>
  const { name, description, run, needs = [] } = module
  if (name === undefined || description === undefined || run === undefined) {
    throw new Error(`${path} must export name, description and run`)
  }
  return { name, description, run, needs }
}

export function figureLine({ what, value, unit, aim }: Figure): string {
  const line = `  ${what.padEnd(64)}${shown(value).padStart(9)} ${unit}`
  if (aim === undefined) return line
  const [words, bound, met] =
    'atMost' in aim ? ['at most', aim.atMost, value <= aim.atMost] : ['at least', aim.atLeast, value >= aim.atLeast]
  return `${line.padEnd(80)}aim: ${words} ${bound}, ${met ? 'met' : 'MISSED'}`
}

/** Three digits that mean something. */
function shown(value: number): string {
  if (!Number.isFinite(value)) return String(value)
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3)
}
