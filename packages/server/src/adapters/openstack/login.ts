import { messageOf } from '../../domain/errors.ts'
import { unlessAborted } from '../../lib/unless-aborted.ts'
import type { Clock, Logger } from '../../orchestration/ports/clock.ts'
import { endpointsIn, joinUrl, type Endpoint } from './catalog.ts'
import { loginBody, type Credentials } from './credentials.ts'
import { OpenStackUnreachable } from './errors.ts'
import { readAll, type HttpClient } from './http.ts'
import { recordIn, textIn } from './json.ts'
import { reasonIn } from './reason.ts'

export interface LoginOptions {
  /** Of the identity service, with or without its version. */
  readonly authUrl: string
  readonly credentials: Credentials
  readonly http: HttpClient
  readonly clock: Clock
  readonly log: Logger
  readonly timeoutMs: number
}

/** A token of our own, and what came with it. */
export interface OwnToken {
  readonly token: string
  readonly projectId: string | null
  readonly endpoints: readonly Endpoint[]
  /** By the clock: from here on it is renewed, and from there on not used. */
  readonly renewAt: number
  readonly endsAt: number
}

const LARGEST_ANSWER = 4 * 1024 * 1024
/** Before its end; a call that begins with a token must be judged with it still. */
const RENEW_MS = 300_000
const LAST_USE_MS = 30_000
/** A login that was refused is not tried again for so long: identity services lock out who tries too often. */
const REFUSED_MS = 10_000
/** A token that services refuse is not replaced more often: a new one does not help then. */
const REPLACE_MS = 5_000

/** Our own login: one at a time, renewed before it ends and when a service refuses it. */
export class Login {
  readonly #options: LoginOptions
  #token: OwnToken | undefined
  #running: Promise<OwnToken> | undefined
  #refused: { readonly error: OpenStackUnreachable; readonly until: number } | undefined
  #replacedAt = Number.NEGATIVE_INFINITY

  constructor(options: LoginOptions) {
    this.#options = options
  }

  async token(signal: AbortSignal): Promise<OwnToken> {
    signal.throwIfAborted()
    const now = this.#options.clock.now()
    const held = this.#token
    if (held !== undefined && now < held.endsAt) {
      // Meanwhile the old one is good, and stays so when no new one can be had yet.
      if (now >= held.renewAt) this.#renew().catch(() => undefined)
      return held
    }
    return await unlessAborted(this.#renew(), signal)
  }

  /** A service refuses this token. False: a new one would not help. */
  replace(token: string): boolean {
    if (this.#token?.token !== token) return true
    const now = this.#options.clock.now()
    if (now - this.#replacedAt < REPLACE_MS) return false
    this.#replacedAt = now
    this.#token = undefined
    return true
  }

  /** All who wait share one login, so it does not end because one of them gives up. */
  #renew(): Promise<OwnToken> {
    if (this.#refused !== undefined && this.#options.clock.now() < this.#refused.until) {
      return Promise.reject(this.#refused.error)
    }
    return (this.#running ??= this.#logIn().then(
      (token) => {
        this.#running = undefined
        this.#token = token
        return token
      },
      (error: unknown) => {
        this.#running = undefined
        throw error
      },
    ))
  }

  async #logIn(): Promise<OwnToken> {
    const { clock, log } = this.#options
    const begun = clock.now()
    const { status, token, body } = await this.#ask()
    if (status !== 201 || token === undefined) {
      const { reason } = reasonIn(body)
      const error = new OpenStackUnreachable('identity', `does not let the service log in (${status}): ${reason}`)
      if (status >= 400 && status < 500) this.#refused = { error, until: clock.now() + REFUSED_MS }
      log.error({ status, reason }, 'the service could not log in')
      throw error
    }
    const info = recordIn(parsed(body), 'token')
    // Both times are of the other side's clock, which may be a different one.
    const livesMs = Date.parse(textIn(info, 'expires_at') ?? '') - Date.parse(textIn(info, 'issued_at') ?? '')
    if (!(livesMs > 0)) throw new OpenStackUnreachable('identity', 'gave a token without a time of its end')
    return {
      token,
      projectId: textIn(recordIn(info, 'project'), 'id') ?? null,
      endpoints: endpointsIn(info),
      renewAt: begun + livesMs - Math.min(RENEW_MS, livesMs / 4),
      endsAt: begun + livesMs - Math.min(LAST_USE_MS, livesMs / 10),
    }
  }

  async #ask(): Promise<{ status: number; token: string | undefined; body: Buffer }> {
    const { authUrl, credentials, http, timeoutMs } = this.#options
    const body = Buffer.from(JSON.stringify(loginBody(credentials)))
    try {
      const response = await http.send({
        url: joinUrl(authUrl, '/v3/auth/tokens'),
        method: 'POST',
        headers: { 'Content-Type': 'application/json', Accept: 'application/json', 'Content-Length': `${body.length}` },
        body,
        signal: AbortSignal.timeout(timeoutMs),
        stallMs: timeoutMs,
      })
      const { 'x-subject-token': token } = response.headers
      return {
        status: response.statusCode ?? 0,
        token: typeof token === 'string' ? token : undefined,
        body: await readAll(response, LARGEST_ANSWER),
      }
    } catch (error) {
      throw new OpenStackUnreachable('identity', `does not answer: ${messageOf(error)}`, { cause: error })
    }
  }
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch (error) {
    throw new OpenStackUnreachable('identity', 'gave an answer that is not JSON', { cause: error })
  }
}
