import { Agent, request, type ClientRequest, type IncomingMessage } from 'node:http'
import type { Duplex, Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import {
  EngineConflict,
  EngineFailed,
  EngineNotFound,
  EngineRefused,
  EngineRemains,
  EngineUnavailable,
  SystemFault,
  ZunError,
} from '../../domain/errors.ts'

/** Docker API versions this adapter knows: 1.41 is Docker 20.10, 1.51 is Docker 28.3. */
const OLDEST_KNOWN = [1, 41] as const
const NEWEST_KNOWN = [1, 51] as const

/** Answers are read whole into memory; nothing that is asked this way may be larger. */
const LARGEST_ANSWER_BYTES = 64 * 1024 * 1024

export interface EngineRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE' | 'HEAD'
  readonly path: string
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>
  /** A function when it depends on the API version that is spoken. */
  readonly json?: unknown
  readonly stream?: AsyncIterable<Buffer>
  /** A tar of any length. It is asked for when the engine has nothing against the rest of the request. */
  readonly upload?: () => Readable
  readonly headers?: Readonly<Record<string, string>>
  /** Statuses besides 2xx that are a success. */
  readonly also?: readonly number[]
  /** Milliseconds until the answer begins, for `buffer` until it is read; default is the client's. */
  readonly timeoutMs?: number
  /** Not one that is there: an engine that goes down refuses new ones first. */
  readonly onNewConnection?: boolean
  readonly signal: AbortSignal
}

/**
 * Speaks HTTP to a Docker Engine on its unix socket.
 *
 * The API version is negotiated by `GET /_ping` and again after every lost connection, because the engine may have been
 * replaced by a newer one meanwhile.
 */
export class EngineHttp {
  readonly #socketPath: string
  readonly #timeoutMs: number
  readonly #agent: Agent
  #version: Promise<string> | undefined

  constructor(options: { socketPath: string; timeoutMs: number; maxSockets?: number }) {
    const { socketPath, timeoutMs, maxSockets = 64 } = options
    this.#socketPath = socketPath
    this.#timeoutMs = timeoutMs
    this.#agent = new Agent({ keepAlive: true, maxSockets, maxFreeSockets: 16 })
  }

  /** Version spoken now, e.g. `1.41`. */
  async version(signal: AbortSignal): Promise<string> {
    signal.throwIfAborted()
    // All who wait share one negotiation, so it must not end because one of them gives up.
    const shared = (this.#version ??= this.#negotiate().catch((error: unknown) => {
      this.#version = undefined
      throw error
    }))
    return await unlessAborted(shared, signal)
  }

  /** The parsed JSON answer, or undefined when there is none. */
  async json<T>(call: EngineRequest): Promise<T> {
    const { body, status } = await this.buffer(call)
    if (body.length === 0 || status === 304) return undefined as T
    try {
      return JSON.parse(body.toString('utf8')) as T
    } catch (error) {
      throw new EngineUnavailable(`the engine's answer to ${call.method} ${call.path} is not JSON`, { cause: error })
    }
  }

  async buffer(call: EngineRequest): Promise<{ status: number; headers: IncomingMessage['headers']; body: Buffer }> {
    const signal = AbortSignal.any([call.signal, AbortSignal.timeout(call.timeoutMs ?? this.#timeoutMs)])
    const response = await this.open({ ...call, signal })
    const body = await this.#readAll(response, LARGEST_ANSWER_BYTES, call, signal)
    return { status: response.statusCode ?? 0, headers: response.headers, body }
  }

  /** An answer whose body the caller reads; errors of status are thrown here. */
  async open(call: EngineRequest): Promise<IncomingMessage> {
    const first = await this.#attempt(call)
    if (first !== undefined) return first
    // Refused for its version before anything was done: the engine was replaced under us. What was streamed is gone.
    const isGone = call.stream !== undefined || call.upload !== undefined
    const second = !isGone ? await this.#attempt(call) : undefined
    if (second !== undefined) return second
    throw new EngineUnavailable('the engine was replaced by one that speaks another API version')
  }

  /** undefined: the engine does not take the version any more, which is then negotiated anew. */
  async #attempt(call: EngineRequest): Promise<IncomingMessage | undefined> {
    const version = await this.version(call.signal)
    const json: unknown = typeof call.json === 'function' ? call.json(version) : call.json
    const response = await this.#send(`/v${version}${call.path}`, { ...call, json })
    const status = response.statusCode ?? 0
    if ((status >= 200 && status < 300) || call.also?.includes(status) === true) return response
    const text = messageIn(await this.#readAll(response, 1024 * 1024, call, call.signal))
    if (status === 400 && /client version .* is too (old|new)/i.test(text)) {
      this.#version = undefined
      return undefined
    }
    throw errorFor(status, text)
  }

  /**
   * A connection taken over from HTTP: raw bytes both ways from here on. The deadline is for the opening only; the
   * call's signal destroys the connection whenever it is aborted.
   */
  async upgrade(call: EngineRequest): Promise<Duplex> {
    const version = await this.version(call.signal)
    const deadline = AbortSignal.timeout(call.timeoutMs ?? this.#timeoutMs)
    const signal = AbortSignal.any([call.signal, deadline])
    signal.throwIfAborted()
    const payload = Buffer.from(JSON.stringify(call.json ?? {}))
    const opened = await new Promise<{ socket: Duplex } | { response: IncomingMessage }>((resolve, reject) => {
      const req = request({
        socketPath: this.#socketPath,
        agent: false,
        method: call.method,
        path: `/v${version}${call.path}${queryString(call.query)}`,
        headers: {
          Host: 'engine',
          Connection: 'Upgrade',
          Upgrade: 'tcp',
          'Content-Type': 'application/json',
          'Content-Length': payload.length,
        },
      })
      const giveUp = (): void => void req.destroy(new Error('gave up'))
      signal.addEventListener('abort', giveUp, { once: true })
      req.on('close', () => signal.removeEventListener('abort', giveUp))
      req.on('error', (error) => reject(this.#toUnavailable(error, { ...call, signal })))
      req.on('response', (response) => resolve({ response }))
      req.on('upgrade', (_response, socket, head) => {
        signal.removeEventListener('abort', giveUp)
        if (head.length > 0) socket.unshift(head)
        resolve({ socket })
      })
      req.end(payload)
    })
    if ('socket' in opened) return ownedBy(opened.socket, call.signal)
    const text = messageIn(await this.#readAll(opened.response, 1024 * 1024, call, signal))
    throw errorFor(opened.response.statusCode ?? 0, text)
  }

  /** For bodies that the caller reads: what breaks them off, as an error of the port. */
  async reading<T>(call: Pick<EngineRequest, 'method' | 'path' | 'signal'>, read: () => Promise<T>): Promise<T> {
    try {
      return await read()
    } catch (error) {
      throw this.#toUnavailable(error, call)
    }
  }

  destroy(): void {
    this.#agent.destroy()
  }

  async #negotiate(): Promise<string> {
    const deadline = AbortSignal.timeout(this.#timeoutMs)
    const call: EngineRequest = { method: 'GET', path: '/_ping', signal: deadline }
    const response = await this.#send('/_ping', call)
    await this.#readAll(response, 4096, call, deadline)
    const status = response.statusCode ?? 0
    if (status !== 200) throw new EngineUnavailable(`the engine answered its ping with ${status}`)
    const newest = parseVersion(String(response.headers['api-version'] ?? ''))
    if (newest === undefined) throw new EngineUnavailable('the engine does not say which API version it speaks')
    if (compare(newest, OLDEST_KNOWN) < 0) {
      throw new EngineUnavailable(
        `the engine speaks API ${newest.join('.')}; at least ${OLDEST_KNOWN.join('.')} is needed`,
      )
    }
    return (compare(newest, NEWEST_KNOWN) < 0 ? newest : NEWEST_KNOWN).join('.')
  }

  async #send(path: string, call: EngineRequest): Promise<IncomingMessage> {
    call.signal.throwIfAborted()
    // A server resolves them, quoted or not, and the call would reach another place than it names.
    if (path.split('/').some((part) => part === '.' || part === '..')) {
      throw new EngineRefused(`${path} does not name anything of the engine`)
    }
    const payload = call.json === undefined ? undefined : Buffer.from(JSON.stringify(call.json))
    const late = new AbortController()
    const giveUp = (): void => late.abort(new DOMException('no answer in time', 'TimeoutError'))
    const patienceMs = call.timeoutMs ?? this.#timeoutMs
    let timer = setTimeout(giveUp, patienceMs)
    const signal = AbortSignal.any([call.signal, late.signal])
    try {
      return await new Promise<IncomingMessage>((resolve, reject) => {
        const req: ClientRequest = request(
          {
            socketPath: this.#socketPath,
            agent: call.onNewConnection === true ? false : this.#agent,
            method: call.method,
            path: path + queryString(call.query),
            headers: {
              Host: 'engine',
              ...(payload === undefined
                ? {}
                : { 'Content-Type': 'application/json', 'Content-Length': payload.length }),
              ...(call.stream === undefined && call.upload === undefined
                ? {}
                : { 'Content-Type': 'application/x-tar' }),
              ...(call.upload === undefined ? {} : { Expect: '100-continue', Connection: 'close' }),
              ...call.headers,
            },
            signal,
          },
          resolve,
        )
        req.on('error', (error) => {
          this.#version = undefined
          reject(this.#toUnavailable(error, { ...call, signal }))
        })
        const { upload } = call
        if (upload !== undefined) {
          req.on('continue', () => {
            // Whoever sends has no deadline; the engine has one for its answer when all is sent.
            clearTimeout(timer)
            req.once('finish', () => {
              timer = setTimeout(giveUp, patienceMs)
            })
            pipeline(upload(), req).catch((error: unknown) => {
              reject(error instanceof ZunError ? error : this.#toUnavailable(error, { ...call, signal }))
            })
          })
          // An answer before the end is a refusal, and nothing more is wanted.
          req.on('response', (response) => response.once('end', () => req.destroy()))
          req.flushHeaders()
        } else if (call.stream === undefined) req.end(payload)
        else {
          pipeline(call.stream, req).catch((error: unknown) => reject(this.#toUnavailable(error, { ...call, signal })))
        }
      })
    } finally {
      clearTimeout(timer)
    }
  }

  async #readAll(body: Readable, limit: number, call: EngineRequest, signal: AbortSignal): Promise<Buffer> {
    const chunks: Buffer[] = []
    let size = 0
    const giveUp = (): void => void body.destroy(new Error('gave up'))
    signal.addEventListener('abort', giveUp, { once: true })
    try {
      for await (const chunk of body as AsyncIterable<Buffer>) {
        size += chunk.length
        if (size > limit) throw new SystemFault('engine.answer_too_large', `the engine's answer is over ${limit} bytes`)
        chunks.push(chunk)
      }
    } catch (error) {
      if (error instanceof SystemFault) throw error
      throw this.#toUnavailable(error, { ...call, signal })
    } finally {
      signal.removeEventListener('abort', giveUp)
    }
    return Buffer.concat(chunks)
  }

  #toUnavailable(error: unknown, call: Pick<EngineRequest, 'method' | 'path' | 'signal'>): unknown {
    const { reason } = call.signal
    if (call.signal.aborted && !isTimeout(reason)) return reason
    const why = call.signal.aborted
      ? 'it did not answer in time'
      : error instanceof Error
        ? error.message
        : String(error)
    return new EngineUnavailable(`${call.method} ${call.path}: ${why}`, { cause: error })
  }
}

/** Destroys the stream when the signal is aborted, at once if it is already. */
function ownedBy(stream: Duplex, signal: AbortSignal): Duplex {
  const breakOff = (): void => void stream.destroy()
  if (signal.aborted) breakOff()
  signal.addEventListener('abort', breakOff, { once: true })
  stream.once('close', () => signal.removeEventListener('abort', breakOff))
  return stream
}

/** The promise itself goes on when the signal is aborted. */
async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const giveUp = (): void => {
    const { reason } = signal
    reject(isTimeout(reason) ? new EngineUnavailable('the engine did not answer in time', { cause: reason }) : reason)
  }
  signal.addEventListener('abort', giveUp, { once: true })
  try {
    return await Promise.race([promise, aborted])
  } finally {
    signal.removeEventListener('abort', giveUp)
  }
}

function isTimeout(reason: unknown): boolean {
  return reason instanceof DOMException && reason.name === 'TimeoutError'
}

function queryString(query: EngineRequest['query']): string {
  if (query === undefined) return ''
  const params = new URLSearchParams()
  for (const [key, value] of Object.entries(query)) if (value !== undefined) params.set(key, String(value))
  const text = params.toString()
  return text === '' ? '' : `?${text}`
}

function messageIn(body: Buffer): string {
  const text = body.toString('utf8').trim()
  try {
    const parsed: unknown = JSON.parse(text)
    if (typeof parsed === 'object' && parsed !== null && 'message' in parsed) return String(parsed.message)
  } catch {}
  return text
}

/** Older engines answer some conflicts with 500 and a text, so both are looked at. */
const CONFLICT_TEXTS = /is not running|is not paused|is already paused|is paused|is restarting|already in progress/i

/** Faults of the request that the engine answers with 500. */
const REFUSAL_TEXTS = /^ps: |error processing tar file|extraction point is not a directory|invalid reference format/i

/** What an engine says with status 500 while it, or the containerd under it, is going down or coming up. */
const GOING_TEXTS =
  /transport is closing|: unavailable$|code = unavailable|ttrpc: closed|context canceled|shutting down|containerd\.sock|failed to update store for object/i

/** After it went down in the middle of a start; it says the same at every further start. */
const REMAINS_TEXTS =
  /^task [0-9a-f]+: already exists|failed to start shim: mkdir .*: file exists|^endpoint with name \S+ already exists in network/i

/** A restart answers 500 where a start answers 404; a create, 400 for a container whose namespaces are to be joined. */
const MISSING_TEXTS = /network \S+ not found|^No such container: /

function errorFor(status: number, text: string): Error {
  if (status === 404 || MISSING_TEXTS.test(text)) return new EngineNotFound(text)
  if (status === 409 || CONFLICT_TEXTS.test(text)) return new EngineConflict(text)
  if (REMAINS_TEXTS.test(text)) return new EngineRemains(text)
  if ((status >= 400 && status < 500) || REFUSAL_TEXTS.test(text)) return new EngineRefused(text)
  if (status >= 500 && GOING_TEXTS.test(text)) return new EngineUnavailable(`the engine is restarting: ${text}`)
  return new EngineFailed(text === '' ? `the engine answered ${status}` : text)
}

type Version = readonly [number, number]

function parseVersion(text: string): Version | undefined {
  const match = /^(\d+)\.(\d+)$/.exec(text.trim())
  return match === null ? undefined : [Number(match[1]), Number(match[2])]
}

function compare(a: Version, b: Version): number {
  return a[0] - b[0] || a[1] - b[1]
}

/** True when the version in use is at least this one. */
export function atLeast(version: string, major: number, minor: number): boolean {
  const parsed = parseVersion(version)
  return parsed !== undefined && compare(parsed, [major, minor]) >= 0
}
