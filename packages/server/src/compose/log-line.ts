/** One line an entry in the form of oslo.log, for the parsers that operators have for it. */

const LEVELS: Readonly<Record<number, string>> = { 20: 'DEBUG', 30: 'INFO', 40: 'WARNING', 50: 'ERROR', 60: 'CRITICAL' }

/** `entry` is a line as pino writes it. */
export function osloLine(entry: string): string {
  const { level, time, pid, msg, err, requestId, globalRequestId, ...more } = JSON.parse(entry) as Entry
  const ids = [requestId, globalRequestId].filter((id) => typeof id === 'string').join(' ')
  const fields = Object.entries(more).map(([name, value]) => ` ${name}=${textOf(value)}`)
  const head = `${local(new Date(time))} ${pid} ${LEVELS[level] ?? 'INFO'} zund [${ids === '' ? '-' : ids}]`
  return `${`${head} ${msg ?? ''}${fields.join('')}${trouble(err)}`.replaceAll(/\s*\n\s*/g, ' | ')}\n`
}

interface Entry extends Readonly<Record<string, unknown>> {
  readonly level: number
  readonly time: string
  readonly pid: number
  readonly msg?: string
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : (JSON.stringify(value) ?? ''))

function trouble(error: unknown): string {
  if (typeof error !== 'object' || error === null) return ''
  const text = 'stack' in error ? error.stack : 'message' in error ? error.message : error
  return `: ${textOf(text)}`
}

/** Without its zone, as those parsers want it. */
function local(time: Date): string {
  const two = (value: number, digits = 2): string => String(value).padStart(digits, '0')
  const day = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`
  const clock = [time.getHours(), time.getMinutes(), time.getSeconds()].map((value) => two(value)).join(':')
  return `${day} ${clock}.${two(time.getMilliseconds(), 3)}`
}
