/** What an operator should know of a configuration that is not used as it is written. */
import { isFilterName } from '../../domain/scheduling/filters/index.ts'
import { IGNORED_OPTIONS, ignoredOption } from './ignored-options.ts'
import type { IniValues } from './ini.ts'
import { optionKey } from './ini.ts'
import type { Option } from './kinds.ts'
import { FAKE_DRIVER } from './options/compute.ts'
import { OPTIONS, type Config } from './options.ts'

export interface Finding {
  /** error: the service does not start with it. */
  readonly level: 'error' | 'warn' | 'info'
  /** One line, which names option and group. A value only where it is no secret. */
  readonly text: string
}

const READ = new Map(Object.values<Option<unknown>>(OPTIONS).map((o) => [optionKey(o.group, o.name), o]))
const GROUPS = [...new Set([...READ.values(), ...IGNORED_OPTIONS].map(({ group }) => group))]

/** Of options that are not read, in the order in which they are written. */
export function findingsOf(written: IniValues): Finding[] {
  const strangers = new Set<string>()
  return [...written].flatMap(([key, values]): Finding[] => {
    const [group, name] = partsOf(key)
    if (READ.has(key)) return []
    const ignored = ignoredOption(group, name)
    if (ignored !== undefined) {
      const value = (values.at(-1) ?? '').replaceAll(/\s/g, '').toLowerCase()
      if (ignored.fine?.includes(value) === true) return []
      return [{ level: ignored.level, text: `option ${name} in [${group}] has no effect: ${ignored.why}` }]
    }
    if (!GROUPS.some((known) => known === group || (known.endsWith('*') && group.startsWith(known.slice(0, -1))))) {
      if (strangers.has(group)) return []
      strangers.add(group)
      const likely = nearest(group, GROUPS)
      return [
        { level: 'warn', text: `there is no group [${group}]${likely === undefined ? '' : `; is it [${likely}]?`}` },
      ]
    }
    return [{ level: 'warn', text: `there is no option ${name} in [${group}]${guess(group, name)}` }]
  })
}

/** `available_filters` may name classes of Python; they are no filters here. */
export function filterFindings({ availableFilters }: Config): Finding[] {
  return availableFilters.filter(isStrangeFilter).map((path) => ({
    level: 'warn',
    text: `option available_filters in [scheduler] names ${path}, which is no filter here and is not used`,
  }))
}

/** Upstream's tests use it; it would put everything on a host of its own invention. */
export function driverFindings({ schedulerDriver }: Config): Finding[] {
  if (schedulerDriver !== FAKE_DRIVER) return []
  const text = `option driver in [scheduler] is ${FAKE_DRIVER}, which is made for tests: filter_scheduler is used instead`
  return [{ level: 'warn', text }]
}

/** An installation of upstream has its records elsewhere, and they are not looked at. */
export function databaseFindings({ databaseConnection: place }: Config): Finding[] {
  if (place?.kind !== 'other') return []
  const text = `option connection in [database] names ${place.scheme}: only sqlite is supported yet; up uses its own file`
  return [{ level: 'warn', text: `${text}, roles by themselves do not start` }]
}

export const ALL_FILTERS = 'all_filters'
export const lastPart = (path: string): string => path.split('.').at(-1) ?? ''

function isStrangeFilter(path: string): boolean {
  return lastPart(path) !== ALL_FILTERS && !isFilterName(lastPart(path))
}

function guess(group: string, name: string): string {
  const elsewhere = [...READ.values()].find((o) => o.name === name)
  const own = [...READ.values()].filter((o) => o.group === group).map((o) => o.name)
  const likely = nearest(name, own)
  if (likely !== undefined) return `; is it ${likely}?`
  return elsewhere === undefined ? '' : `; it belongs into [${elsewhere.group}]`
}

function partsOf(key: string): [group: string, name: string] {
  const at = key.lastIndexOf('.')
  return [key.slice(0, at), key.slice(at + 1)]
}

/** The one name that differs in little. */
function nearest(name: string, known: readonly string[]): string | undefined {
  const near = known
    .map((other) => ({ other, far: distance(name.toLowerCase(), other.toLowerCase()) }))
    .filter(({ other, far }) => far <= mistakesIn(Math.min(name.length, other.length)))
  return near.toSorted((a, b) => a.far - b.far)[0]?.other
}

/** Two letters that changed places are two. */
const mistakesIn = (length: number): number => (length < 4 ? 1 : Math.max(2, Math.floor(length / 4)))

/** Letters to add, remove or change (Levenshtein). */
function distance(a: string, b: string): number {
  let before = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (const [i, letter] of Array.from(a).entries()) {
    const row = [i + 1]
    for (const [j, other] of Array.from(b).entries()) {
      const changed = (before[j] ?? 0) + (letter === other ? 0 : 1)
      row.push(Math.min(changed, (before[j + 1] ?? 0) + 1, (row[j] ?? 0) + 1))
    }
    before = row
  }
  return before.at(-1) ?? 0
}
