/** Waits for what a request has set going. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Container } from '@zund/client'
import type { Api } from './api.ts'
import { Failure, Refused } from './failures.ts'

const FIRST_MS = 60
const LONGEST_MS = 1000
/** Most that the service waits with one answer. */
const WAIT_S = 30

/** Statuses that something is still under way in. */
const PASSING: readonly string[] = ['Creating', 'Restarting', 'Rebuilding', 'Deleting']

/**
 * The container, once its status is one of these or it is in Error; null: it is gone. `seen` is told of each look.
 */
export async function settled(
  api: Api,
  uuid: string,
  statuses: readonly string[],
  o: { readonly signal: AbortSignal; readonly seen?: (container: Container) => void },
): Promise<Container | null> {
  const waits = api.has('wait')
  for (let pause = FIRST_MS; ; pause = Math.min(LONGEST_MS, pause * 1.5)) {
    o.signal.throwIfAborted()
    let found: Container | undefined
    try {
      const query = waits ? { wait: [...statuses, 'Error'].join(','), timeout: o.seen === undefined ? WAIT_S : 2 } : {}
      found = await api.call<Container | undefined>('GET', `containers/${uuid}`, { query, signal: o.signal })
    } catch (error) {
      if (error instanceof Refused && error.status === 404) return null
      throw error
    }
    if (found === undefined) return null
    o.seen?.(found)
    if (statuses.includes(found.status) && found.task_state === null) return found
    if (found.status === 'Error' && found.task_state === null) return found
    if (!waits || !PASSING.includes(found.status)) await sleep(pause, undefined, { signal: o.signal })
  }
}

/** Started, if only for a moment; else a failure with the reason. */
export async function started(
  api: Api,
  uuid: string,
  o: { readonly signal: AbortSignal; readonly seen?: (container: Container) => void },
): Promise<Container | null> {
  const found = await settled(api, uuid, ['Running', 'Stopped', 'Dead'], o)
  if (found?.status === 'Error') throw new Failure(found.status_reason ?? 'the container could not be started')
  return found
}
