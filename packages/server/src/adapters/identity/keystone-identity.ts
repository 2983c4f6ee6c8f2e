import { createHash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Caller, Identity, Presented, ServiceCaller } from '../../app/ports/identity.ts'
import { messageOf, Unavailable } from '../../domain/errors.ts'
import { unlessAborted } from '../../lib/unless-aborted.ts'
import type { Clock, Logger } from '../../orchestration/ports/clock.ts'
import type { OpenStack } from '../openstack/call.ts'
import { OpenStackError, OpenStackUnreachable } from '../openstack/errors.ts'
import { permits } from './access-rules.ts'
import { knownToken, type KnownToken } from './keystone-token.ts'

export interface KeystoneIdentityOptions {
  /** With the login of [keystone_authtoken]. */
  readonly cloud: OpenStack
  readonly authenticateUri: string
  /** Milliseconds for which a token that was good counts as good; a revoked one is served so long. 0: not at all. */
  readonly cacheMs: number
  /** Roles that make a token that of a service. */
  readonly serviceRoles: readonly string[]
  /** A service token without one of them is refused. */
  readonly serviceRolesRequired: boolean
  /** Types by which rules of access mean this service. */
  readonly serviceTypes: readonly string[]
  /** Milliseconds in which Keystone must have answered, and how often it is asked when it cannot be reached. */
  readonly timeoutMs: number
  readonly maxRetries: number
  readonly clock: Clock
  /** Epoch milliseconds. */
  readonly wallMs: () => number
  readonly log: Logger
}

const CACHED_TOKENS = 10_000
/** A token that was refused is refused again without a question. Short: tokens may reach servers one after another. */
const REFUSED_MS = 5_000
/**
 * Fernet and signed tokens of Keystone are far shorter. Servers that stand before it refuse headers from 4 KiB on, which would
 * look as if Keystone could not be asked.
 */
const LONGEST_TOKEN = 2_048
const RETRY_AFTER_S = 10
const FIRST_WAIT_MS = 100

interface Kept {
  readonly known: KnownToken
  /** It was asked for although it may have expired. */
  readonly asExpired: boolean
}

/** Shows each token to Keystone and keeps the answer for a while. What Keystone has not said is good is not. */
export class KeystoneIdentity implements Identity {
  readonly authenticateUri: string
  readonly #options: KeystoneIdentityOptions
  readonly #kept: LRUCache<string, Kept>
  /** Apart, so that made-up tokens do not push out good ones. */
  readonly #refused: LRUCache<string, true>
  readonly #asking = new Map<string, Promise<KnownToken | undefined>>()

  constructor(options: KeystoneIdentityOptions) {
    this.#options = options
    this.authenticateUri = options.authenticateUri
    const bounds = { max: CACHED_TOKENS, perf: { now: () => options.clock.now() }, ttlResolution: 0 }
    this.#kept = new LRUCache({ ...bounds, ttl: Math.max(1, options.cacheMs) })
    this.#refused = new LRUCache({ ...bounds, ttl: REFUSED_MS })
  }

  async validate(token: string, o: Presented): Promise<Caller | undefined> {
    const service = o.serviceToken === undefined ? undefined : await this.#service(o.serviceToken, o)
    if (o.serviceToken !== undefined && service === undefined) return undefined
    const isService = service?.hasRole === true
    const known = await this.#known(token, isService, o)
    if (known === undefined) return undefined
    // What a service does for a user need not be among what that user may ask for directly.
    if (known.accessRules !== null && !isService) {
      const { serviceTypes } = this.#options
      if (o.request === undefined || !permits(known.accessRules, serviceTypes, o.request)) return undefined
    }
    return service === undefined ? known.caller : { ...known.caller, service: service.caller }
  }

  /** undefined: the token is none, or not that of a service where it has to be. */
  async #service(token: string, o: Presented): Promise<{ caller: ServiceCaller; hasRole: boolean } | undefined> {
    const known = await this.#known(token, false, o)
    if (known === undefined) return undefined
    const { serviceRoles, serviceRolesRequired } = this.#options
    const { userId, userDomainId, projectId, projectDomainId, roles } = known.caller
    const hasRole = roles.some((role) => serviceRoles.includes(role))
    if (serviceRolesRequired && !hasRole) return undefined
    return { caller: { userId, userDomainId, projectId, projectDomainId, roles }, hasRole }
  }

  /** `asExpired`: what a service does for a user may take longer than that user's token lives. */
  async #known(token: string, asExpired: boolean, o: Presented): Promise<KnownToken | undefined> {
    if (token.length > LONGEST_TOKEN || !/^[\x21-\x7e]+$/.test(token)) return undefined
    const key = createHash('sha256').update(token).digest('base64')
    const kept = this.#kept.get(key)
    if (kept !== undefined && ((asExpired && kept.asExpired) || this.#isAlive(kept.known))) return kept.known
    // It has lived once: whether it has ended needs no question.
    if (kept !== undefined && !asExpired && !this.#isAlive(kept.known)) return undefined
    if (this.#refused.has(refusedKey(key, asExpired))) return undefined
    const known = await unlessAborted(this.#ask(key, token, asExpired), o.signal)
    return known !== undefined && (asExpired || this.#isAlive(known)) ? known : undefined
  }

  #isAlive({ expiresAtMs }: KnownToken): boolean {
    return expiresAtMs > this.#options.wallMs()
  }

  /** All who show the same token at once share one question. */
  #ask(key: string, token: string, asExpired: boolean): Promise<KnownToken | undefined> {
    const asked = refusedKey(key, asExpired)
    const running = this.#asking.get(asked)
    if (running !== undefined) return running
    const asking = this.#answer(token, asExpired)
      .then((known) => {
        if (known === undefined) this.#refused.set(asked, true)
        else if (this.#options.cacheMs > 0) this.#kept.set(key, { known, asExpired })
        return known
      })
      .finally(() => this.#asking.delete(asked))
    this.#asking.set(asked, asking)
    return asking
  }

  /** undefined: Keystone does not know it, or not any more. */
  async #answer(token: string, asExpired: boolean): Promise<KnownToken | undefined> {
    const { timeoutMs, maxRetries, clock, log } = this.#options
    const signal = AbortSignal.timeout(timeoutMs)
    for (let tried = 0; ; tried += 1) {
      try {
        return await this.#show(token, asExpired, signal)
      } catch (error) {
        if (error instanceof OpenStackError && error.status === 404) return undefined
        const waitMs = FIRST_WAIT_MS * 2 ** tried
        if (isUnreachable(error) && tried < maxRetries && !signal.aborted) {
          await clock.sleep(waitMs, signal).catch(() => undefined)
          continue
        }
        log.error({ reason: messageOf(error) }, 'a token could not be validated')
        const message = 'Because the identity service is not available, the token could not be validated.'
        throw new Unavailable(message, { cause: error, retryAfterS: RETRY_AFTER_S })
      }
    }
  }

  async #show(token: string, asExpired: boolean, signal: AbortSignal): Promise<KnownToken> {
    const { body } = await this.#options.cloud.json({
      service: 'identity',
      method: 'GET',
      path: '/v3/auth/tokens',
      query: { nocatalog: '', ...(asExpired ? { allow_expired: '1' } : {}) },
      // Without it tokens with rules of access are none: Keystone must know that we look at those.
      headers: { 'X-Subject-Token': token, 'OpenStack-Identity-Access-Rules': '1.0' },
      signal,
      timeoutMs: this.#options.timeoutMs,
    })
    const known = knownToken(body)
    if (known === undefined) throw new OpenStackUnreachable('identity', 'gave an answer that says nothing of a user')
    return known
  }
}

/** Whether a token is refused depends on whether an expired one would do. */
function refusedKey(key: string, asExpired: boolean): string {
  return asExpired ? `${key}+` : key
}

/** Another try may reach it. A refused login is none of these: it is remembered, and fails at once. */
function isUnreachable(error: unknown): boolean {
  return error instanceof OpenStackUnreachable || (error instanceof OpenStackError && error.status >= 500)
}
