/** What a capsule shows, from what was last seen of its sandbox and its members (capsules 11). */
import type { Container, ContainerStatus, Observation } from '../container/types.ts'
import { isLeftBehind, isLive, shouldRun } from './rejoin.ts'

/** `rejoin`: the system has to mend it first. */
export type Verdict =
  | { readonly status: ContainerStatus; readonly reason: string | null }
  | { readonly status: 'rejoin' }

type Part = Pick<Container, 'name' | 'observed'> & { readonly spec: Pick<Container['spec'], 'restartPolicy'> }

/**
 * undefined: nothing can be said, since not all of it was ever started; what the failed create said stays. Init members
 * do not count: they have done their work.
 */
export function verdictOf(capsule: Part, members: readonly Part[]): Verdict | undefined {
  const sandbox = capsule.observed
  const seen = members.map(({ observed }) => observed)
  if (sandbox === null || !seen.every((one) => one !== null && (one.state === 'absent' || one.startedAtMs !== null))) {
    return undefined
  }
  if (sandbox.state === 'absent') return error('The sandbox of the capsule is gone from the engine')
  const lost = members.find(({ observed }) => observed?.state === 'absent')
  if (lost !== undefined) return error(`Container ${lost.name} of the capsule is gone from the engine`)
  if (sandbox.state === 'restarting') return { status: 'Restarting', reason: null }
  return isLive(sandbox) ? withSandbox(sandbox, members) : withoutSandbox(capsule, sandbox, members)
}

function withSandbox(sandbox: Observation, members: readonly Part[]): Verdict {
  for (const { name, observed, spec } of members) {
    if (observed === null) continue
    if (isLeftBehind(observed, sandbox)) {
      if (spec.restartPolicy?.name !== 'no') return { status: 'rejoin' }
      return error(`Container ${name} has lost its network, and its restart policy forbids to start it again`)
    }
    if (shouldRun(spec.restartPolicy, observed)) return { status: 'rejoin' }
  }
  return { status: rolledUp(members), reason: null }
}

function withoutSandbox(capsule: Part, sandbox: Observation, members: readonly Part[]): Verdict {
  if (shouldRun(capsule.spec.restartPolicy, sandbox)) return { status: 'rejoin' }
  const living = members.find(({ observed }) => observed !== null && isLive(observed))
  if (living === undefined) return { status: rolledUp(members), reason: null }
  return error(`The sandbox has ended, and with it the network of container ${living.name}`)
}

/** Running while one of them is; Stopped when all have ended by themselves. */
function rolledUp(members: readonly Part[]): ContainerStatus {
  const states = members.map(({ observed }) => observed?.state)
  if (members.some(({ observed }) => observed !== null && isLive(observed))) return 'Running'
  return states.every((state) => state === 'exited' || state === 'removing') ? 'Stopped' : 'Unknown'
}

function error(reason: string): Verdict {
  return { status: 'Error', reason }
}
