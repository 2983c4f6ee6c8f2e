import { EngineUnavailable } from '../../domain/errors.ts'
import type { EngineEvent } from '../../orchestration/ports/engine.ts'

/** Events kept for those who ask for what was before. */
const KEPT = 1_000

interface Subscriber {
  wake: () => void
  readonly queue: EngineEvent[]
  broken: boolean
}

/** The engine's event stream: everything since a moment, then what happens. */
export class SimEvents {
  readonly #past: EngineEvent[] = []
  readonly #subscribers = new Set<Subscriber>()
  /** While true, what happens is told to nobody, now or later. */
  missing = false

  emit(containerUuid: string, action: string, atMs: number, exitCode?: number): void {
    if (this.missing) return
    const event: EngineEvent = {
      kind: 'container',
      containerUuid,
      action,
      atMs,
      ...(exitCode === undefined ? {} : { exitCode }),
    }
    this.#past.push(event)
    if (this.#past.length > KEPT) this.#past.shift()
    for (const subscriber of this.#subscribers) {
      subscriber.queue.push(event)
      subscriber.wake()
    }
  }

  pastOf(containerUuid: string): EngineEvent[] {
    return this.#past.filter((event) => event.containerUuid === containerUuid)
  }

  /** Ends every stream, as a restart of the engine does. */
  breakAll(): void {
    for (const subscriber of this.#subscribers) {
      subscriber.broken = true
      subscriber.wake()
    }
  }

  async *stream(sinceMs: number, signal: AbortSignal): AsyncGenerator<EngineEvent> {
    const subscriber: Subscriber = {
      wake: () => undefined,
      queue: this.#past.filter((event) => event.atMs >= sinceMs),
      broken: false,
    }
    this.#subscribers.add(subscriber)
    const wake = (): void => subscriber.wake()
    signal.addEventListener('abort', wake)
    try {
      // What was before the engine's memory begins may have been missed.
      yield { kind: 'resync', containerUuid: '', action: '', atMs: sinceMs }
      for (;;) {
        signal.throwIfAborted()
        const next = subscriber.queue.shift()
        if (next !== undefined) yield next
        else if (subscriber.broken) throw new EngineUnavailable('the engine ended the event stream')
        else {
          await new Promise<void>((resolve) => {
            subscriber.wake = resolve
          })
        }
      }
    } finally {
      signal.removeEventListener('abort', wake)
      this.#subscribers.delete(subscriber)
    }
  }
}
