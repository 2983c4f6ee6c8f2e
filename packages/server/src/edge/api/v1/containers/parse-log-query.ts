import { badArgument } from '../../../../app/fields.ts'

/** Any text that is not a number of lines means all of them: null. */
export function parseTail(tail: string | undefined): number | null {
  return tail !== undefined && /^[0-9]{1,9}$/.test(tail) ? Number(tail) : null
}

const DATE = /(\d{4})-(\d{2})-(\d{2}) (\d{2}):(\d{2}):(\d{2}),(\d{1,3})/
/** Last second of the year 9999. */
const LATEST_S = 253_402_300_799

/** Epoch seconds, or a text that holds `YYYY-MM-DD hh:mm:ss,f` in UTC. Absent, empty and 0 mean from the beginning. */
export function parseSince(since: string | undefined): number | null {
  if (since === undefined || since === '') return null
  const seconds = /^[0-9]+$/.test(since) ? Number(since) : dateSeconds(since)
  if (seconds === undefined) {
    throw badArgument('since', since, 'It is neither a number of seconds nor a date YYYY-MM-DD hh:mm:ss,f')
  }
  if (seconds > LATEST_S) throw badArgument('since', since, `It is greater than the maximum of ${LATEST_S}`)
  return seconds === 0 ? null : seconds
}

function dateSeconds(text: string): number | undefined {
  const match = DATE.exec(text)
  if (match === null) return undefined
  const [, year, month, day, hours, minutes, seconds, fraction] = match
  const iso = `${year}-${month}-${day}T${hours}:${minutes}:${seconds}.${(fraction ?? '').padEnd(3, '0')}Z`
  const ms = Date.parse(iso)
  // Date.parse takes the 31st of February for a day in March.
  const real = !Number.isNaN(ms) && new Date(ms).toISOString() === iso
  return real && ms >= 0 ? ms / 1000 : undefined
}
