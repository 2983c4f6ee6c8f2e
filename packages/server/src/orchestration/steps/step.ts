import type { Checkpoint, Clock, Logger } from '../ports/clock.ts'
import type { ResourceClaims } from '../ports/resource-claims.ts'
import type { ImageDriver, LocalImage, NetworkDriver, VolumeDriver, SnapshotStore } from '../ports/drivers.ts'
import type { ContainerEngine, EngineMount } from '../ports/engine.ts'
import type {
  AssignedContainer,
  Binding,
  BindingChange,
  ClaimedOperation,
  MountData,
  Observation,
  PortData,
  PullCount,
} from '../ports/wire.ts'
import type { StepName } from '../../domain/operation/recipes.ts'
import type { Gate } from '../../lib/gate.ts'

/** What one host offers to the steps. */
export interface HostTools {
  readonly engine: ContainerEngine
  readonly images: ImageDriver
  readonly networks: NetworkDriver
  readonly volumes: VolumeDriver
  /** Absent: nobody counts besides us. */
  readonly claims?: ResourceClaims | undefined
  /** Absent: snapshots stay on the host. */
  readonly snapshots?: SnapshotStore | undefined
  /** Cores for containers that share, where others are given away; empty: all of them. */
  readonly floatingCpus: readonly number[]
  /** Bounds what the engine is made to do at once. Sixteen starts on two cores are done soonest with eight a core. */
  readonly gate: Gate
  readonly clock: Clock
  readonly log: Logger
  readonly checkpoint: Checkpoint
}

/** What earlier steps of this claim have brought, for later ones. A resumed operation obtains it anew. */
export interface Brought {
  image?: LocalImage
  mounts?: readonly EngineMount[]
  /** Of a capsule, by member. */
  memberImages?: ReadonlyMap<string, LocalImage>
  /** Where the host has mounted the volumes of a capsule, by volume. */
  volumeSources?: ReadonlyMap<string, string>
  /** Last thing seen of the engine container; undefined when nobody looked yet in this claim. */
  seen?: Observation
}

export interface StepContext {
  readonly op: ClaimedOperation
  readonly tools: HostTools
  readonly brought: Brought
  readonly signal: AbortSignal
  /** Shown to the user while the step runs; rate-limited by the runner. */
  progress(detail: string, pull?: PullCount): void
  /** Milliseconds since the operation was first claimed. */
  ageMs(): number
  /** For long waits that are no work: while it lasts another operation may run in the place of this one. */
  idle<T>(wait: () => Promise<T>): Promise<T>
  /** What an earlier life noted before it acted; undefined when this step was never started. */
  readonly mark: unknown
  readonly wasStarted: boolean
}

export interface StepResult {
  readonly output?: unknown
  readonly bindings?: readonly BindingChange[]
  readonly seen?: Observation
}

/**
 * One observable piece of an operation. The runner asks `observe` first; only when the world is not as wanted it notes
 * `mark`, journals the start, and calls `apply`. Everything `apply` makes has a name known beforehand, so that a later
 * life finds it again.
 */
export interface Step {
  readonly name: StepName
  /** `never`: cannot be observed, so when it was started and not finished its outcome is unknown. */
  readonly repeat: 'safe' | 'never'
  /** The result if the world is so already; undefined if there is work. */
  observe(ctx: StepContext): Promise<StepResult | undefined>
  /** What will make the effect recognisable afterwards; journaled with the start. */
  mark?(ctx: StepContext): Promise<unknown>
  apply(ctx: StepContext): Promise<StepResult>
}

export interface HeldPort {
  readonly uuid: string
  readonly data: PortData
}

export interface HeldMount {
  readonly uuid: string
  readonly data: MountData
}

/** A capsule is no capsule without a member. */
export function isCapsule(op: ClaimedOperation): boolean {
  return op.members.length > 0
}

/**
 * One with auto-remove that this operation has started in an earlier claim, and that has ended and gone since. One whose
 * start has failed goes as well; then the engine knows of it, and of no start. If it knows nothing at all any more, it is
 * not run twice.
 */
export async function hasRunAndGone(ctx: StepContext): Promise<boolean> {
  const { container, journal } = ctx.op
  if (!container.spec.autoRemove || !journal.some(({ name }) => STARTING.includes(name))) return false
  if ((await look(ctx)) !== undefined) return false
  const past = await ctx.tools.engine.pastEvents(container.uuid, { signal: ctx.signal })
  const newest = past.slice(past.findLastIndex(({ action }) => action === 'create') + 1)
  return past.length === 0 || newest.some(({ action }) => action === 'start' || action === 'die')
}

const STARTING: readonly string[] = ['startContainer', 'restartContainer'] satisfies StepName[]

/** The container's ports in the order of the request. */
export function portsOf(op: ClaimedOperation): HeldPort[] {
  return byOrder(op.container.bindings).flatMap(({ uuid, data }) => (data.kind === 'port' ? [{ uuid, data }] : []))
}

export function mountsOf({ container }: { readonly container: Pick<AssignedContainer, 'bindings'> }): HeldMount[] {
  return byOrder(container.bindings).flatMap(({ uuid, data }) => (data.kind === 'mount' ? [{ uuid, data }] : []))
}

function byOrder(bindings: readonly Binding[]): Binding[] {
  return [...bindings].sort((a, b) => a.order - b.order)
}

/** It has processes, or is about to have them again. */
export function isLive({ state }: Observation): boolean {
  return state === 'running' || state === 'paused' || state === 'restarting'
}

/** Looks at the engine container and remembers it for the steps that follow. */
export async function look(ctx: StepContext): Promise<Observation | undefined> {
  const found = await ctx.tools.engine.inspect(ctx.op.container.uuid, { signal: ctx.signal })
  if (found === undefined) {
    delete ctx.brought.seen
    return undefined
  }
  ctx.brought.seen = found.seen
  return found.seen
}
