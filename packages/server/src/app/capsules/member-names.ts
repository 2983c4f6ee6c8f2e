import { createHash } from 'node:crypto'
import { letterAndNumber } from '../containers/generated-name.ts'

/** A name has 255 characters at most. */
const LONGEST_PART = 230

/**
 * `capsule-web-zeta-22`, of what the member's uuid gives. No two are alike within a capsule: reasons name members.
 */
export function memberNames(capsule: string, uuids: readonly string[]): string[] {
  const names = new Set<string>()
  for (const uuid of uuids) {
    let name: string
    let tries = 0
    do {
      name = `capsule-${capsule.slice(0, LONGEST_PART)}-${letterAndNumber(numbersOf(`${uuid} ${tries}`))}`
      tries += 1
    } while (names.has(name))
    names.add(name)
  }
  return [...names]
}

/** Numbers from 0 to 1 that follow from a text. */
function numbersOf(text: string): () => number {
  const bytes = createHash('sha256').update(text).digest()
  let at = 0
  return () => {
    at += 4
    return bytes.readUInt32BE(at - 4) / 2 ** 32
  }
}
