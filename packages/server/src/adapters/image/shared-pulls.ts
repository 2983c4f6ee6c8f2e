import type { PullProgress } from '../../orchestration/ports/engine.ts'

type OnProgress = (p: PullProgress) => void
type Start = (onProgress: OnProgress, signal: AbortSignal) => Promise<void>

/**
 * One pull for all who want the same at the same time. Each hears of its progress; one that gives up leaves the others
 * alone; when the last one gives up the pull is stopped.
 */
export class SharedPulls {
  readonly #running = new Map<string, Pull>()

  async join(key: string, start: Start, onProgress: OnProgress, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    const pull = this.#running.get(key) ?? this.#begin(key, start)
    await pull.wait(onProgress, signal)
  }

  #begin(key: string, start: Start): Pull {
    const pull: Pull = new Pull(start, () => {
      // One that is being stopped must not be joined any more.
      if (this.#running.get(key) === pull) this.#running.delete(key)
    })
    this.#running.set(key, pull)
    return pull
  }
}

class Pull {
  readonly #stop = new AbortController()
  readonly #waiting = new Set<OnProgress>()
  readonly #onOver: () => void
  readonly #done: Promise<void>
  #last: PullProgress | undefined

  constructor(start: Start, onOver: () => void) {
    this.#onOver = onOver
    this.#done = start((p) => this.#tell(p), this.#stop.signal).finally(onOver)
    // Nobody may be waiting any more when it fails.
    this.#done.catch(() => undefined)
  }

  #tell(p: PullProgress): void {
    this.#last = p
    for (const onProgress of this.#waiting) onProgress(p)
  }

  async wait(given: OnProgress, signal: AbortSignal): Promise<void> {
    // The same function may be handed in by several.
    const onProgress: OnProgress = (p) => given(p)
    this.#waiting.add(onProgress)
    if (this.#last !== undefined) onProgress(this.#last)
    try {
      await Promise.race([this.#done, rejectedBy(signal)])
    } finally {
      this.#waiting.delete(onProgress)
      if (this.#waiting.size === 0) {
        this.#onOver()
        this.#stop.abort(signal.reason)
      }
    }
  }
}

async function rejectedBy(signal: AbortSignal): Promise<never> {
  return await new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason as Error)
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
  })
}
