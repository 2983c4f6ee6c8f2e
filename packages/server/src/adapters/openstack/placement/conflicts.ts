import { Retryable } from '../../../domain/errors.ts'
import type { Clock } from '../../../orchestration/ports/clock.ts'
import { OpenStackError } from '../errors.ts'

const TRIES = 4
const FIRST_WAIT_MS = 100

/** Somebody else has changed it between the look and the write. */
const CONCURRENT = 'placement.concurrent_update'

/** Looks and writes anew when somebody else has written in between. `isConflict`: of a 409 that says no more. */
export async function overConflicts<T>(
  clock: Clock,
  signal: AbortSignal,
  work: () => Promise<T>,
  isConflict = (type: string | null): boolean => type === CONCURRENT,
): Promise<T> {
  for (let tried = 1; ; tried += 1) {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof OpenStackError) || error.status !== 409 || !isConflict(error.type)) throw error
      if (tried === TRIES) throw new Retryable('placement.conflict', error.message, { cause: error })
      await clock.sleep(FIRST_WAIT_MS * 2 ** (tried - 1), signal)
    }
  }
}
