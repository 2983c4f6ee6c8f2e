import type { IncomingMessage } from 'node:http'
import { Agent, request } from 'node:https'
import type { HostCall } from '@zund/contract/link/host-calls.ts'
import {
  decodeMessage,
  encodeMessage,
  gatewayOver,
  type CarryOptions,
  type HostMessage,
} from '../../app/ports/host-calls.ts'
import { errorOf } from '../../app/ports/host-failures.ts'
import type { HostGateway } from '../../app/ports/host-gateway.ts'
import { EngineFailed, Unavailable } from '../../domain/errors.ts'
import { authorityOf, onlyHost, type HostAccess } from './host-access.ts'

export interface HttpsHostGatewayOptions extends HostAccess {
  /** Milliseconds for one call, beyond those that a command may run. Longer than the host waits for its engine. */
  readonly callTimeoutMs: number
}

/** Of the JSON value of an answer. */
const MAX_VALUE_BYTES = 8 * 1024 * 1024
/** Shorter than the host's, which closes them after 75 s. */
const IDLE_MS = 30_000

/** For hosts elsewhere: edge/host-streams is at the other end. */
export class HttpsHostGateway {
  readonly gateway: HostGateway
  readonly #options: HttpsHostGatewayOptions
  /** By host: a connection that is kept was checked for one name. */
  readonly #agents = new Map<string, Agent>()

  constructor(options: HttpsHostGatewayOptions) {
    this.#options = options
    this.gateway = gatewayOver(async (host, call, message, o) => await this.#carry(host, call, message, o))
  }

  close(): void {
    for (const agent of this.#agents.values()) agent.destroy()
    this.#agents.clear()
  }

  /** Never tried again: a command would be run twice. */
  async #carry(host: string, call: HostCall, message: HostMessage, o: CarryOptions): Promise<HostMessage> {
    const { signal, maxBytes, extraMs } = o
    const url = `https://${await authorityOf(this.#options, host)}/v1/call/${call}`
    signal.throwIfAborted()
    const deadline = AbortSignal.timeout(this.#options.callTimeoutMs + extraMs)
    const ends = AbortSignal.any([signal, deadline])
    let answer: Answer
    try {
      answer = await this.#ask(host, url, encodeMessage(message), {
        maxBytes: maxBytes + MAX_VALUE_BYTES,
        signal: ends,
      })
    } catch (error) {
      signal.throwIfAborted()
      if (error instanceof TooLarge) throw new EngineFailed(error.message)
      throw new Unavailable('The host of the container cannot be reached.', { cause: error, retryAfterS: 10 })
    }
    if (answer.status === 200) return decoded(answer.body)
    throw errorOf(valueOf(answer.body))
  }

  async #ask(
    host: string,
    url: string,
    body: Buffer,
    { maxBytes, signal }: { readonly maxBytes: number; readonly signal: AbortSignal },
  ): Promise<Answer> {
    return await new Promise<Answer>((resolve, reject) => {
      const sent = request(
        url,
        {
          method: 'POST',
          agent: this.#agent(host),
          ...this.#options.tls(),
          ...onlyHost(host),
          headers: { 'content-type': 'application/octet-stream', 'content-length': body.length },
          signal,
        },
        (answer) => {
          bytesOf(answer, maxBytes).then((read) => resolve({ status: answer.statusCode ?? 0, body: read }), reject)
        },
      )
      sent.once('error', reject)
      sent.end(body)
    })
  }

  #agent(host: string): Agent {
    let agent = this.#agents.get(host)
    if (agent === undefined) {
      agent = new Agent({ keepAlive: true, timeout: IDLE_MS, maxCachedSessions: 0 })
      this.#agents.set(host, agent)
    }
    return agent
  }
}

interface Answer {
  readonly status: number
  readonly body: Buffer
}

class TooLarge extends Error {}

async function bytesOf(answer: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > maxBytes) throw new TooLarge(`The host's answer has more than ${maxBytes} bytes.`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function decoded(body: Buffer): HostMessage {
  try {
    return decodeMessage(body)
  } catch {
    throw new EngineFailed('The host gave no answer that could be read.')
  }
}

function valueOf(body: Buffer): unknown {
  try {
    return decodeMessage(body).value
  } catch {
    return undefined
  }
}
