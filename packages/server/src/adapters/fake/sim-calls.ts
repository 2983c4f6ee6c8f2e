import { EngineUnavailable } from '../../domain/errors.ts'
import type { Clock } from '../../orchestration/ports/clock.ts'
import { SimFaults, type SimCall } from './sim-faults.ts'

/** Made once: an abort without a reason makes an exception with a stack each time. */
const ANSWERED = new Error('answered')
const NEVER = new AbortController().signal

export interface SimCallRecord {
  readonly call: SimCall
  /** null: not about one container. */
  readonly containerUuid: string | null
}

/** How calls reach the engine: counted, late, lost, or not at all. */
export class SimCalls {
  readonly faults = new SimFaults()
  readonly made: SimCallRecord[] = []
  latencyMs = 0
  readonly #clock: Clock
  readonly #deadlineMs: number
  #outage = new AbortController()

  constructor(clock: Clock, deadlineMs: number) {
    this.#clock = clock
    this.#deadlineMs = deadlineMs
  }

  down(): void {
    this.#outage.abort(new EngineUnavailable('the engine does not answer: connection refused'))
  }

  up(): void {
    this.#outage = new AbortController()
  }

  async run<T>(record: SimCallRecord, signal: AbortSignal, act: () => T | Promise<T>, extraMs: number): Promise<T> {
    this.made.push(record)
    signal.throwIfAborted()
    this.#outage.signal.throwIfAborted()
    // What is under way is done even if the caller does not wait for it any more, as with a real engine.
    return await this.#within(record.call, this.#answer(record, act), signal, this.#deadlineMs + extraMs)
  }

  async #answer<T>({ call, containerUuid }: SimCallRecord, act: () => T | Promise<T>): Promise<T> {
    const trouble = this.faults.take(call, containerUuid)
    const delayMs = this.latencyMs + (trouble?.kind === 'delay' ? trouble.ms : 0)
    if (delayMs > 0) await this.#clock.sleep(delayMs, NEVER)
    if (trouble?.kind === 'refuse') throw trouble.error
    if (trouble?.kind === 'hang') await new Promise<never>(() => undefined)
    if (trouble?.kind === 'hold') {
      trouble.reached()
      await trouble.until
    }
    const result = await act()
    if (trouble?.kind === 'lose-answer') throw new EngineUnavailable(`${call}: the connection broke before the answer`)
    return result
  }

  /** The answer, unless the caller gives up, the engine goes down, or it takes too long. */
  async #within<T>(call: SimCall, answer: Promise<T>, signal: AbortSignal, deadlineMs: number): Promise<T> {
    const over = new AbortController()
    const { promise: cut, reject } = Promise.withResolvers<never>()
    const outage = this.#outage.signal
    const byCaller = (): void => reject(asSeen(call, signal.reason))
    const byOutage = (): void => reject(outage.reason as Error)
    signal.addEventListener('abort', byCaller)
    outage.addEventListener('abort', byOutage)
    this.#clock.sleep(deadlineMs, over.signal).then(
      () => reject(new EngineUnavailable(`${call}: it did not answer in time`)),
      () => undefined,
    )
    try {
      return await Promise.race([answer, cut])
    } finally {
      over.abort(ANSWERED)
      signal.removeEventListener('abort', byCaller)
      outage.removeEventListener('abort', byOutage)
      answer.catch(() => undefined)
    }
  }
}

/** A caller's own deadline is a deadline like the engine's. */
function asSeen(call: SimCall, reason: unknown): unknown {
  if (!(reason instanceof DOMException) || reason.name !== 'TimeoutError') return reason
  return new EngineUnavailable(`${call}: it did not answer in time`)
}
