import { apiEndpoints, type ApiEndpoints } from '@zund/contract/api/endpoints/index.ts'
import { SERVICE_DOCUMENTS } from '@zund/contract/api/endpoints/service.ts'
import type { Endpoint } from '@zund/contract/api/endpoint.ts'
import type { Versions } from '@zund/contract/api/general.ts'
import { USUAL_OPTIONS } from '@zund/contract/api/limits.ts'
import { IDEMPOTENCY_KEY } from '@zund/contract/api/requests/idempotency.ts'
import { MAX_MINOR } from '@zund/contract/api/versions.ts'
import { reached, type Auth, type Session } from './auth.ts'
import { requestOf, type AnyInput, type CallOptions, type HttpRequest, type Method } from './call.ts'
import { ApiError, ConnectionError } from './errors.ts'
import { listener, type ListenEvents } from './events.ts'
import { streamMethods, type StreamMethods, type StreamRequest } from './streams.ts'

/** One method for each call of the API, by the names of its OpenAPI document (`operationId`). */
export type Client = {
  readonly [K in Exclude<keyof ApiEndpoints, 'listenEvents' | 'uploadArchive'>]: Method<ApiEndpoints[K]>
} & {
  readonly [K in keyof typeof SERVICE_DOCUMENTS]: Method<(typeof SERVICE_DOCUMENTS)[K]>
} & StreamMethods & {
    /** What happens, until it is given up; goes on by itself after a break. See `events.ts`. */
    readonly listenEvents: ListenEvents
    /** `1.40`: the version that is spoken. */
    readonly version: string
    /** Of the service, without `/v1`. */
    readonly endpoint: string
    /** Of the token; null: `withToken` does not know it. */
    readonly projectId: string | null
  }

export interface ConnectOptions {
  readonly auth: Auth
  /** `1.N`; absent: the newest that both know. */
  readonly version?: string
  /** Milliseconds for one request; 0: no limit. The default is a minute. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
  /** Makes the requests, to go through a proxy or to see them pass; absent: that of the platform. */
  readonly fetch?: typeof fetch
}

const TIMEOUT_MS = 60_000

/**
 * Logs in and agrees on a version. ApiError when the login is refused, ConnectionError when nobody answers or the service
 * does not speak the version that was asked for.
 */
export async function connect(options: ConnectOptions): Promise<Client> {
  const { auth, version, timeoutMs = TIMEOUT_MS, signal, fetch: ask = fetch } = options
  const session = await auth.session({ signal, fetch: ask })
  const caller = new Caller(auth, timeoutMs, ask)
  const spoken = await agreed(caller, session, version, signal)
  const { endpoint: root, projectId } = session
  const methods: Record<string, unknown> = { version: spoken, endpoint: root, projectId }
  for (const endpoint of Object.values<Endpoint>({ ...SERVICE_DOCUMENTS, ...apiEndpoints(USUAL_OPTIONS) })) {
    if (endpoint.answers[0]?.type === 'text/event-stream') continue
    methods[endpoint.id] = async (input: AnyInput = {}, o: CallOptions = {}) =>
      await caller.call(withKey(requestOf(endpoint, input), endpoint, o), spoken, o.signal)
  }
  methods['listenEvents'] = listener(async (request, o) => await caller.open(request, spoken, o))
  Object.assign(
    methods,
    streamMethods(async (request, over) => await caller.stream(request, spoken, over)),
  )
  // Made of the same declarations as its type, which no checker can follow through a loop.
  return Object.freeze(methods) as unknown as Client
}

/** TypeError where a key would do nothing: whoever gives one relies on it. */
function withKey(request: HttpRequest, endpoint: Endpoint, { idempotencyKey }: CallOptions): HttpRequest {
  if (idempotencyKey === undefined) return request
  if (endpoint.headers?.[IDEMPOTENCY_KEY] === undefined) throw new TypeError(`${endpoint.id} takes no idempotencyKey`)
  return { ...request, headers: { [IDEMPOTENCY_KEY]: idempotencyKey } }
}

async function agreed(
  caller: Caller,
  session: Session,
  wanted: string | undefined,
  signal: AbortSignal | undefined,
): Promise<string> {
  const document = (await caller.call({ method: 'GET', path: '/', body: undefined }, '1.1', signal)) as Versions
  const current = document.versions.find(({ status }) => status === 'CURRENT')
  const [least, most] = [minorOf(current?.min_version), minorOf(current?.max_version)]
  if (least === undefined || most === undefined) {
    throw new ConnectionError(`${session.endpoint} has no versions of the Containers API`)
  }
  const minor = wanted === undefined ? Math.min(MAX_MINOR, most) : minorOf(wanted)
  if (minor === undefined || minor < least || minor > Math.min(MAX_MINOR, most)) {
    throw new ConnectionError(`version ${wanted} is not between 1.${least} and 1.${Math.min(MAX_MINOR, most)}`)
  }
  return `1.${minor}`
}

function minorOf(version: string | undefined): number | undefined {
  const minor = /^1\.(\d{1,4})$/.exec(version ?? '')?.[1]
  return minor === undefined ? undefined : Number(minor)
}

class Caller {
  readonly #auth: Auth
  readonly #timeoutMs: number

  readonly #fetch: typeof fetch

  constructor(auth: Auth, timeoutMs: number, ask: typeof fetch) {
    this.#auth = auth
    this.#fetch = ask
    this.#timeoutMs = timeoutMs
  }

  /** A token that is over is renewed once: what is refused for it has not been begun. */
  async call(request: HttpRequest, version: string, signal: AbortSignal | undefined): Promise<unknown> {
    const session = await this.#auth.session({ signal, fetch: this.#fetch })
    const first = await this.#send(session, request, version, signal)
    if (first.status !== 401 || !this.#auth.canRenew) return await result(request, first)
    await first.body?.cancel()
    const renewed = await this.#auth.session({ expired: session, signal, fetch: this.#fetch })
    return await result(request, await this.#send(renewed, request, version, signal))
  }

  /** An answer whose body is read as it comes. */
  async open(request: HttpRequest, version: string, signal: AbortSignal): Promise<Response> {
    const session = await this.#auth.session({ signal, fetch: this.#fetch })
    let answer = await this.#send(session, request, version, signal, 0)
    if (answer.status === 401 && this.#auth.canRenew) {
      await answer.body?.cancel()
      const renewed = await this.#auth.session({ expired: session, signal, fetch: this.#fetch })
      answer = await this.#send(renewed, request, version, signal, 0)
    }
    if (!answer.ok) await result(request, answer)
    return answer
  }

  /** An answer that is not read yet. The limit of time is for its beginning, or for nothing when something is uploaded. */
  async stream(request: StreamRequest, version: string, signal: AbortSignal | undefined): Promise<Response> {
    const late = new AbortController()
    const isLimited = this.#timeoutMs !== 0 && request.upload === undefined
    const giveUp = (): void => late.abort(new DOMException('The service did not answer in time.', 'TimeoutError'))
    const timer = isLimited ? setTimeout(giveUp, this.#timeoutMs) : undefined
    const either = signal === undefined ? late.signal : AbortSignal.any([signal, late.signal])
    try {
      // What was uploaded cannot be sent again.
      if (request.upload === undefined) return await this.open(request, version, either)
      const session = await this.#auth.session({ signal: either, fetch: this.#fetch })
      const answer = await this.#send(session, request, version, either, 0)
      if (!answer.ok) await result(request, answer)
      return answer
    } finally {
      clearTimeout(timer)
    }
  }

  async #send(
    { endpoint, token }: Session,
    { method, path, body, headers, upload }: HttpRequest & Pick<StreamRequest, 'upload'>,
    version: string,
    signal: AbortSignal | undefined,
    timeoutMs = this.#timeoutMs,
  ): Promise<Response> {
    const signals = [signal, timeoutMs === 0 ? undefined : AbortSignal.timeout(timeoutMs)]
    const either = AbortSignal.any(signals.filter((one) => one !== undefined))
    const url = `${endpoint}${path}`
    const ask = this.#fetch
    return await reached(url, either, () =>
      ask(url, {
        method,
        redirect: 'error',
        signal: either,
        headers: {
          'x-auth-token': token,
          'openstack-api-version': `container ${version}`,
          accept: 'application/json',
          // Actions without a body are sent with the type all the same, as other clients do.
          ...(method === 'GET' || method === 'DELETE' ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body }),
        ...(upload === undefined ? {} : { body: upload, duplex: 'half' }),
      }),
    )
  }
}

async function result({ method, path }: HttpRequest, answer: Response): Promise<unknown> {
  const text = await answer.text()
  const call = `${method} ${path.split('?')[0]}`
  if (!answer.ok) {
    const requestId = answer.headers.get('x-openstack-request-id')
    throw new ApiError(call, { status: answer.status, text, requestId })
  }
  if (text === '') return undefined
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new ConnectionError(`${call}: the answer is no JSON`, { cause: error })
  }
}
