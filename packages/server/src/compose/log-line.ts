/** One line an entry in the form of oslo.log, for the parsers that operators have for it. */

const LEVELS: Readonly<Record<number, string>> = { 20: 'DEBUG', 30: 'INFO', 40: 'WARNING', 50: 'ERROR', 60: 'CRITICAL' }

/** `entry` is a line as pino writes it. */
export function osloLine(entry: string): string {
  const { level, time, pid, msg, err, ...rest } = JSON.parse(entry) as Entry
  const { requestId, globalRequestId, userId, projectId, ...others } = rest
  const { domainId, systemScope, userDomainId, projectDomainId, ...more } = others
  const fields = Object.entries(more).map(([name, value]) => ` ${name}=${textOf(value)}`)
  const scope = [domainId, systemScope, userDomainId, projectDomainId]
  const context = contextOf([globalRequestId, requestId], [userId, projectId, ...scope])
  const head = `${local(new Date(time))} ${pid} ${LEVELS[level] ?? 'INFO'} zund [${context}]`
  return `${`${head} ${msg ?? ''}${fields.join('')}${trouble(err)}`.replaceAll(/\s*\n\s*/g, ' | ')}\n`
}

interface Entry extends Readonly<Record<string, unknown>> {
  readonly level: number
  readonly time: string
  readonly pid: number
  readonly msg?: string
}

/** The defaults of logging_context_format_string and logging_user_identity_format; `-` alone: nobody's. */
function contextOf(requests: readonly unknown[], identity: readonly unknown[]): string {
  const or = (value: unknown, missing: string): string => (typeof value === 'string' && value !== '' ? value : missing)
  const all = [...requests.map((id) => or(id, 'None')), ...identity.map((id) => or(id, '-'))]
  return all.every((id) => id === 'None' || id === '-') ? '-' : all.join(' ')
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
