import { request as plainRequest, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http'
import { request as tlsRequest } from 'node:https'
import { isIP } from 'node:net'
import type { RegistryImage } from '../../domain/image/sources.ts'
import type { RegistryAuth } from '../../orchestration/ports/wire.ts'
import { hostOf, RefusedAddress, reachOf, type Reach, type RegistryHosts } from './registry-hosts.ts'

/**
 * `denied`: the registry refuses these credentials, which it also says of what does not exist.
 * `unknown`: no answer that means anything.
 */
export type RegistryAnswer = 'exists' | 'absent' | 'denied' | 'unknown'

/** May this image be fetched with these credentials? */
export interface RegistryAccess {
  /** Throws only when aborted. */
  check(image: RegistryImage, auth: RegistryAuth | null, o: { signal: AbortSignal }): Promise<RegistryAnswer>
}

/** Without the newer types a registry calls an image of that type absent. */
const MANIFEST_TYPES = [
  'application/vnd.docker.distribution.manifest.v2+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.oci.image.index.v1+json',
].join(', ')

const MOST_REDIRECTS = 3
const LARGEST_HEADERS = 16 * 1024
const LARGEST_TOKEN_ANSWER = 64 * 1024

interface Ask {
  readonly method: 'HEAD' | 'GET'
  readonly url: URL
  readonly headers: OutgoingHttpHeaders
  /** Nothing further inside than this is connected to. */
  readonly reach: Reach
  readonly signal: AbortSignal
}

interface Answer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
  /** Where the answer came from. */
  readonly reach: Reach
}

/**
 * Asks a registry's HTTP API (v2) whether a manifest is there, and goes through its login: none, Basic, or Bearer with
 * a token server. Every address is judged as the connection is made, also those of redirects and of token servers.
 */
export class RegistryClient implements RegistryAccess {
  readonly #hosts: RegistryHosts

  constructor(hosts: RegistryHosts) {
    this.#hosts = hosts
  }

  async check(
    image: RegistryImage,
    auth: RegistryAuth | null,
    { signal }: { signal: AbortSignal },
  ): Promise<RegistryAnswer> {
    if (!this.#hosts.permits(image.domain)) return 'denied'
    try {
      return await this.#check(image, auth, signal)
    } catch (error) {
      signal.throwIfAborted()
      return error instanceof RefusedAddress ? 'denied' : 'unknown'
    }
  }

  async #check(image: RegistryImage, auth: RegistryAuth | null, signal: AbortSignal): Promise<RegistryAnswer> {
    const url = this.#manifestUrl(image)
    const headers = { Accept: MANIFEST_TYPES }
    const first = await this.#follow({ method: 'HEAD', url, headers, reach: 'loopback', signal })
    if (first.status !== 401) return meaningOf(first.status)
    const challenge = String(first.headers['www-authenticate'] ?? '')
    const authorization = await this.#login(challenge, { url, reach: first.reach, image, auth, signal })
    if (authorization === undefined) return 'denied'
    const second = await this.#follow({
      method: 'HEAD',
      url,
      headers: { ...headers, Authorization: authorization },
      reach: first.reach,
      signal,
    })
    return meaningOf(second.status)
  }

  #manifestUrl(image: RegistryImage): URL {
    const domain = image.domain === 'docker.io' ? 'registry-1.docker.io' : image.domain
    const scheme = this.#hosts.speaksPlainHttp(domain) ? 'http' : 'https'
    return new URL(`${scheme}://${domain}/v2/${image.path}/manifests/${image.version}`)
  }

  /** Value for the `Authorization` header; undefined when the registry wants credentials that are not there or wrong. */
  async #login(
    challenge: string,
    at: { url: URL; reach: Reach; image: RegistryImage; auth: RegistryAuth | null; signal: AbortSignal },
  ): Promise<string | undefined> {
    const bearer = /\bBearer\s+(.*)/is.exec(challenge)?.[1]
    if (bearer !== undefined) return await this.#fetchToken(parametersOf(bearer), at)
    if (/\bBasic\b/i.test(challenge) && at.auth !== null) return basic(at.auth)
    return undefined
  }

  async #fetchToken(
    { realm, service, scope }: Readonly<Record<string, string | undefined>>,
    at: { url: URL; reach: Reach; image: RegistryImage; auth: RegistryAuth | null; signal: AbortSignal },
  ): Promise<string | undefined> {
    const url = new URL(realm ?? '')
    if (!isNextScheme(url, at.url)) throw new Error(`token server ${url.protocol} is not asked`)
    if (service !== undefined) url.searchParams.set('service', service)
    url.searchParams.set('scope', scope ?? `repository:${at.image.path}:pull`)
    const headers = at.auth === null ? {} : { Authorization: basic(at.auth) }
    const answer = await this.#send({ method: 'GET', url, headers, reach: at.reach, signal: at.signal })
    if (answer.status === 401 || answer.status === 403) return undefined
    if (answer.status !== 200) throw new Error(`the token server answered ${answer.status}`)
    const token = tokenIn(answer.body)
    if (token === undefined) throw new Error('the token server gave no token')
    return `Bearer ${token}`
  }

  async #follow(ask: Ask): Promise<Answer> {
    let next = ask
    for (let redirects = 0; ; redirects += 1) {
      const answer = await this.#send(next)
      const { location } = answer.headers
      if (answer.status < 300 || answer.status >= 400 || location === undefined) return answer
      if (redirects >= MOST_REDIRECTS) throw new Error('too many redirects')
      const url = new URL(location, next.url)
      if (!isNextScheme(url, next.url)) throw new Error(`a redirect to ${url.protocol} is not followed`)
      const { Authorization: _secret, ...withoutSecret } = next.headers
      const headers = url.origin === next.url.origin ? next.headers : withoutSecret
      next = { ...next, url, headers, reach: answer.reach }
    }
  }

  async #send({ method, url, headers, reach, signal }: Ask): Promise<Answer> {
    const host = hostOf(url.hostname)
    if (!this.#hosts.permitsNext(url.host) || (isIP(host) !== 0 && !this.#hosts.permitsAddress(host, reach))) {
      throw new RefusedAddress(url.host)
    }
    const send = url.protocol === 'https:' ? tlsRequest : plainRequest
    return await new Promise<Answer>((resolve, reject) => {
      const req = send(
        url,
        {
          method,
          headers: { 'User-Agent': 'zund', ...headers },
          // A connection kept from an earlier request would not be judged by this one's rules.
          agent: false,
          lookup: this.#hosts.lookupWithin(reach, signal),
          maxHeaderSize: LARGEST_HEADERS,
          signal,
        },
        (response) => {
          const from = reachOf(response.socket.remoteAddress ?? '0.0.0.0')
          bodyOf(response).then((body) => {
            if (from === undefined) throw new RefusedAddress(url.host)
            resolve({ status: response.statusCode ?? 0, headers: response.headers, body, reach: from })
          }, reject)
        },
      )
      req.on('error', reject)
      req.end()
    })
  }
}

function meaningOf(status: number): RegistryAnswer {
  if (status === 200) return 'exists'
  if (status === 404) return 'absent'
  return status === 401 || status === 403 ? 'denied' : 'unknown'
}

/** Never from TLS to none. */
function isNextScheme(next: URL, before: URL): boolean {
  return next.protocol === 'https:' || (next.protocol === 'http:' && before.protocol === 'http:')
}

function parametersOf(challenge: string): Record<string, string> {
  // The first of a name counts: the parameters of another scheme may follow.
  const pairs = [...challenge.matchAll(/([a-z_]+)\s*=\s*"([^"]*)"/gi)].toReversed()
  return Object.fromEntries(pairs.map(([, name = '', value = '']) => [name.toLowerCase(), value]))
}

function tokenIn(body: Buffer): string | undefined {
  const answer: unknown = JSON.parse(body.toString('utf8'))
  if (typeof answer !== 'object' || answer === null) return undefined
  const { token, access_token } = answer as { token?: unknown; access_token?: unknown }
  const found = token ?? access_token
  // Anything else could not stand in a header.
  return typeof found === 'string' && /^[\x21-\x7e]+$/.test(found) ? found : undefined
}

function basic(auth: RegistryAuth): string {
  return `Basic ${Buffer.from(`${auth.username}:${auth.password}`).toString('base64')}`
}

async function bodyOf(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > LARGEST_TOKEN_ANSWER) throw new Error(`the answer has more than ${LARGEST_TOKEN_ANSWER} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
