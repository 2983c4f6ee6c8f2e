import type { LookupAddress } from 'node:dns'
import { lookup } from 'node:dns/promises'
import { isIP, type LookupFunction } from 'node:net'
import ipaddr from 'ipaddr.js'
import { Retryable } from '../../domain/errors.ts'
import { Gate } from '../../lib/gate.ts'

/**
 * How far inside an address lies. A registry may send a caller on only to where it is itself, or further out: else a
 * registry of a tenant could have us ask around in the operator's network.
 */
export const REACH = { public: 0, private: 1, loopback: 2 } as const
export type Reach = keyof typeof REACH

export interface RegistryHostOptions {
  /** Registries that may be used: `host`, `host:port`, `*.example.com`. Empty: any. */
  readonly allowed: readonly string[]
  /** Registries that may not: the same forms, or networks such as `10.1.0.0/16`. Goes before `allowed`. */
  readonly denied: readonly string[]
  /** Registries on this machine. Where tenants are not trusted with its local services: false. */
  readonly allowLoopback: boolean
  /** Registries on private addresses (RFC 1918, ULA, carrier-grade NAT). */
  readonly allowPrivate: boolean
  /** Registries that are spoken to without TLS, as in the engine's `insecure-registries`. Loopback ones always are. */
  readonly plainHttp: readonly string[]
}

/** Services of clouds that give out credentials, on addresses that do not look special. */
const METADATA_ADDRESSES: readonly string[] = [
  '100.100.100.200',
  '168.63.129.16',
  '192.0.0.192',
  'fd00:ec2::254',
  'fd20:ce::254',
]

const PRIVATE_RANGES: readonly string[] = ['private', 'carrierGradeNat', 'uniqueLocal', 'benchmarking']
const REFUSED_RANGES: readonly string[] = [
  'unspecified',
  'broadcast',
  'multicast',
  'linkLocal',
  'reserved',
  'discard',
  'rfc6145',
  'teredo',
]

/**
 * The system's resolver holds one of the process's four pool threads until it has an answer, and users choose the names:
 * so only a few at once, and nobody waits longer than this.
 */
const LOOKUPS_AT_ONCE = 2
const LOOKUP_MS = 2_000

/**
 * Which registries may be spoken to. Names are judged before a connection, addresses at the connection itself, so that
 * a name which changes its address between the two gains nothing.
 */
export class RegistryHosts {
  readonly #options: RegistryHostOptions
  readonly #deniedNetworks: readonly [ipaddr.IPv4 | ipaddr.IPv6, number][]
  readonly #lookups = new Gate(LOOKUPS_AT_ONCE)

  constructor(options: RegistryHostOptions) {
    this.#options = options
    this.#deniedNetworks = options.denied.filter((entry) => entry.includes('/')).map((entry) => ipaddr.parseCIDR(entry))
  }

  /** May a user name this registry? `domain` is `host` or `host:port`. */
  permits(domain: string): boolean {
    const { allowed, denied } = this.#options
    if (denied.some((pattern) => matches(pattern, domain))) return false
    if (allowed.length > 0 && !allowed.some((pattern) => matches(pattern, domain))) return false
    const host = hostOf(domain)
    return isIP(host) === 0 || this.permitsAddress(host, 'loopback')
  }

  /** May a registry send us on to this one? The list of allowed names is about what users write, not about this. */
  permitsNext(domain: string): boolean {
    return !this.#options.denied.some((pattern) => matches(pattern, domain))
  }

  permitsAddress(address: string, reach: Reach): boolean {
    const found = reachOf(address)
    if (found === undefined || REACH[found] > REACH[reach]) return false
    if (found === 'loopback' && !this.#options.allowLoopback) return false
    if (found === 'private' && !this.#options.allowPrivate) return false
    const parsed = ipaddr.process(address)
    return !this.#deniedNetworks.some(([net, bits]) => net.kind() === parsed.kind() && parsed.match(net, bits))
  }

  /**
   * False when the name leads to an address that is refused. True also when it has none: behind a proxy the engine may
   * know more, and else it will say so. Retryable when that does not become known in time.
   */
  async leadsToPermitted(domain: string, { signal }: { signal: AbortSignal }): Promise<boolean> {
    const host = hostOf(domain)
    if (isIP(host) !== 0) return this.permitsAddress(host, 'loopback')
    const deadline = AbortSignal.timeout(LOOKUP_MS)
    try {
      const addresses = await this.#resolve(host, AbortSignal.any([signal, deadline]))
      return addresses.every(({ address }) => this.permitsAddress(address, 'loopback'))
    } catch (error) {
      signal.throwIfAborted()
      if (!deadline.aborted) return true
      throw new Retryable('image.registry_unavailable', `the name ${host} could not be resolved in time`, {
        cause: error,
      })
    }
  }

  /** For sockets: resolves a name, and fails when any of its addresses is refused. */
  lookupWithin(reach: Reach, signal: AbortSignal): LookupFunction {
    return (hostname, options, callback) => {
      this.#resolve(hostname, signal).then(
        (addresses) => {
          const [first] = addresses
          if (first === undefined || !addresses.every(({ address }) => this.permitsAddress(address, reach))) {
            callback(new RefusedAddress(hostname), [])
          } else if (options.all === true) callback(null, addresses)
          else callback(null, first.address, first.family)
        },
        (error: unknown) => callback(error instanceof Error ? error : new Error(String(error)), []),
      )
    }
  }

  /** The resolver cannot be stopped, only left behind; its place at the gate is free when it is done. */
  async #resolve(host: string, signal: AbortSignal): Promise<LookupAddress[]> {
    return await new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
      this.#lookups.run(signal, () => lookup(host, { all: true })).then(resolve, reject)
    })
  }

  /** As the engine does: without TLS on this machine, and where the operator says so. */
  speaksPlainHttp(domain: string): boolean {
    const host = hostOf(domain)
    if (host === 'localhost' || host.endsWith('.localhost')) return true
    if (isIP(host) !== 0 && reachOf(host) === 'loopback') return true
    return this.#options.plainHttp.some((pattern) => matches(pattern, domain))
  }
}

export class RefusedAddress extends Error {
  constructor(host: string) {
    super(`${host} lies at an address that is not asked`)
  }
}

/** undefined: an address that nothing of ours may ever ask. */
export function reachOf(address: string): Reach | undefined {
  const parsed = ipaddr.process(address)
  if (METADATA_ADDRESSES.some((metadata) => ipaddr.parse(metadata).toString() === parsed.toString())) return undefined
  const range = parsed.range()
  if (REFUSED_RANGES.includes(range)) return undefined
  if (range === 'loopback') return 'loopback'
  // These carry an IPv4 address, and it is that one which is reached.
  if (range === 'rfc6052') return reachOf(embeddedV4(parsed, 12))
  if (range === '6to4') return reachOf(embeddedV4(parsed, 2))
  return PRIVATE_RANGES.includes(range) ? 'private' : 'public'
}

function embeddedV4(address: ipaddr.IPv4 | ipaddr.IPv6, at: number): string {
  return address
    .toByteArray()
    .slice(at, at + 4)
    .join('.')
}

/** Without port and brackets, lower case. */
export function hostOf(domain: string): string {
  const bracketed = /^\[([^\]]*)\]/.exec(domain)?.[1]
  return (bracketed ?? domain.replace(/:\d+$/, '')).toLowerCase()
}

/** `host` matches any port of it, `host:port` only that one. */
function matches(pattern: string, domain: string): boolean {
  const wanted = pattern.toLowerCase()
  if (wanted.includes('/')) return false
  if (wanted.startsWith('*.')) return hostOf(domain).endsWith(wanted.slice(1))
  return wanted === domain.toLowerCase() || wanted === hostOf(domain)
}
