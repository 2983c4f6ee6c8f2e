import { ApiError, NotAcceptable, NotFound } from '../../domain/errors.ts'
import type { Route } from './route.ts'

interface Node {
  readonly fixed: Map<string, Node>
  wildcard: Node | undefined
  rest: Node | undefined
  readonly routes: Route[]
}

export interface Match {
  readonly routes: readonly Route[]
  readonly params: Record<string, string>
}

/** Finds routes by path, then by method, then by version, with the status each failure has in the contract. */
export class Router {
  readonly #root: Node = newNode()

  constructor(routes: readonly Route[]) {
    for (const route of routes) this.#add(route)
  }

  #add(route: Route): void {
    let node = this.#root
    for (const part of route.path.split('/').slice(1)) {
      if (part === '*') {
        node = node.rest ??= newNode()
        break
      }
      if (part.startsWith(':')) node = node.wildcard ??= newNode()
      else {
        const next = node.fixed.get(part) ?? newNode()
        node.fixed.set(part, next)
        node = next
      }
    }
    node.routes.push(route)
  }

  /** `path` is normalised: `/v1/containers/abc/start`, still percent-encoded. */
  find(path: string): Match | undefined {
    const parts = path.split('/').slice(1)
    const node = descend(this.#root, parts, 0)
    const first = node?.routes[0]
    if (node === undefined || first === undefined) return undefined
    const params: Record<string, string> = {}
    const pattern = first.path.split('/').slice(1)
    for (const [i, part] of pattern.entries()) {
      if (part === '*') {
        params['rest'] = parts.slice(i).map(decode).join('/')
        break
      }
      if (part.startsWith(':')) params[part.slice(1)] = decode(parts[i] ?? '')
    }
    return { routes: node.routes, params }
  }
}

/** The route for method and version among those of one path. */
export function choose(match: Match, method: string, minor: number, path: string): Route {
  const sameMethod = match.routes.filter((route) => route.method === method)
  if (sameMethod.length === 0) {
    // Collections and single objects answer 405; on the URL of an action another method is simply not there.
    if (path.split('/').length <= 4) throw notAllowed(method, path)
    throw notThere(method, path)
  }
  const chosen = sameMethod.find((r) => (r.minVersion ?? 1) <= minor && minor <= (r.maxVersion ?? Infinity))
  if (chosen !== undefined) return chosen
  const ranges = sameMethod.map(
    (r) => `1.${r.minVersion ?? 1} to ${r.maxVersion === undefined ? 'the newest' : `1.${r.maxVersion}`}`,
  )
  throw new NotAcceptable(
    `${method} ${path} exists in API versions ${ranges.join(', ')}; the request asked for 1.${minor}.`,
  )
}

export function notAllowed(method: string, path: string): ApiError {
  return new ApiError(405, '', `Method ${method} is not allowed for ${path}.`)
}

export function notThere(method: string, path: string): NotFound {
  return new NotFound(`There is no ${method} ${path}.`, '')
}

function descend(node: Node, parts: readonly string[], at: number): Node | undefined {
  const part = parts[at]
  if (part === undefined) return node.routes.length > 0 ? node : undefined
  const fixed = node.fixed.get(part)
  const found = fixed === undefined ? undefined : descend(fixed, parts, at + 1)
  if (found !== undefined) return found
  const wild = node.wildcard === undefined || part === '' ? undefined : descend(node.wildcard, parts, at + 1)
  if (wild !== undefined) return wild
  return node.rest
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    throw new ApiError(400, 'invalid-value', `The path has a bad percent-encoding: ${part}`)
  }
}

function newNode(): Node {
  return { fixed: new Map(), wildcard: undefined, rest: undefined, routes: [] }
}
