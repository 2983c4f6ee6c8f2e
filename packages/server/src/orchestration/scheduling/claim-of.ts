import type { Container } from '../../domain/container/types.ts'
import type { ResourceClaim } from '../ports/wire.ts'

type Holder = Pick<Container, 'allocation' | 'projectId' | 'userId'>

/** What it holds of its host by the count of a cloud; empty: nothing, or nobody counted when it was placed. */
export function claimOf(container: Holder): { claim?: ResourceClaim } {
  const provider = container.allocation?.provider
  const claim = provider === undefined ? undefined : claimOn(container, provider)
  return claim === undefined ? {} : { claim }
}

/** What it has to hold of this provider, which is that of its host; undefined: it holds nothing of its host. */
export function claimOn({ allocation, projectId, userId }: Holder, provider: string): ResourceClaim | undefined {
  if (allocation === null) return undefined
  const { cpu, memoryMiB, diskGiB } = allocation
  return { provider, projectId, userId, cpu, memoryMiB, diskGiB }
}
