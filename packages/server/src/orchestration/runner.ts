import {
  EngineFailed,
  EngineUnavailable,
  FencedOut,
  HostLacks,
  messageOf,
  Retryable,
  ShuttingDown,
  Superseded,
  SystemFault,
  UserFault,
  ZunError,
} from '../domain/errors.ts'
import { INIT_LIMIT_MS } from '../domain/capsule/sandbox.ts'
import { ABSENT } from '../domain/container/status.ts'
import type { StepName } from '../domain/operation/recipes.ts'
import type { ControlPlane } from './ports/control-plane.ts'
import type {
  BindingChange,
  ClaimedOperation,
  HostInventory,
  LeaseRef,
  OperationEnd,
  PullCount,
  SeenContainer,
  SessionRef,
  StepEntry,
  StepRecord,
} from './ports/wire.ts'
import { lackOf } from './host-check.ts'
import { giveBack, giveBackVolumes, leavesNothing, releasePorts } from './steps/give-back.ts'
import { STEPS } from './steps/index.ts'
import { dropSnapshot } from './steps/upload-snapshot.ts'
import { giveBackPorts } from './steps/networks.ts'
import {
  isCapsule,
  look,
  type Brought,
  type HostTools,
  type Step,
  type StepContext,
  type StepResult,
} from './steps/step.ts'

export interface RunnerDeps {
  readonly controlPlane: ControlPlane
  readonly tools: HostTools
  readonly session: SessionRef
  /** As last read; undefined: it could not be read yet. */
  readonly inventory: HostInventory | undefined
  /** How long, since its first claim, an operation may wait for something to come back before it fails. */
  readonly retryBudgetMs: number
  /** Least time between two progress texts of one operation. */
  readonly progressIntervalMs: number
  /** Another operation may run in the place of this one while it waits. */
  readonly idle: <T>(wait: () => Promise<T>) => Promise<T>
}

/** Attempts that may meet an error nobody foresaw. Those that only had to wait for something do not count. */
const UNFORESEEN_ATTEMPTS = 3
/** Of a delete that fails there, the rest is done: what one service refuses to take back is no reason to keep another's. */
const KEEPS_NOTHING_BACK: ReadonlySet<string> = new Set(['releaseNetworks', 'detachVolumes', 'detachCapsuleVolumes'])
const FIRST_RETRY_MS = 500
const LONGEST_RETRY_MS = 15_000

/**
 * Takes one claimed operation to its end: for each step of the recipe observe, journal, apply, journal.
 *
 * `signal` is aborted with the reason: Superseded (a newer request), FencedOut (lease lost), ShuttingDown.
 */
export async function runOperation(deps: RunnerDeps, op: ClaimedOperation, signal: AbortSignal): Promise<void> {
  const run = new Run(deps, op, signal)
  await run.toItsEnd()
}

class Run {
  readonly #deps: RunnerDeps
  /** With what its steps have learned. */
  #op: ClaimedOperation
  readonly #signal: AbortSignal
  readonly #ref: LeaseRef
  readonly #brought: Brought = {}
  readonly #startedAt: number
  /** Journal entries that must be written together with the next ones. */
  #pending: StepEntry[] = []
  /** The first failure that no later step had to wait for. */
  #refused: unknown
  /** Steps that were begun, in this life or an earlier one. */
  readonly #begun: Set<string>
  #lastProgressAt = Number.NEGATIVE_INFINITY

  constructor(deps: RunnerDeps, op: ClaimedOperation, signal: AbortSignal) {
    this.#deps = deps
    this.#op = op
    this.#signal = signal
    this.#ref = { operationId: op.id, fence: op.fence, session: deps.session }
    this.#begun = new Set(op.journal.map(({ name }) => name))
    this.#startedAt = deps.tools.clock.now()
  }

  async toItsEnd(): Promise<void> {
    const { log, checkpoint } = this.#deps.tools
    const op = this.#op
    const fields = { containerId: op.container.uuid, operationId: op.id, verb: op.verb, requestId: op.requestId }
    let end: OperationEnd
    try {
      this.#checkHost()
      for (const name of op.recipe) await this.#step(name)
      if (this.#refused !== undefined) throw this.#refused
      end = { kind: 'succeeded', ...(await this.#finalLook()) }
    } catch (error) {
      const settled = await this.#endFor(error)
      if (settled === undefined) {
        log.info({ ...fields, why: messageOf(error) }, 'operation let go')
        return
      }
      end = settled
      if (end.kind === 'failed') log.warn({ ...fields, code: end.code, err: error }, 'operation failed')
    }
    await checkpoint(`finish:${op.verb}:before`)
    await this.#finish(end)
    await checkpoint(`finish:${op.verb}:after`)
  }

  /** Before anything is made: a host that lacks something must not find out half-way. */
  #checkHost(): void {
    const { inventory } = this.#deps
    if (this.#op.verb !== 'create' || this.#begun.size > 0 || inventory === undefined) return
    const lack = lackOf(this.#op, inventory)
    if (lack !== undefined) throw new HostLacks(lack)
  }

  async #step(name: string): Promise<void> {
    const step = stepNamed(name)
    const { checkpoint, log, clock } = this.#deps.tools
    const before = this.#op.journal.find((record) => record.name === name)
    const ctx = this.#context(name, before)
    this.#signal.throwIfAborted()
    if (step.repeat === 'never' && before !== undefined) {
      if (before.state === 'finished') return
      throw new SystemFault('operation.outcome_unknown', `the ${this.#op.verb} was interrupted; its outcome is unknown`)
    }
    await checkpoint(`step:${name}:before`)
    try {
      const found = await step.observe(ctx)
      if (found !== undefined) {
        this.#learn(found)
        this.#pending.push(finishedEntry(name, found))
        return
      }
      const mark = ctx.wasStarted && before?.mark !== null ? before?.mark : await step.mark?.(ctx)
      this.#begun.add(name)
      await this.#journal({ kind: 'started', step: name, mark: mark ?? null })
      await checkpoint(`step:${name}:journaled`)
      const began = clock.now()
      const result = await step.apply(ctx)
      await checkpoint(`step:${name}:applied`)
      this.#learn(result)
      this.#pending.push(finishedEntry(name, result))
      log.debug(
        { containerId: this.#op.container.uuid, operationId: this.#op.id, step: name, ms: clock.now() - began },
        'step finished',
      )
    } catch (error) {
      this.#signal.throwIfAborted()
      if (this.#op.params.force === true && this.#op.verb === 'delete' && isFinal(error)) {
        // A forced delete goes on; ports that could not be given back are noted with its end (control-plane/forget.ts).
        this.#pending.push({ kind: 'failed', step: name, code: codeOf(error), message: messageOf(error) })
        return
      }
      if (!isRetry(error, this.#op)) {
        this.#pending.push({ kind: 'failed', step: name, code: codeOf(error), message: messageOf(error) })
        if (KEEPS_NOTHING_BACK.has(name)) {
          this.#refused ??= error
          return
        }
      }
      throw error
    }
  }

  /** Later steps of this claim work with what an earlier one has brought; another claim is given it. */
  #learn({ bindings = [] }: StepResult): void {
    const learned = new Map(bindings.flatMap(({ uuid, data }) => (data === undefined ? [] : [[uuid, data] as const])))
    if (learned.size === 0) return
    const { container } = this.#op
    const known = container.bindings.map((binding) => ({ ...binding, data: learned.get(binding.uuid) ?? binding.data }))
    this.#op = { ...this.#op, container: { ...container, bindings: known } }
  }

  #context(name: string, before: StepRecord | undefined): StepContext {
    return {
      op: this.#op,
      tools: this.#deps.tools,
      brought: this.#brought,
      signal: this.#signal,
      mark: before?.mark,
      wasStarted: before !== undefined,
      progress: (detail, pull) => this.#progress(name, detail, pull),
      ageMs: () => this.#ageMs(),
      idle: (wait) => this.#deps.idle(wait),
    }
  }

  #ageMs(): number {
    return this.#op.ageMs + this.#deps.tools.clock.now() - this.#startedAt
  }

  #progress(step: string, detail: string, pull?: PullCount): void {
    const { clock, log } = this.#deps.tools
    if (clock.now() - this.#lastProgressAt < this.#deps.progressIntervalMs) return
    this.#lastProgressAt = clock.now()
    this.#deps.controlPlane
      .journal(this.#ref, [{ kind: 'progress', step, detail, ...(pull === undefined ? {} : { pull }) }], {
        signal: this.#signal,
      })
      .catch((error: unknown) => log.debug({ err: error }, 'progress not recorded'))
  }

  async #journal(entry: StepEntry): Promise<void> {
    const entries = [...this.#pending, entry]
    this.#pending = []
    await this.#deps.controlPlane.journal(this.#ref, entries, { signal: this.#signal })
  }

  async #finish(end: OperationEnd): Promise<void> {
    const { controlPlane, tools } = this.#deps
    const entries = this.#pending
    this.#pending = []
    try {
      // Not under the operation's signal: an end that is known is worth writing even while the process stops.
      await controlPlane.finish(this.#ref, entries, end, { signal: AbortSignal.timeout(10_000) })
    } catch (error) {
      if (!(error instanceof FencedOut)) throw error
      tools.log.info({ operationId: this.#op.id }, 'operation was taken over before its end was recorded')
    }
  }

  /** The last word on what the engine containers are; a delete has none. */
  async #finalLook(): Promise<{ seen?: NonNullable<Brought['seen']>; members?: SeenContainer[] }> {
    if (this.#op.verb === 'delete') return {}
    if (isCapsule(this.#op)) {
      const sandbox = await look(this.#context('', undefined))
      return { seen: sandbox ?? ABSENT, ...(await this.#lookAtMembers(this.#signal)) }
    }
    const seen = this.#brought.seen ?? (await look(this.#context('', undefined)))
    return seen === undefined ? {} : { seen }
  }

  /** undefined: leave the operation as it is. */
  async #endFor(error: unknown): Promise<OperationEnd | undefined> {
    const cause: unknown = this.#signal.aborted ? this.#signal.reason : error
    if (cause instanceof FencedOut || cause instanceof ShuttingDown) return undefined
    if (cause instanceof Superseded) {
      if (this.#op.verb === 'commit') await this.#dropSnapshot()
      return { kind: 'cancelled', message: cause.message }
    }
    if (isRetry(cause, this.#op)) {
      if (this.#ageMs() < patienceMs(this.#begun, this.#deps.retryBudgetMs)) {
        const afterMs = (cause instanceof Retryable ? cause.afterMs : undefined) ?? backoffMs(this.#op.attempt)
        const unforeseen = !(cause instanceof Retryable)
        return {
          kind: 'retry',
          afterMs,
          unforeseen,
          code: codeOf(cause),
          message: messageOf(cause),
          ...(await this.#mayMove(cause)),
        }
      }
    }
    if (this.#op.verb === 'network_attach') await this.#giveBackPorts()
    if (this.#op.verb === 'create') await this.#giveBackVolumes()
    if (this.#op.verb === 'commit') await this.#dropSnapshot()
    // It may take away what there is.
    const mayMove = await this.#mayMove(cause)
    const found = await this.#lookAfterFailure()
    const released = this.#op.verb === 'create' ? await this.#releasePorts() : []
    if ('isAbsent' in found) await this.#giveBackClaim()
    return {
      kind: 'failed',
      code: codeOf(cause),
      message: messageOf(cause),
      userFault: cause instanceof UserFault,
      ...found,
      ...(released.length === 0 ? {} : { released }),
      ...mayMove,
    }
  }

  /** Whether another host may do it: for a reason that is this one's own, and only when nothing of it stays here. */
  async #mayMove(cause: unknown): Promise<{ mayMove?: true }> {
    // A capsule stays where it is: its volumes and its members are there.
    if (this.#op.verb !== 'create' || isCapsule(this.#op)) return {}
    if (cause instanceof EngineUnavailable) return leavesNothing(this.#begun) ? { mayMove: true } : {}
    if (!(cause instanceof HostLacks)) return {}
    if (leavesNothing(this.#begun)) return { mayMove: true }
    const ctx = {
      ...this.#context('', undefined),
      signal: AbortSignal.any([this.#signal, AbortSignal.timeout(10_000)]),
    }
    try {
      return (await giveBack(ctx)) ? { mayMove: true } : {}
    } catch (error) {
      this.#deps.tools.log.warn({ operationId: this.#op.id, err: error }, 'a refused create could not be undone')
      return {}
    }
  }

  async #lookAtMembers(signal: AbortSignal): Promise<{ members?: SeenContainer[] }> {
    if (!isCapsule(this.#op)) return {}
    const members: SeenContainer[] = []
    for (const { uuid } of [...this.#op.initMembers, ...this.#op.members]) {
      const found = await this.#deps.tools.engine.inspect(uuid, { signal })
      members.push({ uuid, seen: found?.seen ?? ABSENT })
    }
    return { members }
  }

  /** The engine may be away: then the addresses are free in the records all the same, and the network is only unused. */
  async #giveBackPorts(): Promise<void> {
    try {
      await giveBackPorts({ ...this.#context('', undefined), signal: AbortSignal.timeout(5_000) })
    } catch (error) {
      this.#deps.tools.log.warn({ operationId: this.#op.id, err: error }, 'a failed attach could not be undone')
    }
  }

  async #dropSnapshot(): Promise<void> {
    try {
      await dropSnapshot({ ...this.#context('', undefined), signal: AbortSignal.timeout(10_000) })
    } catch (error) {
      this.#deps.tools.log.warn(
        { operationId: this.#op.id, err: error },
        'the image of a failed commit was not removed',
      )
    }
  }

  /** What cannot be given back now is when the container is deleted. */
  async #giveBackVolumes(): Promise<void> {
    try {
      await giveBackVolumes({ ...this.#context('', undefined), signal: AbortSignal.timeout(60_000) })
    } catch (error) {
      this.#deps.tools.log.warn(
        { operationId: this.#op.id, err: error },
        'volumes of a failed create were not given back',
      )
    }
  }

  /** The same of ports. */
  async #releasePorts(): Promise<BindingChange[]> {
    if (!this.#begun.has('bindPorts')) return []
    try {
      return await releasePorts({ ...this.#context('', undefined), signal: AbortSignal.timeout(60_000) })
    } catch (error) {
      this.#deps.tools.log.warn(
        { operationId: this.#op.id, err: error },
        'ports of a failed create were not given back',
      )
      return []
    }
  }

  /** What could not be made holds no room. If it cannot be told now, the sweep of the claims does it. */
  async #giveBackClaim(): Promise<void> {
    const { claims, log } = this.#deps.tools
    if (this.#op.verb !== 'create' || this.#op.container.claim === undefined || claims === undefined) return
    try {
      await claims.release(this.#op.container.uuid, { signal: AbortSignal.timeout(5_000) })
    } catch (error) {
      log.warn({ operationId: this.#op.id, err: error }, 'the claim of a failed create was not given back')
    }
  }

  async #lookAfterFailure(): Promise<
    ({ seen: NonNullable<Brought['seen']> } | { isAbsent?: true }) & { members?: SeenContainer[] }
  > {
    delete this.#brought.seen
    try {
      const ctx = { ...this.#context('', undefined), signal: AbortSignal.timeout(5_000) }
      const seen = await look(ctx)
      const members = await this.#lookAtMembers(ctx.signal)
      return { ...(seen === undefined ? { isAbsent: true } : { seen }), ...members }
    } catch {
      return {}
    }
  }
}

function stepNamed(name: string): Step {
  const step = Object.hasOwn(STEPS, name) ? STEPS[name as StepName] : undefined
  if (step === undefined) throw new SystemFault('recipe.unknown_step', `the recipe names an unknown step ${name}`)
  return step
}

function finishedEntry(step: string, result: StepResult): StepEntry {
  return {
    kind: 'finished',
    step,
    ...(result.output === undefined ? {} : { output: result.output }),
    ...(result.bindings === undefined ? {} : { bindings: [...result.bindings] }),
    ...(result.seen === undefined ? {} : { seen: result.seen }),
  }
}

function isRetry(error: unknown, op: ClaimedOperation): boolean {
  if (error instanceof Retryable) return true
  // An engine's "internal error" is as unforeseen as one of ours, and often gone a moment later. A signal is not sent twice.
  const isUnforeseen = !(error instanceof ZunError) || (error instanceof EngineFailed && op.verb !== 'kill')
  return isUnforeseen && op.failures + 1 < UNFORESEEN_ATTEMPTS
}

function isFinal(error: unknown): boolean {
  return error instanceof ZunError && !(error instanceof EngineUnavailable) && !(error instanceof FencedOut)
}

function codeOf(error: unknown): string {
  return error instanceof ZunError ? error.code : 'operation.unexpected'
}

/** Init containers may take their time, and it is not counted against what comes after them. */
export function patienceMs(begun: ReadonlySet<string>, retryBudgetMs: number): number {
  return begun.has('runInitMembers') ? retryBudgetMs + INIT_LIMIT_MS : retryBudgetMs
}

/** Exponential with a cap: 0.5 s, 1 s, 2 s … 15 s. */
export function backoffMs(attempt: number): number {
  return Math.min(FIRST_RETRY_MS * 2 ** Math.max(0, attempt - 1), LONGEST_RETRY_MS)
}
