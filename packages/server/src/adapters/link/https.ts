import type { IncomingMessage } from 'node:http'
import { Agent, request } from 'node:https'
import { setTimeout as sleep } from 'node:timers/promises'
import type { PeerCertificate } from 'node:tls'
import type { LinkCall } from '@zund/contract/link/calls.ts'
import { FencedOut, messageOf, Retryable } from '../../domain/errors.ts'
import { peerIdentity } from '../../lib/peer-identity.ts'
import type { CallOptions, ControlPlane } from '../../orchestration/ports/control-plane.ts'
import { linkOver } from '../../orchestration/ports/link.ts'

export interface HttpsLinkOptions {
  /** `https://host:port` of each process of the control plane; when one cannot be reached the next is asked. */
  readonly endpoints: readonly string[]
  /** PEM; asked anew for each connection, so that new certificates count without a restart. */
  readonly tls: () => { readonly ca: string; readonly cert: string; readonly key: string }
  /** Milliseconds for one try, beyond those that a claim waits. Too short breaks off calls of a busy database. */
  readonly callTimeoutMs: number
  /**
   * Milliseconds in which a call is tried again. Less than a lease lasts: when that is over the operation is somebody
   * else's. Too short makes operations fail of the network.
   */
  readonly patienceMs: number
  /** Told once of each change: nobody answers, and why; null: somebody does again. */
  readonly onTrouble?: (why: string | null) => void
}

/** Between two tries; doubled each time. */
const FIRST_WAIT_MS = 20
const LONGEST_WAIT_MS = 2_000
/** Of one answer. The largest is the complete set of a host's containers. */
const MAX_ANSWER_BYTES = 256 * 1024 * 1024
/** Shorter than the server's, which closes them after 75 s. */
const IDLE_MS = 60_000

/** The agent's end of the link over HTTPS. */
export class HttpsLink {
  readonly controlPlane: ControlPlane
  readonly #options: HttpsLinkOptions
  readonly #agent: Agent
  #endpoint = 0
  #isInTrouble = false

  constructor(options: HttpsLinkOptions) {
    if (options.endpoints.length === 0) throw new Error('the link needs an endpoint')
    this.#options = options
    this.#agent = new Agent({ keepAlive: true, timeout: IDLE_MS, minVersion: 'TLSv1.3', maxCachedSessions: 0 })
    this.controlPlane = linkOver(async (call, message, o) => await this.#carry(call, message, o))
  }

  close(): void {
    this.#agent.destroy()
  }

  /** Every call may be repeated, so whatever goes wrong on the way is tried again, at the next endpoint if there is one. */
  async #carry(call: LinkCall, message: unknown, { signal }: CallOptions): Promise<unknown> {
    const { endpoints, callTimeoutMs, patienceMs } = this.#options
    const body = Buffer.from(JSON.stringify(message))
    const end = performance.now() + patienceMs
    for (let tried = 1; ; tried += 1) {
      const endpoint = endpoints[this.#endpoint % endpoints.length] ?? ''
      const deadline = AbortSignal.timeout(callTimeoutMs + waitOf(message))
      try {
        const answer = await this.#ask(`${endpoint}/link/v1/${call}`, body, AbortSignal.any([signal, deadline]))
        this.#trouble(null)
        return answer
      } catch (error) {
        signal.throwIfAborted()
        if (error instanceof FencedOut || error instanceof Refused) {
          this.#trouble(null)
          throw error
        }
        this.#endpoint += 1
        if (tried >= endpoints.length) this.#trouble(messageOf(error))
        // Each endpoint once, at once; then it is the network or the whole control plane, which need a moment.
        const waitMs = tried < endpoints.length ? 0 : Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (tried - 1))
        if (performance.now() + waitMs > end) {
          throw new Retryable('link.unreachable', `${call}: the control plane does not answer: ${messageOf(error)}`, {
            cause: error,
          })
        }
        await sleep(waitMs, undefined, { signal })
      }
    }
  }

  #trouble(why: string | null): void {
    if (this.#isInTrouble === (why !== null)) return
    this.#isInTrouble = why !== null
    this.#options.onTrouble?.(why)
  }

  async #ask(url: string, body: Buffer, signal: AbortSignal): Promise<unknown> {
    const { status, text } = await new Promise<{ status: number; text: string }>((resolve, reject) => {
      const sent = request(
        url,
        {
          method: 'POST',
          agent: this.#agent,
          ...this.#options.tls(),
          checkServerIdentity: requireControlPlane,
          headers: { 'content-type': 'application/json', 'content-length': body.length },
          signal,
        },
        (answer) => {
          textOf(answer).then((read) => resolve({ status: answer.statusCode ?? 0, text: read }), reject)
        },
      )
      sent.once('error', reject)
      sent.end(body)
    })
    const answer: unknown = JSON.parse(text)
    if (status === 200) return answer
    const { code, message } = (answer as { error?: { code?: string; message?: string } }).error ?? {}
    if (code === new FencedOut().code) throw new FencedOut(message)
    if (status >= 400 && status < 500) throw new Refused(code ?? 'link.refused', message ?? `status ${status}`)
    throw new Error(message ?? `status ${status}`)
  }
}

/** The control plane has understood, and does not want to. Asking elsewhere would not help. */
class Refused extends Retryable {}

/** Milliseconds that the other end may take before it answers. */
function waitOf(message: unknown): number {
  const { waitMs } = message as { waitMs?: unknown }
  return typeof waitMs === 'number' ? waitMs : 0
}

/** Names and addresses do not count: any process of the control plane is as good as another, and nobody else is. */
function requireControlPlane(name: string, certificate: PeerCertificate): Error | undefined {
  if (peerIdentity(certificate)?.role === 'control-plane') return undefined
  return new Error(`the certificate at ${name} is not that of the control plane`)
}

async function textOf(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > MAX_ANSWER_BYTES) throw new Error(`an answer has more than ${MAX_ANSWER_BYTES} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
