import type { Clock, Logger, Service } from '../ports/clock.ts'
import type { Doorbell, Host, Store } from '../ports/store.ts'
import type { Operation } from '../../domain/operation/types.ts'
import { isUp } from './host-views.ts'
import { move, type MovingOptions } from './move.ts'

export interface MoverDeps {
  readonly store: Store
  readonly doorbell: Doorbell
  readonly clock: Clock
  readonly log: Logger
  readonly options: MovingOptions
  readonly pollMs: number
}

/** Gives creates that wait for a host that is away to another one. What was begun waits for the host. */
export class Mover implements Service {
  readonly #deps: MoverDeps
  readonly #stopping = new AbortController()
  #loop: Promise<void> | undefined

  constructor(deps: MoverDeps) {
    this.#deps = deps
  }

  async start(): Promise<void> {
    this.#loop = this.#run()
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#loop
  }

  async #run(): Promise<void> {
    const { clock, log, pollMs } = this.#deps
    const { signal } = this.#stopping
    while (!signal.aborted) {
      try {
        await this.look()
      } catch (error) {
        log.warn({ err: error }, 'creates of hosts that are away were not looked at')
      }
      await clock.sleep(pollMs, signal).catch(() => undefined)
    }
  }

  async look(): Promise<void> {
    const { store, doorbell, log, options } = this.#deps
    if ((await store.operations.unbegunCreates()).length === 0) return
    const moved = await store.write(async (tx) => {
      const hosts = new Map((await tx.hosts.list()).map((host) => [host.name, host]))
      const lanes: { lane: string; op: Operation }[] = []
      // Looked up again here: one that was begun meanwhile must not be moved.
      for (const op of await tx.operations.unbegunCreates()) {
        const name = op.lane.replace(/^host:/, '')
        const why = whyNot(name, hosts.get(name), op, options)
        const result = why === undefined ? undefined : await move(tx, op, why, options)
        if (result?.kind === 'moved') lanes.push({ lane: result.lane, op })
      }
      return lanes
    })
    for (const { lane, op } of moved) {
      log.warn({ operationId: op.id, containerId: op.containerUuid, from: op.lane, to: lane }, 'create moved')
      doorbell.ring(lane)
    }
  }
}

/** Why the host will not do it any time soon; undefined: it will. */
function whyNot(name: string, host: Host | undefined, op: Operation, options: MovingOptions): string | undefined {
  if (host === undefined) return `there is no host ${name} any more`
  if (!isUp(host, options)) {
    return host.engineTrouble === null
      ? `host ${name} is down`
      : `the container engine of host ${name} does not answer: ${host.engineTrouble}`
  }
  return host.disabled && op.state === 'queued' ? `host ${name} is disabled` : undefined
}
