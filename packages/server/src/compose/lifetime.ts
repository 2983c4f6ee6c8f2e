import type { Logger, Service } from '../orchestration/ports/clock.ts'

/** What has been started, to be ended in the opposite order. */
export class Lifetime {
  readonly #log: Logger
  readonly #reloads: (() => void)[] = []
  #stops: (() => Promise<void> | void)[] = []

  constructor(log: Logger) {
    this.#log = log
  }

  async start(...services: readonly Service[]): Promise<void> {
    for (const service of services) {
      await service.start()
      this.onStop(() => service.stop())
    }
  }

  onStop(stop: () => Promise<void> | void): void {
    this.#stops.push(stop)
  }

  /** When the operator asks for what he may have changed in place. */
  onReload(reload: () => void): void {
    this.#reloads.push(reload)
  }

  /** Drops nothing. */
  reload(): void {
    for (const reload of this.#reloads) reload()
  }

  /** One that fails does not keep the others. */
  async stop(): Promise<void> {
    for (const stop of this.#stops.toReversed()) {
      try {
        await stop()
      } catch (error) {
        this.#log.error({ err: error }, 'a part did not stop cleanly')
      }
    }
    this.#stops = []
  }
}
