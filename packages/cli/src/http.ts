/**
 * Requests over node:http. `fetch` takes longer to load than a whole command may, cannot be given an authority of one's
 * own, and sends no body whose end is not known before.
 */
import type { ClientRequest, IncomingMessage, OutgoingHttpHeaders, RequestOptions } from 'node:http'
import type { Readable } from 'node:stream'
import { text as textOf } from 'node:stream/consumers'
import { codeOf, Failure, messageOf, Refused } from './failures.ts'

export interface Trust {
  /** PEM; null: those of the system. */
  readonly authority: string | null
  readonly verify: boolean
}

export interface Outgoing {
  readonly method: string
  readonly headers: OutgoingHttpHeaders
  readonly body?: string | Readable
  /** Milliseconds without a sign of life; 0: as long as it takes. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal | undefined
}

const TIMEOUT_MS = 60_000

// An import would ask the module for each of its exports, of which one is WebSocket, and so load all of undici: 30 ms.
const { request: plainly } = process.getBuiltinModule('node:http')

/** The answer as it begins, whatever its status. */
export async function send(url: URL, trust: Trust, outgoing: Outgoing): Promise<IncomingMessage> {
  const { method, headers, body, timeoutMs = TIMEOUT_MS, signal } = outgoing
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw new Failure(`${url.href} is no URL of a service`)
  const options: RequestOptions = { method, headers: { ...headers }, ...(signal === undefined ? {} : { signal }) }
  if (typeof body === 'string') options.headers = { ...headers, 'content-length': Buffer.byteLength(body) }
  const start = await starter(url, trust)
  return await new Promise<IncomingMessage>((resolve, reject) => {
    const sent = start(options)
    sent.once('response', resolve)
    sent.once('error', (error) => reject(signal?.aborted === true ? error : unreachable(url, error)))
    if (timeoutMs > 0) {
      sent.setTimeout(timeoutMs, () => sent.destroy(new Error(`no answer within ${timeoutMs / 1000} s`)))
    }
    if (body === undefined || typeof body === 'string') sent.end(body)
    else {
      body.once('error', (error) => sent.destroy(error))
      body.pipe(sent)
    }
  })
}

type Start = (options: RequestOptions) => ClientRequest

async function starter(url: URL, trust: Trust): Promise<Start> {
  if (url.protocol === 'http:') return (options) => plainly(url, options)
  const { request } = await import('node:https')
  const ca = trust.authority === null ? {} : { ca: trust.authority }
  return (options) => request(url, { ...options, ...ca, rejectUnauthorized: trust.verify })
}

function unreachable(url: URL, error: Error): Failure {
  const known: Readonly<Record<string, string>> = {
    ECONNREFUSED: 'nobody listens there',
    ENOTFOUND: 'the name is not known',
    EAI_AGAIN: 'the name cannot be looked up now',
    ECONNRESET: 'the connection was broken off',
    DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is signed by itself; see OS_CACERT',
    SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is of an unknown authority; see OS_CACERT',
    UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is of an unknown authority; see OS_CACERT',
    CERT_HAS_EXPIRED: 'its certificate has expired',
  }
  const why = known[codeOf(error) ?? ''] ?? messageOf(error)
  return new Failure(`${url.origin} cannot be reached: ${why}`, 1, { cause: error })
}

/** What a refusal says, in one line. Forms: the API's list of errors, Keystone's object, or a plain sentence. */
export async function refusal(answer: IncomingMessage): Promise<Refused> {
  const text = await textOf(answer)
  const status = answer.statusCode ?? 0
  return new Refused(status, oneLine(sentenceOf(text)) || `refused with HTTP status ${status}`)
}

function sentenceOf(text: string): string {
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch {
    return text.length < 300 && !text.includes('<') ? text : ''
  }
  const errors = field(body, 'errors')
  const one: unknown = Array.isArray(errors) ? errors[0] : (field(body, 'error') ?? body)
  for (const name of ['detail', 'message', 'title']) {
    const value = field(one, name)
    if (typeof value === 'string' && value !== '') return value
  }
  return ''
}

export function field(of: unknown, name: string): unknown {
  return typeof of === 'object' && of !== null && name in of ? Reflect.get(of, name) : undefined
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim()
}
