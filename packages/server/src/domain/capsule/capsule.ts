import type { RestartPolicy } from '@zund/contract/link/container.ts'
import type { Container } from '../container/types.ts'
import type { Capsule, CapsuleTemplate, MemberTemplate } from './types.ts'

/** A capsule from its rows; the members in the order in which they were inserted. */
export function capsuleOf(record: Container, members: readonly Container[]): Capsule {
  return {
    record,
    annotations: record.annotations,
    initMembers: members.filter(({ kind }) => kind === 3),
    members: members.filter(({ kind }) => kind === 2),
  }
}

export interface Size {
  readonly cpu: number
  readonly memoryMiB: number
}

/** Containers run together, init containers one by one and before them (capsules 3). */
export function sizeOf({ containers, initContainers }: Pick<CapsuleTemplate, 'containers' | 'initContainers'>): Size {
  const total = (of: (member: MemberTemplate) => number | null): number =>
    Math.max(
      containers.reduce((sum, member) => sum + (of(member) ?? 0), 0),
      ...initContainers.map((member) => of(member) ?? 0),
    )
  // A sum of fractions such as 0.1 and 0.2 is shown.
  return { cpu: Math.round(total(({ cpu }) => cpu) * 1e6) / 1e6, memoryMiB: total(({ memoryMiB }) => memoryMiB) }
}

/** An init container that was to run always would never end: it is tried ten times (capsules 5). */
export function initRestartPolicy(policy: RestartPolicy): RestartPolicy {
  return policy.name === 'always' ? { name: 'on-failure', maximumRetryCount: 10 } : policy
}
