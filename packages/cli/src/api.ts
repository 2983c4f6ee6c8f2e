/** Calls of the API. Types come from @zund/client; its code, which knows every call, takes longer to load than a `ps`. */
import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import { text as textOf } from 'node:stream/consumers'
import type { Container, ListedContainer } from '@zund/client'
import type { Session } from './cloud/login.ts'
import type { Sessions } from './cloud/session.ts'
import { Failure, Refused } from './failures.ts'
import { refusal, send } from './http.ts'

export interface CallOptions {
  readonly query?: Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>
  readonly json?: unknown
  readonly headers?: Readonly<Record<string, string>>
  /** Made anew when the request is sent again. */
  readonly body?: () => Readable
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
/** Shorter ones are too easily hit by chance. */
const PREFIX = /^[0-9a-f-]{3,35}$/

export class Api {
  readonly #sessions: Sessions
  readonly #signal: AbortSignal
  #session: Session

  private constructor(sessions: Sessions, session: Session, signal: AbortSignal) {
    this.#sessions = sessions
    this.#session = session
    this.#signal = signal
  }

  static async open(sessions: Sessions, signal: AbortSignal): Promise<Api> {
    return new Api(sessions, await sessions.present(), signal)
  }

  get session(): Session {
    return this.#session
  }

  has(extension: string): boolean {
    return this.#session.extensions.includes(extension)
  }

  /** The answer's body as JSON; undefined when it has none. */
  async call<T>(method: string, path: string, options: CallOptions = {}): Promise<T> {
    const text = await textOf(await this.open(method, path, options))
    return (text === '' ? undefined : JSON.parse(text)) as T
  }

  /** The answer as it begins, if it is no refusal. A token that was kept and is refused is renewed once. */
  async open(method: string, path: string, options: CallOptions = {}): Promise<IncomingMessage> {
    const first = await this.#send(method, path, options)
    if (first.statusCode !== 401) return await accepted(first)
    first.resume()
    this.#session = await this.#sessions.renewed()
    return await accepted(await this.#send(method, path, options))
  }

  async #send(method: string, path: string, options: CallOptions): Promise<IncomingMessage> {
    const { query = {}, json, headers = {}, body, timeoutMs, signal = this.#signal } = options
    const { endpoint, token, version, trust } = this.#session
    const url = new URL(`${endpoint}/v1/${path}`)
    for (const [name, value] of Object.entries(query)) {
      for (const one of Array.isArray(value) ? value : [value]) {
        if (one !== undefined) url.searchParams.append(name, String(one))
      }
    }
    const sent = json === undefined ? body?.() : JSON.stringify(json)
    const changes = method !== 'GET' && method !== 'DELETE'
    return await send(url, trust, {
      method,
      signal,
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
      ...(sent === undefined ? {} : { body: sent }),
      headers: {
        'x-auth-token': token,
        'openstack-api-version': `container ${version}`,
        accept: 'application/json',
        ...(changes ? { 'content-type': 'application/json' } : {}),
        ...headers,
      },
    })
  }

  /** All pages. */
  async list<T>(path: string, key: string, query: CallOptions['query'] = {}): Promise<T[]> {
    const found: T[] = []
    for (let marker: string | undefined; ; ) {
      const page = await this.call<Readonly<Record<string, unknown>>>('GET', path, { query: { ...query, marker } })
      found.push(...(page[key] as T[]))
      const next = typeof page['next'] === 'string' ? new URL(page['next']).searchParams.get('marker') : null
      if (next === null || next === marker) return found
      marker = next
    }
  }

  /** By name, uuid or the beginning of a uuid that no other has. */
  async container(given: string): Promise<Container> {
    try {
      return await this.call<Container>('GET', `containers/${segment(given)}`)
    } catch (error) {
      if (!(error instanceof Refused) || error.status !== 404 || !PREFIX.test(given)) throw error
      const found = (await this.list<ListedContainer>('containers', 'containers')).filter(({ uuid }) =>
        uuid.startsWith(given),
      )
      if (found.length > 1) throw new Failure(`${found.length} containers have a uuid that begins with ${given}`)
      if (found[0] === undefined) throw error
      return await this.call<Container>('GET', `containers/${found[0].uuid}`)
    }
  }

  /** Only its uuid; without a request where one was given. */
  async uuidOf(given: string): Promise<string> {
    return UUID.test(given) ? given : (await this.container(given)).uuid
  }
}

export function segment(text: string): string {
  return encodeURIComponent(text)
}

async function accepted(answer: IncomingMessage): Promise<IncomingMessage> {
  const status = answer.statusCode ?? 0
  if (status >= 200 && status < 300) return answer
  throw await refusal(answer)
}
