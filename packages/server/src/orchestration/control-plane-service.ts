import { addressesOf } from '../domain/container/addresses.ts'
import {
  ABSENT,
  REASON_CLEARING_VERBS,
  sameObservation,
  statusAfter,
  statusAfterFailure,
  statusOf,
} from '../domain/container/status.ts'
import type { Container } from '../domain/container/types.ts'
import { recipeFor, taskStateOf } from '../domain/operation/recipes.ts'
import { hostLane, type Operation } from '../domain/operation/types.ts'
import { FencedOut } from '../domain/errors.ts'
import { disposed } from './disposals.ts'
import { imageDone, pendingImages } from './pending-images.ts'
import type { Clock, Logger } from './ports/clock.ts'
import type { CallOptions, ControlPlane } from './ports/control-plane.ts'
import type { ContainerPatch, Doorbell, Store, Tx } from './ports/store.ts'
import type {
  AssignedContainer,
  Binding,
  BindingChange,
  ClaimedOperation,
  ClaimQuery,
  Disposal,
  Disposed,
  Heartbeat,
  HostHello,
  ImageDone,
  LeaseRef,
  Observation,
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
} from './ports/wire.ts'

/** Longest time a parked claim waits before it looks again although nobody rang. */
const CLAIM_POLL_MS = 5_000

export interface ControlPlaneDeps {
  readonly store: Store
  readonly doorbell: Doorbell
  readonly clock: Clock
  readonly log: Logger
  readonly leaseTtlMs: number
  readonly newUuid: () => string
  /** Domain and credentials for a container's image; looked up when its operation is claimed, never stored with it. */
  readonly registryFor: (container: Container) => Promise<{ domain: string | null; auth: RegistryAuth | null }>
}

/** The control plane's end of the link: what agents ask for, turned into conditional writes. */
export class ControlPlaneService implements ControlPlane {
  readonly #deps: ControlPlaneDeps

  constructor(deps: ControlPlaneDeps) {
    this.#deps = deps
  }

  async openSession(hello: HostHello, _o: CallOptions): Promise<Session> {
    const { store, log, leaseTtlMs, newUuid } = this.#deps
    const { epoch, requeued } = await store.write(async (tx) => {
      const next = await tx.hosts.beginSession({ ...hello, uuidIfNew: newUuid() })
      // The older life of this agent is over (its state directory was locked until now), so nobody runs these any more.
      return { epoch: next, requeued: await tx.operations.requeueLane(hostLane(hello.host)) }
    })
    const rows = await store.containers.onHost(hello.host)
    const containers: AssignedContainer[] = []
    for (const row of rows) containers.push(toAssigned(row, await store.bindings.ofContainer(row.uuid)))
    log.info({ host: hello.host, epoch, containers: rows.length, requeued }, 'host session opened')
    return { host: hello.host, epoch, leaseTtlMs, containers }
  }

  async claim(query: ClaimQuery, { signal }: CallOptions): Promise<ClaimedOperation[]> {
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
        const leftMs = Math.min(deadline - clock.now(), CLAIM_POLL_MS)
        if (leftMs <= 0) return []
        const woken = await wokenWithin(clock, leftMs, AbortSignal.any([signal, bell.signal]))
        // An empty answer to a ring tells the agent to renew at once: what it runs may have been superseded.
        if (woken) return await this.claim({ ...query, waitMs: 0 }, { signal })
      }
    } finally {
      done.abort()
    }
  }

  async #claimNow(query: ClaimQuery): Promise<Operation[]> {
    const { store, leaseTtlMs } = this.#deps
    return await store.write(async (tx) => {
      await requireSession(tx, query.session)
      const won: Operation[] = []
      for (const op of await tx.operations.claimable(query.lane, query.max)) {
        const owner = `${query.session.host}#${query.session.epoch}`
        if (!(await tx.operations.claim(op.id, op.fence, owner, leaseTtlMs))) continue
        const mine = await tx.operations.byId(op.id)
        if (mine !== undefined) won.push(mine)
      }
      return won
    })
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
    return {
      id: op.id,
      fence: op.fence,
      verb: op.verb,
      recipe: [...op.recipe],
      params: op.params,
      requestId: op.requestId,
      generation: op.generation,
      attempt: op.attempt,
      ageMs: op.ageMs,
      journal: steps.map((s) => ({ name: s.name, state: s.state, mark: s.mark ?? null, output: s.output ?? null })),
      container: toAssigned(container, bindings),
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
        if (!(await tx.operations.renew(lease.operationId, lease.fence, leaseTtlMs))) continue
        held.push(lease.operationId)
        const op = await tx.operations.byId(lease.operationId)
        if (op?.superseded === true) superseded.push(lease.operationId)
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
    const op = await store.write(async (tx) => {
      const running = await requireLease(tx, ref)
      const patch = await applyEntries(tx, running, entries)
      await this.#end(tx, running, patch, end)
      return running
    })
    log.info(
      { operationId: op.id, containerId: op.containerUuid, verb: op.verb, end: end.kind, requestId: op.requestId },
      'operation ended',
    )
    // The next operation of this container may be waiting behind it.
    doorbell.ring(op.lane)
  }

  async #end(tx: Tx, op: Operation, patch: ContainerPatch, end: OperationEnd): Promise<void> {
    const container = await tx.containers.byUuid(op.containerUuid, { kind: 'all' })
    if (container === undefined) return
    if (end.kind === 'retry') {
      await tx.operations.release(op.id, op.fence, {
        state: 'queued',
        afterMs: end.afterMs,
        errorCode: end.code,
        errorMessage: end.message,
      })
      await tx.containers.update(container.uuid, { ...patch, progress: `Waiting: ${end.message}` })
      return
    }
    if (end.kind === 'cancelled') {
      await tx.operations.release(op.id, op.fence, { state: 'cancelled', errorMessage: end.message })
      if (op.params.imageUuid !== undefined) await tx.images.abandonCommit(op.params.imageUuid)
      await tx.containers.update(container.uuid, { ...patch, taskState: null, progress: null })
      return
    }
    if (end.kind === 'failed') {
      await tx.operations.release(op.id, op.fence, { state: 'failed', errorCode: end.code, errorMessage: end.message })
      if (op.params.imageUuid !== undefined) await tx.images.abandonCommit(op.params.imageUuid)
      await tx.containers.update(container.uuid, {
        ...patch,
        ...(await this.#forgetUnheldPorts(tx, op)),
        ...(end.seen === undefined ? {} : { observed: end.seen }),
        status: statusAfterFailure(op.verb, end.seen, container.status),
        statusReason: end.message,
        taskState: null,
        progress: null,
      })
      return
    }
    if (op.verb === 'delete') {
      await tx.containers.remove(container.uuid)
      return
    }
    await tx.operations.release(op.id, op.fence, { state: 'succeeded' })
    const seen = end.seen
    const queued = await tx.operations.unfinished(container.uuid)
    await tx.containers.update(container.uuid, {
      ...patch,
      ...(op.verb === 'resize' ? { spec: resized(container, op) } : {}),
      // A later request (a delete, a reboot) has already put its own status on the row.
      ...(seen === undefined
        ? {}
        : {
            observed: seen,
            ...(queued.some((q) => SHOWS_OWN_STATUS.has(q.verb)) ? {} : { status: endStatus(container, op, seen) }),
          }),
      ...(REASON_CLEARING_VERBS.includes(op.verb) ? { statusReason: null } : {}),
      taskState: null,
      progress: null,
    })
    if (seen?.state === 'absent') await this.#gone(tx, op.containerUuid)
  }

  /** A failed attach gives back what was planned for it. */
  async #forgetUnheldPorts(tx: Tx, op: Operation): Promise<ContainerPatch> {
    if (op.verb !== 'network_attach') return {}
    for (const uuid of op.params.ports ?? []) {
      const found = await tx.bindings.byUuid(uuid)
      if (found !== undefined && found.binding.state !== 'held') await tx.bindings.remove(uuid)
    }
    return { addresses: addressesOf(await tx.bindings.ofContainer(op.containerUuid)) }
  }

  async report(report: ObservedReport, _o: CallOptions): Promise<void> {
    const { store, doorbell } = this.#deps
    const lane = hostLane(report.session.host)
    const accepted = await store.write(async (tx) => {
      await requireSession(tx, report.session)
      let more = false
      for (const { uuid, seen } of report.containers) {
        if (await this.#observe(tx, report.session.host, uuid, seen)) more = true
      }
      return more
    })
    if (accepted) doorbell.ring(lane)
  }

  /** True when an operation of the system's own was accepted because of what was seen. */
  async #observe(tx: Tx, host: string, uuid: string, seen: Observation): Promise<boolean> {
    const container = await tx.containers.byUuid(uuid, { kind: 'all' })
    if (container === undefined || container.host !== host) return false
    // Between operations only: while one runs, its end says what is true. While one waits, a status that the request
    // itself has set must stay, or clients would see a reboot go Restarting -> Running -> Restarting.
    const unfinished = await tx.operations.unfinished(uuid)
    if (unfinished.some((op) => op.state === 'running' || SHOWS_OWN_STATUS.has(op.verb))) return false
    if (container.status === 'Creating' || container.status === 'Deleted') return false
    if (sameObservation(container.observed, seen)) return false
    if (seen.state === 'absent') {
      if (container.observed === null || container.observed.engineId === null) return false
      return await this.#gone(tx, uuid)
    }
    await tx.containers.update(uuid, {
      observed: seen,
      status: statusOf(seen, container.status),
      // What happens by itself is explained by exit code and detail, not by the reason of an older failure.
      ...(seen.state === 'running' ? { statusReason: null } : {}),
    })
    return false
  }

  /** The engine has lost a container it had (container-states 6.3). */
  async #gone(tx: Tx, uuid: string): Promise<boolean> {
    const container = await tx.containers.byUuid(uuid, { kind: 'all' })
    if (container === undefined || container.host === null) return false
    const engineId = container.observed?.engineId ?? 'unknown'
    if (container.spec.autoRemove) {
      await tx.containers.update(uuid, { observed: ABSENT, status: 'Deleted', desired: 'absent' })
      await this.#acceptOwn(tx, container, 'delete')
      return true
    }
    if (container.spec.autoHeal && HEALABLE.has(container.status)) {
      await tx.containers.update(uuid, { observed: ABSENT, status: 'Rebuilding' })
      await this.#acceptOwn(tx, container, 'rebuild')
      return true
    }
    await tx.containers.update(uuid, {
      observed: { ...ABSENT, engineId },
      status: 'Error',
      statusReason: `No such container: ${engineId} in the engine`,
      taskState: null,
      progress: null,
    })
    return false
  }

  async #acceptOwn(tx: Tx, container: Container, verb: 'delete' | 'rebuild'): Promise<void> {
    const bindings = await tx.bindings.ofContainer(container.uuid)
    const params = verb === 'delete' ? { force: true } : { run: container.status === 'Running' }
    const generation = container.generation + 1
    await tx.operations.insert({
      containerUuid: container.uuid,
      projectId: container.projectId,
      userId: container.userId,
      requestId: `req-${this.#deps.newUuid()}`,
      verb,
      params,
      generation,
      lane: hostLane(container.host ?? ''),
      recipe: recipeFor(verb, params, {
        ports: bindings.filter((b) => b.data.kind === 'port').length,
        mounts: bindings.filter((b) => b.data.kind === 'mount').length,
      }),
      recorded: true,
    })
    await tx.containers.update(container.uuid, { generation })
  }

  async orphans(query: OwnershipQuery, _o: CallOptions): Promise<Ownership> {
    const owned = new Set((await this.#deps.store.containers.byUuids(query.uuids)).map((c) => c.uuid))
    return { orphans: query.uuids.filter((uuid) => !owned.has(uuid)) }
  }

  async disposals(session: SessionRef, _o: CallOptions): Promise<Disposal[]> {
    return await this.#deps.store.disposals.onHost(session.host)
  }

  async disposed(done: Disposed, _o: CallOptions): Promise<void> {
    await this.#deps.store.write(async (tx) => {
      await requireSession(tx, done.session)
      await disposed(tx, done.uuid, done.session.host)
    })
  }

  async pendingImages(session: SessionRef, _o: CallOptions): Promise<PendingImage[]> {
    return await pendingImages(this.#deps.store, session)
  }

  async imageDone(done: ImageDone, _o: CallOptions): Promise<void> {
    await imageDone(this.#deps.store, done)
  }
}

/** Verbs whose acceptance has set a status of its own, which stays until they end. */
const SHOWS_OWN_STATUS: ReadonlySet<string> = new Set(['create', 'reboot', 'rebuild', 'delete'])
const HEALABLE: ReadonlySet<string> = new Set(['Created', 'Running', 'Stopped', 'Error'])

function endStatus(container: Container, op: Operation, seen: Observation): Container['status'] {
  if (op.verb === 'commit' || op.verb === 'resize') return statusOf(seen, container.status)
  return statusAfter(seen, container.status)
}

function resized(container: Container, op: Operation): Container['spec'] {
  const { cpu, memoryMiB } = op.params
  return {
    ...container.spec,
    ...(cpu === undefined ? {} : { cpu }),
    ...(memoryMiB === undefined ? {} : { memoryMiB }),
  }
}

async function requireSession(tx: Tx, session: SessionRef): Promise<void> {
  // A conductor speaks with epoch 0 and owns no host.
  if (session.epoch === 0) return
  const host = await tx.hosts.byName(session.host)
  if (host === undefined || host.epoch !== session.epoch) {
    throw new FencedOut(`host ${session.host} has a newer session`)
  }
}

async function requireLease(tx: Tx, ref: LeaseRef): Promise<Operation> {
  await requireSession(tx, ref.session)
  const op = await tx.operations.holds(ref.operationId, ref.fence)
  if (op === undefined) throw new FencedOut(`operation ${ref.operationId} is not held under fence ${ref.fence}`)
  return op
}

/** Writes the journal and says what of the container's row follows from it. */
async function applyEntries(tx: Tx, op: Operation, entries: readonly StepEntry[]): Promise<ContainerPatch> {
  let patch: ContainerPatch = {}
  for (const entry of entries) {
    switch (entry.kind) {
      case 'started':
        await tx.operations.stepStarted(op.id, entry.step, entry.mark ?? null)
        patch = { ...patch, taskState: taskStateOf(op.verb, entry.step), progress: null }
        break
      case 'finished':
        await tx.operations.stepEnded(op.id, entry.step, { state: 'finished', output: entry.output ?? null })
        if (entry.seen !== undefined) patch = { ...patch, observed: entry.seen }
        if (entry.bindings !== undefined) patch = { ...patch, ...(await applyBindings(tx, op, entry.bindings)) }
        if (op.verb === 'commit') await recordCommit(tx, op, entry.output)
        break
      case 'failed':
        await tx.operations.stepEnded(op.id, entry.step, { state: 'failed', message: entry.message })
        break
      case 'progress':
        patch = { ...patch, progress: entry.detail }
        break
      default:
        entry satisfies never
    }
  }
  return patch
}

async function applyBindings(tx: Tx, op: Operation, changes: readonly BindingChange[]): Promise<ContainerPatch> {
  let portsWent = false
  for (const change of changes) {
    if (change.state !== 'gone') {
      await tx.bindings.setState(change.uuid, change.state)
      continue
    }
    const found = await tx.bindings.byUuid(change.uuid)
    if (found === undefined) continue
    await tx.bindings.remove(change.uuid)
    const { data } = found.binding
    if (data.kind === 'port') portsWent = true
    else if (data.provider === 'volume' && data.autoRemove) await tx.volumes.remove(data.volumeUuid)
  }
  return portsWent ? { addresses: addressesOf(await tx.bindings.ofContainer(op.containerUuid)) } : {}
}

async function recordCommit(tx: Tx, op: Operation, output: unknown): Promise<void> {
  if (op.params.imageUuid === undefined || typeof output !== 'object' || output === null) return
  const { imageId, sizeBytes } = output as { imageId?: unknown; sizeBytes?: unknown }
  if (typeof imageId !== 'string') return
  const record = await tx.images.byUuid(op.params.imageUuid, { kind: 'all' })
  await tx.images.update(op.params.imageUuid, {
    imageId,
    sizeBytes: typeof sizeBytes === 'number' ? sizeBytes : null,
    // Its deletion may have been asked for meanwhile.
    ...(record?.pending === 'commit' ? { pending: null } : {}),
  })
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
    bindings: [...bindings],
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
