import { ABSENT, sameObservation } from '../domain/container/status.ts'
import type { Logger } from './ports/clock.ts'
import type { ControlPlane } from './ports/control-plane.ts'
import type { ContainerEngine } from './ports/engine.ts'
import type { Observation, SessionRef } from './ports/wire.ts'

export interface HostObserverDeps {
  readonly controlPlane: Pick<ControlPlane, 'report' | 'orphans'>
  readonly engine: Pick<ContainerEngine, 'inspect' | 'list' | 'remove'>
  readonly log: Logger
  readonly session: () => SessionRef
  readonly isEngineAway: () => boolean
  /** Ends with the agent's life. */
  readonly signal: AbortSignal
}

/**
 * Reports what the engine shows of the host's containers between their operations, and removes engine containers that
 * nobody owns.
 */
export class HostObserver {
  readonly #deps: HostObserverDeps
  /** Containers that operations work on, and how many: what is seen of them meanwhile waits for the end. */
  readonly #busy = new Map<string, number>()
  /** Last observation reported, by container; also the set of containers this host knows. */
  readonly #known = new Map<string, Observation | null>()
  readonly #toObserve = new Set<string>()
  /** Labelled containers without an owner at the last relist; removed when still so at the next. */
  #suspects = new Set<string>()
  #observing: Promise<void> | undefined

  constructor(deps: HostObserverDeps) {
    this.#deps = deps
  }

  /** Containers that the engine should have; those it has not are reported as absent. */
  expect(uuids: readonly string[]): void {
    for (const uuid of uuids) this.#known.set(uuid, null)
  }

  /** An operation begins: it says itself what becomes of the container. */
  leaveAlone(uuid: string): void {
    this.#busy.set(uuid, (this.#busy.get(uuid) ?? 0) + 1)
    if (!this.#known.has(uuid)) this.#known.set(uuid, null)
  }

  /** The operation is over; something may have happened between its last look and its end. */
  lookAgain(uuid: string): void {
    const left = (this.#busy.get(uuid) ?? 1) - 1
    if (left > 0) this.#busy.set(uuid, left)
    else this.#busy.delete(uuid)
    this.#known.set(uuid, null)
    this.lookSoon(uuid)
  }

  /** Resolves when nothing is being looked at. */
  async idle(): Promise<void> {
    await this.#observing?.catch(() => undefined)
  }

  lookSoon(uuid: string): void {
    if (this.#busy.has(uuid) || this.#deps.signal.aborted) return
    this.#toObserve.add(uuid)
    this.#observing ??= this.#observeAll()
      .catch((error: unknown) => this.#deps.log.debug({ err: error }, 'observation put off to the next relist'))
      .finally(() => {
        this.#observing = undefined
        if (this.#toObserve.size > 0 && !this.#deps.isEngineAway()) this.lookSoon([...this.#toObserve][0] ?? '')
      })
  }

  async #observeAll(): Promise<void> {
    const { engine, signal } = this.#deps
    while (this.#toObserve.size > 0) {
      const uuids = [...this.#toObserve].slice(0, 16)
      for (const uuid of uuids) this.#toObserve.delete(uuid)
      const found = await Promise.all(
        uuids.map(async (uuid) => ({ uuid, seen: (await engine.inspect(uuid, { signal }))?.seen ?? ABSENT })),
      )
      await this.#report(found)
    }
  }

  /** Reports what is new; an observation of a container that an operation works on is left to that operation. */
  async #report(found: readonly { uuid: string; seen: Observation }[]): Promise<void> {
    const news = found.filter(({ uuid, seen }) => {
      const last = this.#known.get(uuid)
      return !this.#busy.has(uuid) && (last === undefined || last === null || !sameObservation(last, seen))
    })
    if (news.length === 0) return
    await this.#deps.controlPlane.report(
      { session: this.#deps.session(), containers: [...news] },
      { signal: this.#deps.signal },
    )
    for (const { uuid, seen } of news) {
      if (seen.state === 'absent') this.#known.delete(uuid)
      else this.#known.set(uuid, seen)
    }
  }

  /** Compares what the engine has with what this host knows; events are hints, this is the truth. */
  async relist(): Promise<void> {
    const { engine, log, signal } = this.#deps
    const listed = new Map((await engine.list({ signal })).map((c) => [c.containerUuid, c.seen]))
    const found = [...listed].map(([uuid, seen]) => ({ uuid, seen }))
    for (const uuid of this.#known.keys()) if (!listed.has(uuid)) found.push({ uuid, seen: ABSENT })
    await this.#report(found)
    const { orphans } = await this.#deps.controlPlane.orphans(
      { session: this.#deps.session(), uuids: [...listed.keys()] },
      { signal },
    )
    const ripe = orphans.filter((uuid) => this.#suspects.has(uuid))
    this.#suspects = new Set(orphans.filter((uuid) => !ripe.includes(uuid)))
    for (const uuid of ripe) {
      log.warn({ containerId: uuid }, 'removing an engine container that no record owns')
      await engine.remove(uuid, true, { signal })
      this.#known.delete(uuid)
    }
  }
}
