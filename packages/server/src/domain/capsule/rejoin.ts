/** Which members have to be brought back into the namespaces of their sandbox. */
import type { RestartPolicy } from '@zund/contract/link/container.ts'
import type { Observation } from '../container/types.ts'

export function isLive(seen: Observation): boolean {
  return seen.state === 'running' || seen.state === 'paused' || seen.state === 'restarting'
}

/** Has ended, and by its policy must not stay so: the engine gave up, or was not there when it was its turn. */
export function shouldRun(policy: RestartPolicy | null, seen: Observation): boolean {
  if (isLive(seen) || policy === null) return false
  switch (policy.name) {
    case 'always':
    case 'unless-stopped':
      return true
    case 'on-failure':
      if (seen.exitCode === 0) return false
      return policy.maximumRetryCount === 0 || seen.restartCount < policy.maximumRetryCount
    case 'no':
      return false
    default:
      return policy.name satisfies never
  }
}

/** Still in the namespaces of an earlier life of the sandbox, where there is no network any more. */
export function isLeftBehind(seen: Observation, sandbox: Observation): boolean {
  return (
    isLive(seen) && seen.startedAtMs !== null && sandbox.startedAtMs !== null && seen.startedAtMs < sandbox.startedAtMs
  )
}
