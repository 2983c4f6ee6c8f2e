import { FencedOut, ShuttingDown } from '../domain/errors.ts'
import { hostLane } from '../domain/operation/types.ts'
import type { Checkpoint, Clock, Logger, Service } from './ports/clock.ts'
import type { CallOptions, ControlPlane } from './ports/control-plane.ts'
import type { VolumeDriver } from './ports/drivers.ts'
import type { Doorbell } from './ports/store.ts'
import type { Disposal, SessionRef } from './ports/wire.ts'

export interface DisposerDeps {
  readonly controlPlane: Pick<ControlPlane, 'disposals' | 'disposed'>
  readonly doorbell: Pick<Doorbell, 'listen'>
  readonly volumes: Pick<VolumeDriver, 'detach'>
  /** `remove` is repeatable: what is not there is removed. */
  readonly networks: { remove(networkId: string, o: CallOptions): Promise<void> }
  readonly host: string
  /** Session of the host's agent; undefined while it has none. */
  readonly session: () => SessionRef | undefined
  readonly clock: Clock
  readonly log: Logger
  readonly checkpoint: Checkpoint
  /** Longest time between two looks although nobody rang; also the time after which a failed removal is tried again. */
  readonly pollMs: number
}

/**
 * Removes from its host what was deleted through the API and is no container's any more: volumes with their data,
 * networks, and what a container was deleted without. What is to go is asked for anew each time, so a removal that fails,
 * or that a crash cuts short, is done again.
 */
export class Disposer implements Service {
  readonly #deps: DisposerDeps
  readonly #stopping = new AbortController()
  /** By uuid, when what failed may be tried again: every ring of the host's bell would be too often. */
  readonly #notBefore = new Map<string, number>()
  #wake = new AbortController()
  #loop: Promise<void> | undefined

  constructor(deps: DisposerDeps) {
    this.#deps = deps
  }

  async start(): Promise<void> {
    const { doorbell, host } = this.#deps
    doorbell.listen(hostLane(host), () => this.#wake.abort(), this.#stopping.signal)
    this.#loop = this.#run()
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new ShuttingDown())
    await this.#loop
  }

  async #run(): Promise<void> {
    const { clock, log, pollMs } = this.#deps
    const { signal } = this.#stopping
    while (!signal.aborted) {
      // Renewed before looking: a ring that comes between the look and the wait must not be lost.
      this.#wake = new AbortController()
      await this.#look().catch((error: unknown) => {
        if (!signal.aborted && !(error instanceof FencedOut)) log.warn({ err: error }, 'nothing could be disposed of')
      })
      await clock.sleep(pollMs, AbortSignal.any([signal, this.#wake.signal])).catch(() => undefined)
    }
  }

  async #look(): Promise<void> {
    const { controlPlane, log, session, checkpoint, clock, pollMs } = this.#deps
    const o = { signal: this.#stopping.signal }
    const mine = session()
    if (mine === undefined) return
    for (const disposal of await controlPlane.disposals(mine, o)) {
      const { kind, uuid } = disposal
      if (clock.now() < (this.#notBefore.get(uuid) ?? 0)) continue
      try {
        await this.#remove(disposal, o)
        await checkpoint(`dispose:${kind}:applied`)
        await controlPlane.disposed({ session: mine, uuid }, o)
        this.#notBefore.delete(uuid)
        log.info({ kind, uuid }, 'disposed of')
      } catch (error) {
        o.signal.throwIfAborted()
        if (error instanceof FencedOut) throw error
        this.#notBefore.set(uuid, clock.now() + pollMs)
        // The others need not wait for it.
        log.warn({ kind, uuid, err: error }, 'it could not be disposed of yet')
      }
    }
  }

  async #remove(disposal: Disposal, o: CallOptions): Promise<void> {
    const { kind, uuid } = disposal
    const { networks, volumes } = this.#deps
    if (kind === 'network') {
      await networks.remove(uuid, o)
      return
    }
    if (kind === 'mount') {
      await volumes.detach(disposal.mount, disposal.mount.autoRemove, o)
      return
    }
    const mount = {
      kind: 'mount' as const,
      volumeUuid: uuid,
      provider: 'volume' as const,
      destination: '',
      sizeGiB: 0,
      contents: null,
      autoRemove: true,
    }
    await volumes.detach(mount, true, o)
  }
}
