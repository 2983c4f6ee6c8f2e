import type { Doorbell } from '../../orchestration/ports/store.ts'

/** Rings within one process. */
export class LocalDoorbell implements Doorbell {
  readonly #listeners = new Map<string, Set<() => void>>()

  ring(lane: string): void {
    for (const onRing of this.#listeners.get(lane) ?? []) queueMicrotask(onRing)
  }

  listen(lane: string, onRing: () => void, signal: AbortSignal): void {
    if (signal.aborted) return
    const listeners = this.#listeners.get(lane) ?? new Set()
    this.#listeners.set(lane, listeners)
    listeners.add(onRing)
    signal.addEventListener(
      'abort',
      () => {
        listeners.delete(onRing)
        if (listeners.size === 0) this.#listeners.delete(lane)
      },
      { once: true },
    )
  }
}
