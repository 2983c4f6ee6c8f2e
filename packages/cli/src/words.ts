/** How things are written for people. */
import type { ListedContainer } from '@zund/client'

const UNITS: readonly (readonly [seconds: number, name: string])[] = [
  [86_400 * 365, 'year'],
  [86_400 * 30, 'month'],
  [86_400 * 7, 'week'],
  [86_400, 'day'],
  [3600, 'hour'],
  [60, 'minute'],
  [1, 'second'],
]

/** `3 hours ago`; times of the API are UTC, with or without saying so. */
export function ago(time: string | null, now: number): string {
  if (time === null) return ''
  const seconds = Math.max(0, Math.floor((now - timeOf(time)) / 1000))
  for (const [size, name] of UNITS) {
    const n = Math.floor(seconds / size)
    if (n >= 1) return `${n} ${name}${n === 1 ? '' : 's'} ago`
  }
  return 'just now'
}

export function timeOf(time: string): number {
  const text = time.replace(' ', 'T')
  return Date.parse(/(Z|[+-]\d\d:?\d\d)$/.test(text) ? text : `${text}Z`)
}

export function bytes(n: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let at = 0
  let value = n
  for (; value >= 1000 && at < units.length - 1; at += 1) value /= 1000
  return `${at === 0 ? value : value.toPrecision(3)} ${units[at] ?? ''}`
}

export function addressesOf({ addresses }: { readonly addresses: ListedContainer['addresses'] }): string {
  return Object.values(addresses ?? {})
    .flat()
    .map(({ addr }) => addr)
    .join(' ')
}

/** Of a container that has ended; undefined: it has none. */
export function exitCodeOf(detail: string | null): number | undefined {
  const code = /^Exited\((-?\d+)\)/.exec(detail ?? '')?.[1]
  return code === undefined ? undefined : Number(code)
}
