import { FencedOut, messageOf, Retryable, ShuttingDown, Superseded } from '../domain/errors.ts'
import { hostLane } from '../domain/operation/types.ts'
import { HostObserver } from './host-observer.ts'
import { backoffMs, patienceMs, runOperation } from './runner.ts'
import { leavesNothing } from './steps/give-back.ts'
import type { HostTools } from './steps/step.ts'
import { onBehalfOf, type LogIds } from '../lib/log-ids.ts'
import type { Service } from './ports/clock.ts'
import type { ControlPlane } from './ports/control-plane.ts'
import type { HostHoldings } from './ports/drivers.ts'
import type { ClaimedOperation, HeldOperation, HostAddress, HostInventory, SessionRef } from './ports/wire.ts'

export interface HostAgentDeps {
  readonly controlPlane: ControlPlane
  readonly tools: HostTools
  readonly host: string
  readonly availabilityZone: string
  /** Where the control plane reaches this host; absent: it is in the same process. */
  readonly address?: HostAddress
  /** Read anew at start and every `inventoryMs`. */
  readonly readInventory: (signal: AbortSignal, host: { readonly uuid: string | undefined }) => Promise<HostInventory>
  /** Puts back packet filter rules and mounts: at the start, before anything is claimed, and when the engine is back. Repeatable. */
  readonly restore: (o: { readonly isStart: boolean }, signal: AbortSignal) => Promise<void>
  /** Absent: there is nothing of containers on the host but what its engine has. */
  readonly holdings?: readonly HostHoldings[]
  readonly onFencedOut: () => void
  readonly intervals: AgentIntervals
  readonly retryBudgetMs: number
  readonly maxOperations: number
}

export interface AgentIntervals {
  readonly heartbeatMs: number
  readonly relistMs: number
  readonly pingMs: number
  readonly pingTimeoutMs: number
  readonly inventoryMs: number
  readonly claimWaitMs: number
  /** Least time between two progress texts of one operation. */
  readonly progressMs: number
}

interface Running {
  readonly op: ClaimedOperation
  readonly stop: AbortController
  readonly done: Promise<void>
}

/**
 * One life of a host's agent: claims this host's operations and runs them, follows the engine's events, relists what
 * events may have missed, renews leases, and removes engine containers that nobody owns.
 */
export class HostAgent implements Service {
  readonly #deps: HostAgentDeps
  readonly #stopping = new AbortController()
  readonly #running = new Map<number, Running>()
  readonly #observer: HostObserver
  #session: SessionRef | undefined
  #hostUuid: string | undefined
  #engineTrouble: string | null = null
  /** Operations that run and only wait. */
  #idle = 0
  #loops: Promise<void>[] = []
  #inventory: HostInventory | undefined

  constructor(deps: HostAgentDeps) {
    this.#deps = deps
    this.#observer = new HostObserver({
      controlPlane: deps.controlPlane,
      engine: deps.tools.engine,
      holdings: deps.holdings ?? [],
      log: deps.tools.log,
      session: () => this.#mySession(),
      isEngineAway: () => this.#engineTrouble !== null,
      signal: this.#stopping.signal,
    })
  }

  async start(): Promise<void> {
    const { controlPlane, host, availabilityZone, address, tools } = this.#deps
    const { signal } = this.#stopping
    const hello = { host, availabilityZone, ...(address === undefined ? {} : { address }) }
    const session = await controlPlane.openSession(hello, { signal })
    this.#session = { host, epoch: session.epoch }
    this.#hostUuid = session.hostUuid
    this.#observer.expect(session.containers)
    try {
      await this.#checkEngine()
      await this.#deps.restore({ isStart: true }, signal)
      await this.#refreshInventory()
      await this.#observer.relist()
    } catch (error) {
      tools.log.warn({ host, err: error }, 'the engine does not answer yet; going on without it')
    }
    await this.#beat()
    this.#loops = [
      this.#supervise('claim', () => this.#claimLoop()),
      this.#supervise('events', () => this.#eventLoop()),
      this.#supervise('heartbeat', () => this.#every(this.#deps.intervals.heartbeatMs, () => this.#beat())),
      this.#supervise('ping', () => this.#every(this.#deps.intervals.pingMs, () => this.#checkEngine())),
      this.#supervise('relist', () => this.#every(this.#deps.intervals.relistMs, () => this.#observer.relist())),
      this.#supervise('inventory', () => this.#every(this.#deps.intervals.inventoryMs, () => this.#refreshInventory())),
    ]
  }

  /** Operations are let go, not cancelled: the next life resumes them. */
  async stop(): Promise<void> {
    this.#stopping.abort(new ShuttingDown())
    for (const { stop } of this.#running.values()) stop.abort(new ShuttingDown())
    await Promise.allSettled([...this.#loops, ...[...this.#running.values()].map((r) => r.done)])
    await this.#observer.idle()
  }

  /** For others of this host that speak to the control plane; undefined before the first session. */
  get session(): SessionRef | undefined {
    return this.#session
  }

  /** What was last found out about the engine; null: it answers. */
  get engineTrouble(): string | null {
    return this.#engineTrouble
  }

  async #supervise(name: string, loop: () => Promise<void>): Promise<void> {
    const { log, clock } = this.#deps.tools
    for (let failures = 1; !this.#stopping.signal.aborted; failures += 1) {
      try {
        await loop()
        return
      } catch (error) {
        if (this.#stopping.signal.aborted) return
        if (error instanceof FencedOut) {
          log.error({ host: this.#deps.host, err: error }, 'another agent has taken this host over')
          this.#deps.onFencedOut()
          return
        }
        // Whoever carries the calls tells that the control plane is away; once, not for each loop.
        const isAway = error instanceof Retryable && error.code === 'link.unreachable'
        log[isAway ? 'debug' : 'warn']({ loop: name, err: error }, 'agent loop failed; it begins again')
        await clock.sleep(backoffMs(failures), this.#stopping.signal).catch(() => undefined)
      }
    }
  }

  async #every(ms: number, task: () => Promise<void>): Promise<void> {
    for (;;) {
      await this.#deps.tools.clock.sleep(ms, this.#stopping.signal)
      await task()
    }
  }

  // --- operations -------------------------------------------------------------------------------------------------

  async #claimLoop(): Promise<void> {
    const { controlPlane, host, intervals, maxOperations, tools } = this.#deps
    const { signal } = this.#stopping
    for (;;) {
      signal.throwIfAborted()
      const free = maxOperations - this.#running.size + this.#idle
      if (free <= 0 || this.#engineTrouble !== null) {
        await tools.clock.sleep(free <= 0 ? 50 : 500, signal)
        if (this.#engineTrouble !== null) await this.#failOverdue()
        continue
      }
      const claimed = await controlPlane.claim(
        {
          session: this.#mySession(),
          lane: hostLane(host),
          max: free,
          waitMs: intervals.claimWaitMs,
          holding: this.#holding(),
        },
        { signal },
      )
      for (const op of claimed) this.#launch(op)
      if (claimed.length === 0 && this.#running.size > 0) await this.#beat()
    }
  }

  /** While the engine is away operations are still claimed, one look each, so that their patience can run out. */
  async #failOverdue(): Promise<void> {
    const { controlPlane, host } = this.#deps
    const session = this.#mySession()
    const claimed = await controlPlane.claim(
      { session, lane: hostLane(host), max: this.#deps.maxOperations, waitMs: 0, holding: this.#holding() },
      { signal: this.#stopping.signal },
    )
    for (const op of claimed) {
      const ref = { operationId: op.id, fence: op.fence, session }
      const message = `the container engine of its host does not answer: ${this.#engineTrouble ?? 'unknown'}`
      const code = 'engine.unavailable'
      const begun = new Set(op.journal.map(({ name }) => name))
      const overdue = op.ageMs >= patienceMs(begun, this.#deps.retryBudgetMs)
      const mayMove = op.verb === 'create' && leavesNothing(op.journal.map(({ name }) => name))
      await controlPlane.finish(
        ref,
        [],
        overdue
          ? { kind: 'failed', code, message, userFault: false, mayMove }
          : { kind: 'retry', afterMs: backoffMs(op.attempt), unforeseen: false, code, message, mayMove },
        { signal: this.#stopping.signal },
      )
    }
  }

  #launch(op: ClaimedOperation): void {
    const { controlPlane, tools, retryBudgetMs, intervals } = this.#deps
    const stop = new AbortController()
    const uuid = op.container.uuid
    this.#observer.leaveAlone(op.container)
    const before = this.#running.get(op.id)
    const done = onBehalfOf(logIdsOf(op), () =>
      this.#afterOlder(before, () =>
        runOperation(
          {
            controlPlane,
            tools,
            session: this.#mySession(),
            inventory: this.#inventory,
            retryBudgetMs,
            progressIntervalMs: intervals.progressMs,
            idle: (wait) => this.#whileIdle(wait),
          },
          op,
          AbortSignal.any([stop.signal, this.#stopping.signal]),
        ),
      ),
    )
      .catch((error: unknown) => {
        tools.log.error(
          { operationId: op.id, containerId: uuid, err: error },
          'the end of an operation was not recorded',
        )
      })
      .finally(() => {
        if (this.#running.get(op.id)?.op.fence === op.fence) this.#running.delete(op.id)
        for (const one of [op.container, ...op.initMembers, ...op.members]) this.#observer.lookAgain(one)
      })
    this.#running.set(op.id, { op, stop, done })
  }

  #holding(): HeldOperation[] {
    return [...this.#running.values()].map(({ op }) => ({ operationId: op.id, fence: op.fence }))
  }

  async #whileIdle<T>(wait: () => Promise<T>): Promise<T> {
    this.#idle += 1
    try {
      return await wait()
    } finally {
      this.#idle -= 1
    }
  }

  /** A claim whose lease ran out while this very agent still works on it: two at once would step on each other. */
  async #afterOlder(older: Running | undefined, run: () => Promise<void>): Promise<void> {
    older?.stop.abort(new FencedOut())
    await older?.done
    await run()
  }

  // --- what the engine tells ---------------------------------------------------------------------------------------

  async #eventLoop(): Promise<void> {
    const { engine, clock, log } = this.#deps.tools
    const { signal } = this.#stopping
    let sinceMs = Date.now() - 1_000
    for (let failures = 1; ; failures += 1) {
      signal.throwIfAborted()
      try {
        for await (const event of engine.events(sinceMs, { signal })) {
          failures = 1
          if (event.kind === 'resync') {
            await this.#observer.relist()
            continue
          }
          sinceMs = Math.max(sinceMs, event.atMs - 1_000)
          this.#observer.note(event)
          this.#observer.lookSoon(event.containerUuid)
        }
      } catch (error) {
        signal.throwIfAborted()
        log.debug({ err: error }, 'engine events ended')
        await this.#checkEngine()
      }
      await clock.sleep(Math.min(backoffMs(failures), 2_000), signal)
      if (this.#engineTrouble === null) await this.#observer.relist().catch(() => undefined)
    }
  }

  // --- health -----------------------------------------------------------------------------------------------------

  async #checkEngine(): Promise<void> {
    const { tools, intervals } = this.#deps
    const before = this.#engineTrouble
    try {
      const deadline = AbortSignal.timeout(intervals.pingTimeoutMs)
      await tools.engine.ping({ signal: AbortSignal.any([deadline, this.#stopping.signal]) })
      this.#engineTrouble = null
    } catch (error) {
      if (this.#stopping.signal.aborted) return
      this.#engineTrouble = messageOf(error)
    }
    if (before === this.#engineTrouble) return
    tools.log.warn({ host: this.#deps.host, trouble: this.#engineTrouble }, 'the state of the engine changed')
    await this.#beat()
    if (this.#engineTrouble === null && before !== null) {
      // An engine that was away may have been restarted, with other abilities, and its rules and mounts with it.
      await this.#deps.restore({ isStart: false }, this.#stopping.signal)
      await this.#refreshInventory()
      await this.#observer.relist()
    }
  }

  async #refreshInventory(): Promise<void> {
    if (this.#engineTrouble !== null) return
    this.#inventory = await this.#deps.readInventory(this.#stopping.signal, { uuid: this.#hostUuid })
    await this.#beat(this.#inventory)
  }

  async #beat(inventory?: HostInventory): Promise<void> {
    const session = this.#mySession()
    const running = [...this.#running.values()]
    const { held, superseded } = await this.#deps.controlPlane.heartbeat(
      {
        session,
        leases: running.map(({ op }) => ({ operationId: op.id, fence: op.fence, session })),
        engineTrouble: this.#engineTrouble,
        ...(inventory === undefined ? {} : { inventory }),
      },
      { signal: this.#stopping.signal },
    )
    for (const { op, stop } of running) {
      if (superseded.includes(op.id)) stop.abort(new Superseded())
      else if (!held.includes(op.id) && this.#running.has(op.id)) stop.abort(new FencedOut())
    }
  }

  #mySession(): SessionRef {
    if (this.#session === undefined) throw new ShuttingDown()
    return this.#session
  }
}

function logIdsOf({ requestId, userId, container }: ClaimedOperation): LogIds {
  return { requestId, projectId: container.projectId, ...(userId === undefined ? {} : { userId }) }
}
