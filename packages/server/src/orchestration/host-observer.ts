import { ABSENT, sameObservation } from '../domain/container/status.ts'
import type { Logger } from './ports/clock.ts'
import type { ControlPlane } from './ports/control-plane.ts'
import type { HostHoldings } from './ports/drivers.ts'
import type { ContainerEngine, EngineEvent } from './ports/engine.ts'
import type { AssignedContainer, EventOfEnd, Observation, SessionRef } from './ports/wire.ts'

export interface HostObserverDeps {
  readonly controlPlane: Pick<ControlPlane, 'report' | 'orphans'>
  readonly engine: Pick<ContainerEngine, 'inspect' | 'list' | 'remove' | 'pastEvents'>
  /** What is to go with a container that nobody owns. */
  readonly holdings: readonly HostHoldings[]
  readonly log: Logger
  readonly session: () => SessionRef
  readonly isEngineAway: () => boolean
  /** Ends with the agent's life. */
  readonly signal: AbortSignal
}

/**
 * Reports what the engine shows of the host's containers between their operations, and removes engine containers that
 * nobody owns, with what they have here besides.
 */
export class HostObserver {
  readonly #deps: HostObserverDeps
  /** Containers that operations work on, and how many: what is seen of them meanwhile waits for the end. */
  readonly #busy = new Map<string, number>()
  /** Last observation reported, by container; also the set of containers this host knows. */
  readonly #known = new Map<string, Observation | null>()
  /** Those that the engine removes when they end: nothing but its events tells how. */
  readonly #fleeting = new Set<string>()
  readonly #toObserve = new Set<string>()
  /** The last end of each container that an event has told of and no report has passed on. */
  readonly #ends = new Map<string, EventOfEnd>()
  /** The kernel has just killed something in them. */
  readonly #outOfMemory = new Set<string>()
  /** Labelled containers without an owner at the last relist; removed when still so at the next. */
  #suspects = new Set<string>()
  #observing: Promise<void> | undefined

  constructor(deps: HostObserverDeps) {
    this.#deps = deps
  }

  /** Containers that the engine should have; those it has not are reported as absent. */
  expect(containers: readonly AssignedContainer[]): void {
    for (const container of containers) {
      this.#known.set(container.uuid, null)
      this.#meet(container)
    }
  }

  #meet({ uuid, spec }: AssignedContainer): void {
    if (spec.autoRemove) this.#fleeting.add(uuid)
  }

  /** An operation begins: it says itself what becomes of the container. */
  leaveAlone(container: AssignedContainer): void {
    const { uuid } = container
    this.#meet(container)
    this.#busy.set(uuid, (this.#busy.get(uuid) ?? 0) + 1)
    if (!this.#known.has(uuid)) this.#known.set(uuid, null)
  }

  /** The operation is over; something may have happened between its last look and its end. */
  lookAgain(container: AssignedContainer): void {
    const { uuid } = container
    this.#meet(container)
    const left = (this.#busy.get(uuid) ?? 1) - 1
    if (left > 0) this.#busy.set(uuid, left)
    else this.#busy.delete(uuid)
    this.#known.set(uuid, null)
    this.lookSoon(uuid)
  }

  /** What has happened to a container, when it is something that a later look cannot show. */
  note({ containerUuid: uuid, action, atMs, exitCode }: EngineEvent): void {
    if (action === 'oom') this.#outOfMemory.add(uuid)
    if (action === 'die') {
      this.#ends.set(uuid, { exitCode: exitCode ?? null, outOfMemory: this.#outOfMemory.delete(uuid), atMs })
    }
    // Removed, and its end has been reported already: when that was still counts.
    if (action === 'destroy' && !this.#ends.has(uuid)) {
      this.#ends.set(uuid, { exitCode: null, outOfMemory: false, atMs })
    }
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
    for (const { uuid, seen } of news) if (seen.state === 'absent') await this.#recall(uuid)
    const containers = news.map(({ uuid, seen }) => {
      const end = shownBy(seen, this.#ends.get(uuid))
      return { uuid, seen, ...(end === undefined ? {} : { end }) }
    })
    const { controlPlane, session, signal } = this.#deps
    await controlPlane.report({ session: session(), containers }, { signal })
    for (const { uuid, seen, end } of containers) {
      // Another end may have come meanwhile.
      if (end !== undefined && this.#ends.get(uuid) === end) this.#ends.delete(uuid)
      // An operation that has begun meanwhile may bring it back.
      if (seen.state === 'absent' && !this.#busy.has(uuid)) this.#forget(uuid)
      else this.#known.set(uuid, seen)
    }
  }

  /** How it ended may have been told before anybody listened, or is still on its way. */
  async #recall(uuid: string): Promise<void> {
    const { engine, signal } = this.#deps
    if (!this.#fleeting.has(uuid) || typeof this.#ends.get(uuid)?.exitCode === 'number') return
    for (const event of await engine.pastEvents(uuid, { signal })) this.note(event)
  }

  #forget(uuid: string): void {
    this.#known.delete(uuid)
    this.#fleeting.delete(uuid)
    this.#outOfMemory.delete(uuid)
  }

  /** Compares what the engine has with what this host knows; events are hints, this is the truth. */
  async relist(): Promise<void> {
    const { engine, holdings, log, signal } = this.#deps
    const holders = (await Promise.all(holdings.map(async (one) => await one.holders()))).flat()
    const listed = new Map((await engine.list({ signal })).map((c) => [c.containerUuid, c.seen]))
    const found = [...listed].map(([uuid, seen]) => ({ uuid, seen }))
    for (const uuid of this.#known.keys()) if (!listed.has(uuid)) found.push({ uuid, seen: ABSENT })
    await this.#report(found)
    const { orphans } = await this.#deps.controlPlane.orphans(
      { session: this.#deps.session(), uuids: [...new Set([...listed.keys(), ...holders])] },
      { signal },
    )
    const ripe = orphans.filter((uuid) => this.#suspects.has(uuid))
    this.#suspects = new Set(orphans.filter((uuid) => !ripe.includes(uuid)))
    for (const uuid of ripe) {
      log.warn({ containerId: uuid }, 'removing what is here of a container that no record owns')
      await engine.remove(uuid, true, { signal })
      await this.#abandon(uuid)
      this.#forget(uuid)
      this.#ends.delete(uuid)
    }
  }

  /** What cannot be given up now is found again by a later relist. */
  async #abandon(uuid: string): Promise<void> {
    const { holdings, log, signal } = this.#deps
    for (const one of holdings) {
      try {
        await one.abandon(uuid, { signal })
      } catch (error) {
        signal.throwIfAborted()
        log.warn(
          { containerId: uuid, err: error },
          'what is here of a container that no record owns could not be given up',
        )
      }
    }
  }
}

/** How far the engine's event and what it notes itself may lie apart. */
const SAME_END_MS = 1_000

/** An end that came after the look is left for the next one. */
function shownBy(seen: Observation, end: EventOfEnd | undefined): EventOfEnd | undefined {
  if (end === undefined || seen.state === 'absent') return end
  return seen.finishedAtMs !== null && Math.abs(seen.finishedAtMs - end.atMs) < SAME_END_MS ? end : undefined
}
