/** Some application credentials are good for certain requests only. */
import { recordsIn, textIn, type JsonRecord } from '../openstack/json.ts'

export interface AccessRule {
  readonly service: string
  readonly method: string
  readonly path: string
}

/** null: there are none, and every request may be made. An empty list: none may. */
export function accessRulesIn(credential: JsonRecord): readonly AccessRule[] | null {
  if (credential.access_rules === undefined || credential.access_rules === null) return null
  return recordsIn(credential, 'access_rules').flatMap((rule): AccessRule[] => {
    const [service, method, path] = [textIn(rule, 'service'), textIn(rule, 'method'), textIn(rule, 'path')]
    // One that cannot be understood allows nothing.
    return service === undefined || method === undefined || path === undefined ? [] : [{ service, method, path }]
  })
}

export function permits(
  rules: readonly AccessRule[],
  serviceTypes: readonly string[],
  request: { readonly method: string; readonly path: string },
): boolean {
  return rules.some(
    ({ service, method, path }) =>
      serviceTypes.includes(service) && method === request.method && fits(path, request.path),
  )
}

/** No path of ours is longer. */
const LONGEST_PATH = 1_024

/** One character of the path, or with `repeats` any number of them. */
interface Piece {
  readonly takes: (character: string) => boolean
  readonly repeats: boolean
}

/**
 * `{name}` and `*` stand for one part of a path, `**` for any number of them. Users write these patterns: a regular
 * expression made of one could keep the process busy for hours, so all ways to fit are followed at once.
 */
function fits(pattern: string, path: string): boolean {
  if (path.length > LONGEST_PATH) return false
  const pieces = piecesOf(pattern)
  let at = reached(pieces, [0])
  for (const character of path) {
    const next = [...at].flatMap((i) => {
      const piece = pieces[i]
      if (piece?.takes(character) !== true) return []
      return [piece.repeats ? i : i + 1]
    })
    at = reached(pieces, next)
  }
  return at.has(pieces.length)
}

/** What repeats may be left without being used. */
function reached(pieces: readonly Piece[], from: readonly number[]): Set<number> {
  const all = new Set<number>()
  for (const start of from) {
    for (let i = start; !all.has(i); i += 1) {
      all.add(i)
      if (pieces[i]?.repeats !== true) break
    }
  }
  return all
}

const inPart = (character: string): boolean => character !== '/'

function piecesOf(pattern: string): Piece[] {
  return [...pattern.matchAll(/\{[^}]*\}|\*\*|./gs)].flatMap(([piece]): Piece[] => {
    if (piece === '**') return [{ takes: () => true, repeats: true }]
    if (piece === '*' || piece.length > 1) {
      return [
        { takes: inPart, repeats: false },
        { takes: inPart, repeats: true },
      ]
    }
    return [{ takes: (character) => character === piece, repeats: false }]
  })
}
