import { USUAL_WAIT_S, WAIT_HEADER, type WAIT_FIELDS } from '@zund/contract/api/requests/wait.ts'
import type { Read } from '@zund/contract/fields/field.ts'
import type { Wait, Waited } from '../../../../app/containers/wait.ts'
import type { Reply } from '../../route.ts'

/** undefined: it was not asked for. */
export function waitOf({
  args: { wait, timeout = USUAL_WAIT_S },
  whileWaiting,
}: {
  readonly args: Read<typeof WAIT_FIELDS>
  readonly whileWaiting: () => AbortSignal
}): Wait | undefined {
  return wait === undefined ? undefined : { wanted: wait, timeoutMs: timeout * 1000, signal: whileWaiting() }
}

export function waitedReply<T>(waited: Waited<T>, view: (found: T) => Reply): Reply {
  if (waited.outcome === 'gone') return { status: 204, headers: { [WAIT_HEADER]: 'reached' } }
  return { ...view(waited.found), headers: { [WAIT_HEADER]: waited.outcome } }
}
