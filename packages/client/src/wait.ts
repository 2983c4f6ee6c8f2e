import type { WAIT_FIELDS } from '@zund/contract/api/requests/wait.ts'
import type { Given } from '@zund/contract/fields/field.ts'
import type { CallOptions } from './call.ts'
import { ApiError } from './errors.ts'

type WaitQuery = Given<typeof WAIT_FIELDS>
export type Status = Extract<WaitQuery['wait'], string>

/** Seconds of one request; a longer wait is several of them. */
const ONE_REQUEST_S = 40
/** Between two looks at a service that does not wait. */
const PAUSE_MS = 1_000

/**
 * Waits until a container, or with `client.showCapsule` a capsule, has one of the statuses:
 * `await waitFor(client.showContainer, { ident, wait: ['Running'] }, { signal: AbortSignal.timeout(60_000) })`. Gives it as it is
 * then; also when it is in Error for good, so look at its `status`. undefined: it is gone, and `Deleted` was wanted.
 */
export async function waitFor<T extends { readonly status: string }>(
  show: (input: { readonly ident: string; readonly query: WaitQuery }, o?: CallOptions) => Promise<T>,
  { ident, wait }: { readonly ident: string; readonly wait: readonly Status[] },
  { signal }: Pick<CallOptions, 'signal'> = {},
): Promise<T | undefined> {
  const wanted = wait.map((status) => status.toLowerCase())
  for (let isFirst = true; ; isFirst = false) {
    const begun = performance.now()
    let found: T | undefined
    try {
      const query = { wait: wait.join(','), timeout: ONE_REQUEST_S }
      found = await show({ ident, query }, signal === undefined ? {} : { signal })
    } catch (error) {
      const isGone = error instanceof ApiError && error.status === 404 && !isFirst && wanted.includes('deleted')
      if (!isGone) throw error
    }
    if (found === undefined || wanted.includes(found.status.toLowerCase())) return found
    const tookMs = performance.now() - begun
    if (found.status === 'Error' && tookMs < ONE_REQUEST_S * 1000 - PAUSE_MS) return found
    if (tookMs < PAUSE_MS) await pause(PAUSE_MS, signal)
  }
}

export async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted()
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => leave(resolve), ms)
    const onAbort = (): void => leave(() => reject(signal?.reason as Error))
    const leave = (then: () => void): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
      then()
    }
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}
