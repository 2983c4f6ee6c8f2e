import type { Container } from '../../domain/container/types.ts'
import { hostLane, logFieldsOf, type Operation } from '../../domain/operation/types.ts'
import { FencedOut, Superseded } from '../../domain/errors.ts'
import { disposed } from '../disposals.ts'
import { endClaim } from './ending.ts'
import { requireHostSession, requireLease } from './fencing.ts'
import { applyEntries } from './journal.ts'
import { settleCapsule } from './capsules.ts'
import { observe } from './observations.ts'
import { imageDone, imageProgress, pendingImages } from './pending-images.ts'
import { Resumption } from './resumption.ts'
import type { MovingOptions } from '../scheduling/move.ts'
import { claimOf } from '../scheduling/claim-of.ts'
import type { Clock, Logger } from '../ports/clock.ts'
import type { CallOptions, ControlPlane } from '../ports/control-plane.ts'
import { CLAIMS_BELL } from '../ports/resource-claims.ts'
import type { Doorbell, Store } from '../ports/store.ts'
import type {
  AssignedContainer,
  Binding,
  ClaimedOperation,
  ClaimQuery,
  DeploymentQuery,
  Disposal,
  Disposed,
  Heartbeat,
  HeldOperation,
  HostHello,
  ImageDone,
  ImageProgress,
  LeaseRef,
  ObservedReport,
  OperationEnd,
  Ownership,
  OwnershipQuery,
  PendingImage,
  RegistryAuth,
  RenewResult,
  Session,
  SessionRef,
  StepEntry,
} from '../ports/wire.ts'

/** Longest time a parked claim waits before it looks again although nobody rang. */
const CLAIM_POLL_MS = 5_000
/** Least time between two looks: clocks round. */
const LEAST_WAIT_MS = 10

export interface ControlPlaneDeps {
  readonly store: Store
  readonly doorbell: Doorbell
  readonly clock: Clock
  readonly log: Logger
  readonly leaseTtlMs: number
  readonly deployment: string
  readonly newUuid: () => string
  readonly moving: MovingOptions
  /** Start what was running when its host went down; default: leave it as it ended. */
  readonly resumeStopped?: boolean
  /** Domain and credentials for a container's image; looked up when its operation is claimed, never stored with it. */
  readonly registryFor: (container: Container) => Promise<{ domain: string | null; auth: RegistryAuth | null }>
}

/** The control plane's end of the link: what agents ask for, turned into conditional writes. */
export class ControlPlaneService implements ControlPlane {
  readonly #deps: ControlPlaneDeps
  readonly #resumption: Resumption

  constructor(deps: ControlPlaneDeps) {
    this.#deps = deps
    this.#resumption = new Resumption(deps.resumeStopped ?? false)
  }

  async deployment(_query: DeploymentQuery, _o: CallOptions): Promise<string> {
    return this.#deps.deployment
  }

  async openSession(hello: HostHello, _o: CallOptions): Promise<Session> {
    const { store, log, leaseTtlMs, newUuid } = this.#deps
    const { epoch, requeued } = await store.write(async (tx) => {
      const next = await tx.hosts.beginSession({ ...hello, uuidIfNew: newUuid() })
      // The older life of this agent is over (its state directory was locked until now), so nobody runs these any more.
      return { epoch: next, requeued: await tx.operations.requeueLane(hostLane(hello.host)) }
    })
    const rows = await store.containers.onHost(hello.host)
    this.#resumption.begin(hello.host, rows)
    const containers: AssignedContainer[] = []
    for (const row of rows) containers.push(toAssigned(row, await store.bindings.ofContainer(row.uuid)))
    log.info({ host: hello.host, epoch, containers: rows.length, requeued }, 'host session opened')
    const host = await store.hosts.byName(hello.host)
    return {
      host: hello.host,
      epoch,
      leaseTtlMs,
      ...(host === undefined ? {} : { hostUuid: host.uuid }),
      containers,
    }
  }

  async claim({ holding, ...query }: ClaimQuery, { signal }: CallOptions): Promise<ClaimedOperation[]> {
    // Once, as it comes in: when this call has waited, another one may have brought what was lost.
    if (holding !== undefined) await this.#takeBackLost(query, holding)
    return await this.#claim(query, { signal })
  }

  async #takeBackLost({ session, lane }: ClaimQuery, holding: readonly HeldOperation[]): Promise<void> {
    const { store, log } = this.#deps
    const lost = await store.operations.notHeld(lane, ownerOf(session), holding)
    if (lost.length === 0) return
    const requeued = await store.write(async (tx) => {
      await requireHostSession(tx.hosts, session)
      return await tx.operations.requeue(lost)
    })
    log.warn({ host: session.host, requeued }, 'operations were lost on their way to the host and are given anew')
  }

  async #claim(query: ClaimQuery, { signal }: CallOptions): Promise<ClaimedOperation[]> {
    const { doorbell, clock } = this.#deps
    const deadline = clock.now() + query.waitMs
    const done = new AbortController()
    let bell = new AbortController()
    doorbell.listen(query.lane, () => bell.abort(), done.signal)
    try {
      for (;;) {
        signal.throwIfAborted()
        // Renewed before looking: a ring that comes between the look and the wait must not be lost.
        bell = new AbortController()
        const claimed = await this.#claimNow(query)
        if (claimed.length > 0) return await Promise.all(claimed.map((op) => this.#toClaimed(op)))
        const dueInMs = (await this.#deps.store.operations.dueInMs(query.lane)) ?? CLAIM_POLL_MS
        const leftMs = Math.min(deadline - clock.now(), CLAIM_POLL_MS, Math.max(dueInMs, LEAST_WAIT_MS))
        if (leftMs <= 0) return []
        const woken = await wokenWithin(clock, leftMs, AbortSignal.any([signal, bell.signal]))
        // An empty answer to a ring tells the agent to renew at once: what it runs may have been superseded.
        if (woken) return await this.#claim({ ...query, waitMs: 0 }, { signal })
      }
    } finally {
      done.abort()
    }
  }

  async #claimNow(query: ClaimQuery): Promise<Operation[]> {
    const { store, leaseTtlMs, doorbell } = this.#deps
    const { won, madeRoom } = await store.write(async (tx) => {
      await requireHostSession(tx.hosts, query.session)
      if (query.lane !== hostLane(query.session.host)) throw new FencedOut(`${query.lane} is not its lane`)
      // Claimed, and then the answer was lost or nobody could renew: without this it would run for ever.
      await tx.operations.requeueExpired(query.lane)
      const mine: Operation[] = []
      let cancelled = 0
      for (const op of await tx.operations.claimable(query.lane, query.max)) {
        if (!(await tx.operations.claim(op.id, op.fence, ownerOf(query.session), leaseTtlMs))) continue
        const claimed = await tx.operations.byId(op.id)
        if (claimed?.superseded === true) {
          // It was interrupted after a delete had asked it to stop: what it would make now would only be removed again.
          await endClaim(tx, this.#deps, claimed, {}, { kind: 'cancelled', message: new Superseded().message })
          cancelled += 1
        } else if (claimed !== undefined) mine.push(claimed)
      }
      return { won: mine, madeRoom: cancelled > 0 }
    })
    if (madeRoom) doorbell.ring(query.lane)
    return won
  }

  async #toClaimed(op: Operation): Promise<ClaimedOperation> {
    const { store, registryFor } = this.#deps
    const container = await store.containers.byUuid(op.containerUuid, { kind: 'all' })
    if (container === undefined) throw new FencedOut('the container of the operation is gone')
    const [bindings, steps, registry] = await Promise.all([
      store.bindings.ofContainer(op.containerUuid),
      store.operations.steps(op.id),
      registryFor(container),
    ])
    const members: AssignedContainer[] = []
    const initMembers: AssignedContainer[] = []
    for (const member of container.kind === 1 ? await store.containers.membersOf([container.uuid]) : []) {
      const assigned = toAssigned(member, await store.bindings.ofContainer(member.uuid))
      if (member.kind === 3) initMembers.push(assigned)
      else members.push(assigned)
    }
    return {
      id: op.id,
      fence: op.fence,
      verb: op.verb,
      recipe: [...op.recipe],
      params: op.params,
      requestId: op.requestId,
      userId: op.userId,
      generation: op.generation,
      attempt: op.attempt,
      failures: op.failures,
      ageMs: op.ageMs,
      journal: steps.map((s) => ({ name: s.name, state: s.state, mark: s.mark ?? null, output: s.output ?? null })),
      container: toAssigned(container, bindings),
      initMembers,
      members,
      registryDomain: registry.domain,
      registryAuth: registry.auth,
    }
  }

  async heartbeat(beat: Heartbeat, _o: CallOptions): Promise<RenewResult> {
    const { store, leaseTtlMs } = this.#deps
    return await store.write(async (tx) => {
      const known = await tx.hosts.heartbeat(beat.session.host, beat.session.epoch, {
        engineTrouble: beat.engineTrouble,
        ...(beat.inventory === undefined ? {} : { inventory: beat.inventory }),
      })
      if (!known) throw new FencedOut(`host ${beat.session.host} has a newer session`)
      const held: number[] = []
      const superseded: number[] = []
      for (const lease of beat.leases) {
        const op = await tx.operations.byId(lease.operationId)
        if (op?.lane !== hostLane(beat.session.host)) continue
        if (!(await tx.operations.renew(lease.operationId, lease.fence, leaseTtlMs))) continue
        held.push(lease.operationId)
        if (op.superseded) superseded.push(lease.operationId)
      }
      return { held, superseded }
    })
  }

  async journal(ref: LeaseRef, entries: readonly StepEntry[], _o: CallOptions): Promise<void> {
    await this.#deps.store.write(async (tx) => {
      const op = await requireLease(tx, ref)
      await tx.containers.update(op.containerUuid, await applyEntries(tx, op, entries))
    })
  }

  async finish(ref: LeaseRef, entries: readonly StepEntry[], end: OperationEnd, _o: CallOptions): Promise<void> {
    const { store, doorbell, log } = this.#deps
    const { op, lane, isSmaller } = await store.write(async (tx) => {
      const running = await requireLease(tx, ref)
      const patch = await applyEntries(tx, running, entries)
      const held = async () =>
        running.verb === 'resize' ? await tx.containers.byUuid(running.containerUuid, { kind: 'all' }) : undefined
      const before = await held()
      const to = await endClaim(tx, this.#deps, running, patch, end)
      return { op: running, lane: to, isSmaller: holdsLess(before, await held()) }
    })
    const about = logFieldsOf(op)
    log.info({ ...about, verb: op.verb, end: end.kind }, 'operation ended')
    if (lane !== op.lane) {
      const why = 'message' in end ? end.message : undefined
      log.warn({ ...about, from: op.lane, to: lane, why }, 'create moved')
    }
    if (isSmaller) doorbell.ring(CLAIMS_BELL)
    // The next operation of this container may be waiting behind it; or it is another host's now.
    doorbell.ring(lane)
  }

  async report(report: ObservedReport, _o: CallOptions): Promise<void> {
    const { store, doorbell, newUuid } = this.#deps
    const { host } = report.session
    const lane = hostLane(host)
    const accepted = await store.write(async (tx) => {
      await requireHostSession(tx.hosts, report.session)
      let more = false
      const capsules = new Set<string>()
      for (const { uuid, ...look } of report.containers) {
        const resume = this.#resumption.isToBeStarted(host, { uuid, ...look })
        const followed = await observe(tx, newUuid, host, uuid, { ...look, resume })
        if (followed === 'operation') more = true
        else if (followed !== undefined) capsules.add(followed.capsule)
      }
      // Together: what is left of a capsule whose sandbox was started anew is only known when all has been seen.
      for (const uuid of capsules) if (await settleCapsule(tx, newUuid, uuid)) more = true
      return more
    })
    this.#resumption.seen(
      host,
      report.containers.map(({ uuid }) => uuid),
    )
    if (accepted) doorbell.ring(lane)
  }

  async orphans(query: OwnershipQuery, _o: CallOptions): Promise<Ownership> {
    const { containers, operations } = this.#deps.store
    const owned = new Set<string>()
    for (const { uuid, host } of await containers.byUuids(query.uuids)) {
      // A host that was renamed has its containers under its old name still; one that lost a create to another has none.
      const isLost = host !== query.session.host && refused(await operations.actions(uuid), query.session.host)
      if (!isLost) owned.add(uuid)
    }
    return { orphans: query.uuids.filter((uuid) => !owned.has(uuid)) }
  }

  async disposals(session: SessionRef, _o: CallOptions): Promise<Disposal[]> {
    return await this.#deps.store.disposals.onHost(session.host)
  }

  async disposed(done: Disposed, _o: CallOptions): Promise<void> {
    await this.#deps.store.write(async (tx) => {
      await requireHostSession(tx.hosts, done.session)
      await disposed(tx, done.uuid, done.session.host)
    })
  }

  async pendingImages(session: SessionRef, _o: CallOptions): Promise<PendingImage[]> {
    return await pendingImages(this.#deps.store, session)
  }

  async imageProgress(progress: ImageProgress, _o: CallOptions): Promise<void> {
    await imageProgress(this.#deps.store, progress)
  }

  async imageDone(done: ImageDone, _o: CallOptions): Promise<void> {
    await imageDone(this.#deps.store, done)
  }
}

function ownerOf({ host, epoch }: SessionRef): string {
  return `${host}#${epoch}`
}

/** By the count of a cloud, which has what was claimed before. */
function holdsLess(before: Container | undefined, after: Container | undefined): boolean {
  const [held, now] = [before?.allocation, after?.allocation]
  if (held?.provider === undefined || now == null) return false
  return now.cpu < held.cpu || now.memoryMiB < held.memoryMiB
}

function refused(operations: readonly Operation[], host: string): boolean {
  return operations.some(({ params }) => params.placement?.refusals.some((refusal) => refusal.host === host) === true)
}

function toAssigned(container: Container, bindings: readonly Binding[]): AssignedContainer {
  return {
    uuid: container.uuid,
    name: container.name,
    projectId: container.projectId,
    generation: container.generation,
    desired: container.desired,
    status: container.status,
    spec: container.spec,
    engineId: container.observed?.engineId ?? null,
    cpuset: container.allocation?.cpuset ?? null,
    bindings: [...bindings],
    ...claimOf(container),
  }
}

async function wokenWithin(clock: Clock, ms: number, signal: AbortSignal): Promise<boolean> {
  try {
    await clock.sleep(ms, signal)
    return false
  } catch {
    return true
  }
}
