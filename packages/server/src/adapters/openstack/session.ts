import { messageOf } from '../../domain/errors.ts'
import type { Clock, Logger } from '../../orchestration/ports/clock.ts'
import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import type { OpenStack, OpenStackAnswer, OpenStackCall, OpenStackStream, ServiceType } from './call.ts'
import { findEndpoint, joinUrl, type Interface } from './catalog.ts'
import type { Credentials } from './credentials.ts'
import { OpenStackError, OpenStackUnreachable } from './errors.ts'
import { HttpClient, readAll, withErrors, type ClientTlsSource } from './http.ts'
import { Login, type OwnToken } from './login.ts'
import { reasonIn } from './reason.ts'

/** How one service is reached. */
export interface ServiceAccess {
  readonly interface: Interface
  /** null: the first that the catalogue has. */
  readonly region: string | null
  /** Absent: as the identity service. */
  readonly tls?: ClientTlsSource
}

export interface OpenStackSessionOptions {
  readonly authUrl: string
  readonly credentials: Credentials
  readonly tls: ClientTlsSource
  readonly services: Partial<Readonly<Record<ServiceType, ServiceAccess>>>
  /** Of a call that names none. Too short breaks off what a busy service would have answered. */
  readonly timeoutMs: number
  readonly clock: Clock
  readonly log: Logger
}

const USUAL_ACCESS: ServiceAccess = { interface: 'public', region: null }
const LARGEST_ANSWER = 32 * 1024 * 1024
const LARGEST_REFUSAL = 64 * 1024
/** The one service whose name in the header of microversions is not its type. */
const VERSION_NAMES: Partial<Readonly<Record<ServiceType, string>>> = { volumev3: 'volume' }

/** A call, and what is said when its time is over. */
type Told = OpenStackCall & { readonly late?: () => string | undefined }

/** All that the service asks of other services goes through here: with one login, over few connections, in time. */
export class OpenStackSession implements OpenStack {
  readonly #options: OpenStackSessionOptions
  readonly #http: HttpClient
  readonly #clients = new Map<ServiceType, HttpClient>()
  readonly #login: Login

  constructor(options: OpenStackSessionOptions) {
    this.#options = options
    this.#http = new HttpClient(options.tls)
    for (const [service, { tls }] of Object.entries(options.services)) {
      if (tls !== undefined && isService(service, options)) this.#clients.set(service, new HttpClient(tls))
    }
    this.#login = new Login({ ...options, http: this.#http })
  }

  /** OpenStackError for statuses from 400 on, OpenStackUnreachable when there is no answer. */
  async json<T = unknown>(call: OpenStackCall): Promise<OpenStackAnswer<T>> {
    const timeoutMs = call.timeoutMs ?? this.#options.timeoutMs
    const deadline = AbortSignal.timeout(timeoutMs)
    const timed = { ...call, timeoutMs, signal: AbortSignal.any([call.signal, deadline]) }
    const late = (): string | undefined => (deadline.aborted ? `nothing within ${timeoutMs / 1000} s` : undefined)
    return await this.#told({ ...call, late }, async () => {
      const response = await this.#ask(timed)
      const bytes = await readAll(response, LARGEST_ANSWER)
      // What it is made of is for the caller to look at: `T` is what they expect.
      const body = (bytes.length === 0 ? undefined : JSON.parse(bytes.toString('utf8'))) as T
      return { status: response.statusCode ?? 0, headers: response.headers, body }
    })
  }

  /** The same errors, and the answer's bytes as they come. `body` may be a Readable, too. */
  async stream(call: OpenStackCall): Promise<OpenStackStream> {
    return await this.#told(call, async () => {
      const response = await this.#ask({ ...call, timeoutMs: call.timeoutMs ?? this.#options.timeoutMs })
      const body = withErrors(response, (error) =>
        call.signal.aborted ? abortOf(call) : this.#unreachable(call, error),
      )
      return { status: response.statusCode ?? 0, headers: response.headers, body }
    })
  }

  close(): void {
    for (const client of [this.#http, ...this.#clients.values()]) client.close()
  }

  async #ask(call: OpenStackCall & { readonly timeoutMs: number }): Promise<IncomingMessage> {
    for (let tried = 1; ; tried += 1) {
      const own = await this.#login.token(call.signal)
      const response = await this.#send(call, own)
      const status = response.statusCode ?? 0
      if (status < 300) return response
      const { type, reason } = reasonIn(await readAll(response, LARGEST_REFUSAL))
      // With a caller's token it may be theirs or ours that is refused; only ours can be had anew.
      const mayRepeat = tried === 1 && !(call.body instanceof Readable)
      if (status === 401 && this.#login.replace(own.token) && mayRepeat) continue
      const asked = `${call.method} ${call.path}`
      // Redirects are not followed: tokens would go along.
      if (status < 400) throw new OpenStackUnreachable(call.service, `answered ${status}, a redirect, to ${asked}`)
      const asCaller = call.userToken !== undefined
      throw new OpenStackError({ service: call.service, status, type, reason, asked, asCaller })
    }
  }

  async #send(call: OpenStackCall & { readonly timeoutMs: number }, own: OwnToken): Promise<IncomingMessage> {
    const { service, method, body, userToken, microversion, requestId } = call
    const url = this.#urlOf(call, own)
    const payload = body === undefined || body instanceof Readable ? body : Buffer.from(JSON.stringify(body))
    const begun = this.#options.clock.now()
    const response = await (this.#clients.get(service) ?? this.#http).send({
      url,
      method,
      headers: {
        Accept: 'application/json',
        'User-Agent': 'zund',
        ...(Buffer.isBuffer(payload)
          ? { 'Content-Type': 'application/json', 'Content-Length': String(payload.length) }
          : {}),
        ...(microversion === undefined
          ? {}
          : { 'OpenStack-API-Version': `${VERSION_NAMES[service] ?? service} ${microversion}` }),
        ...(requestId === undefined ? {} : { 'X-OpenStack-Request-ID': requestId }),
        ...call.headers,
        ...(userToken === undefined
          ? { 'X-Auth-Token': own.token, ...(call.asService === true ? { 'X-Service-Token': own.token } : {}) }
          : { 'X-Auth-Token': userToken, 'X-Service-Token': own.token }),
      },
      ...(payload === undefined ? {} : { body: payload }),
      signal: call.signal,
      stallMs: call.timeoutMs,
    })
    const { 'x-openstack-request-id': theirs } = response.headers
    const ms = Math.round(this.#options.clock.now() - begun)
    this.#options.log.debug({ service, method, path: url.pathname, status: response.statusCode, ms, theirs }, 'asked')
    return response
  }

  #urlOf({ service, path, query, userToken, projectId }: OpenStackCall, own: OwnToken): URL {
    const { interface: wanted, region } = this.#options.services[service] ?? USUAL_ACCESS
    const endpoint =
      findEndpoint(own.endpoints, { service, interface: wanted, region }) ??
      // A catalogue need not have it, and where it is we know.
      (service === 'identity' ? this.#options.authUrl : undefined)
    if (endpoint === undefined) {
      const where = region === null ? '' : ` in region ${region}`
      throw new OpenStackUnreachable(service, `has no ${wanted} endpoint${where} in the catalogue`)
    }
    const url = joinUrl(endpoint, path)
    if (userToken !== undefined && typeof projectId === 'string' && own.projectId !== null) {
      url.pathname = url.pathname.replace(own.projectId, () => projectId)
    }
    for (const [name, value] of Object.entries(query ?? {})) {
      const values = Array.isArray(value) ? value : value === undefined ? [] : [value]
      for (const each of values) url.searchParams.append(name, String(each))
    }
    return url
  }

  async #told<T>(call: Told, work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      call.signal.throwIfAborted()
      throw this.#unreachable(call, error)
    }
  }

  #unreachable({ service, method, path, late }: Told, error: unknown): Error {
    if (error instanceof OpenStackError || error instanceof OpenStackUnreachable) return error
    const why = late?.() ?? messageOf(error)
    return new OpenStackUnreachable(service, `does not answer ${method} ${path}: ${why}`, { cause: error })
  }
}

function isService(name: string, { services }: OpenStackSessionOptions): name is ServiceType {
  return name in services
}

function abortOf({ signal }: OpenStackCall): Error {
  return signal.reason instanceof Error ? signal.reason : new Error('aborted')
}
