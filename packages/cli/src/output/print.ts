import type { Parsed } from '../args/parse.ts'
import { say, type Context } from '../context.ts'
import { printable, table, type Column } from './table.ts'

export interface Shown<T> extends Column {
  of(row: T): string
}

/** A list in the form that was asked for. */
export async function printList<T>(
  context: Context,
  args: Parsed,
  rows: readonly T[],
  how: { readonly columns: readonly Shown<T>[]; readonly name: (row: T) => string; readonly whole?: boolean },
): Promise<void> {
  const format = args.text('output') ?? 'table'
  if (format === 'json' || format === 'yaml') return await printData(context, format, rows)
  if (format === 'name') {
    for (const row of rows) await say(context, printable(how.name(row)))
    return
  }
  const cells = rows.map((row) => how.columns.map((column) => column.of(row)))
  const lines = table(how.columns, cells, how.whole === true ? null : widthOf(context))
  const [head = '', ...body] = lines
  await say(
    context,
    [painted(context, head, 1), ...body.map((line) => paintedRow(context, line, how.columns, lines))].join('\n'),
  )
}

export async function printData(context: Context, format: string, data: unknown): Promise<void> {
  if (format === 'json') return await say(context, JSON.stringify(data, null, 2))
  const { stringify } = await import('yaml')
  await say(context, stringify(data, { lineWidth: 0 }).trimEnd())
}

/** Of the terminal; null: nobody looks at it. */
export function widthOf({ stdout, env }: Context): number | null {
  const forced = Number(env['COLUMNS'])
  if (!stdout.isTTY) return null
  return stdout.columns > 0 ? stdout.columns : forced > 0 ? forced : 80
}

export function colourful({ stdout, env }: Context): boolean {
  return stdout.isTTY && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb'
}

export function painted(context: Context, text: string, code: number): string {
  return colourful(context) ? `\u001B[${code}m${text}\u001B[0m` : text
}

const STATUS_COLOURS: Readonly<Record<string, number>> = { Running: 32, Error: 31, Dead: 31, Unknown: 33, Paused: 33 }

/** The status, where a column has one: cells are found again by the place of their title. */
function paintedRow<T>(
  context: Context,
  line: string,
  columns: readonly Shown<T>[],
  [head = '']: readonly string[],
): string {
  if (!colourful(context) || !columns.some(({ title }) => title === 'STATUS')) return line
  const at = head.indexOf('STATUS')
  const word = at < 0 ? undefined : /^[A-Za-z]+/.exec(line.slice(at))?.[0]
  const code = STATUS_COLOURS[word ?? '']
  if (word === undefined || code === undefined) return line
  return `${line.slice(0, at)}\u001B[${code}m${word}\u001B[0m${line.slice(at + word.length)}`
}
