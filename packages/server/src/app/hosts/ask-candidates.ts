import type { HostReads } from '../../orchestration/ports/store.ts'
import type { ContainerSpec } from '../../orchestration/ports/wire.ts'
import type { RequestContext } from '../context.ts'
import type { AllocationCandidates } from '../ports/allocation-candidates.ts'

export interface AskDeps {
  /** Absent: nobody counts besides us. */
  readonly candidates?: AllocationCandidates | undefined
  readonly store: { readonly hosts: HostReads }
}

/** Without an answer no host has room (scheduler 2). */
const NO_ANSWER: ReadonlySet<string> = new Set()

/**
 * Which hosts have room by the count of a cloud, asked before the transaction that chooses one, which must wait for nobody.
 * `host`: the one that was asked for by name.
 */
export async function askCandidates(
  { candidates, store }: AskDeps,
  ctx: RequestContext,
  { cpu, memoryMiB, diskGiB }: Pick<ContainerSpec, 'cpu' | 'memoryMiB' | 'diskGiB'>,
  host: string | null,
): Promise<{ readonly candidates?: ReadonlySet<string> }> {
  if (candidates === undefined) return {}
  const requested = host === null ? undefined : await store.hosts.byName(host)
  const { signal, requestId } = ctx
  const provider = requested?.inventory?.resourceProvider?.uuid ?? null
  return {
    candidates: (await candidates.find({ cpu, memoryMiB, diskGiB, provider, requestId }, { signal })) ?? NO_ANSWER,
  }
}
