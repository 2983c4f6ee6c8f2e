import { letterAndNumber } from '../containers/generated-name.ts'

/** A name has 255 characters at most. */
const LONGEST_PART = 230

/** `capsule-web-zeta-22`, no two alike within a capsule: reasons name members. */
export function memberNames(capsule: string, count: number): string[] {
  const names = new Set<string>()
  while (names.size < count) names.add(`capsule-${capsule.slice(0, LONGEST_PART)}-${letterAndNumber()}`)
  return [...names]
}
