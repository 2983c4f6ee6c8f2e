/** Creates that may be sent again, because an answer can get lost (docs/adr/0020). */
import { ApiError, NotFound } from '../domain/errors.ts'
import type { IdempotentRequest } from '../orchestration/ports/idempotency.ts'
import type { Store, Tx } from '../orchestration/ports/store.ts'
import type { RequestContext } from './context.ts'

export interface Once {
  readonly key: string
  /** Of all that makes it this request and no other. */
  readonly requestHash: string
}

/** To be called first in the accepting transaction, with the uuid of what it makes. */
export type Note = (tx: Tx, uuid: string) => Promise<void>

export const NOTHING_TO_NOTE: Note = async () => undefined

/** Another one with this key was faster. */
class Faster extends Error {
  readonly request: IdempotentRequest

  constructor(request: IdempotentRequest) {
    super('the key has been used')
    this.request = request
  }
}

/** What `make` makes, or, when that was made before, what `find` finds of it. */
export async function once<T>(
  { store }: { readonly store: Store },
  { caller }: RequestContext,
  given: Once | undefined,
  make: (note: Note) => Promise<T>,
  find: (uuid: string) => Promise<T>,
): Promise<{ readonly made: T; readonly isReplay: boolean }> {
  const { projectId, userId } = caller
  if (given === undefined || projectId === null) return { made: await make(NOTHING_TO_NOTE), isReplay: false }
  const { key, requestHash } = given
  const owner = { projectId, userId, key }
  const again = async (known: IdempotentRequest): Promise<{ made: T; isReplay: true }> => {
    if (known.requestHash !== requestHash) {
      throw new ApiError(422, 'idempotency-key-reused', 'The Idempotency-Key was used for another request.')
    }
    try {
      return { made: await find(known.containerUuid), isReplay: true }
    } catch (error) {
      if (!(error instanceof NotFound)) throw error
      const message = `${known.containerUuid} was made with this Idempotency-Key, and has been deleted.`
      throw new NotFound(message, 'container-not-found')
    }
  }
  const known = await store.idempotency.find(owner)
  if (known !== undefined) return await again(known)
  try {
    const made = await make(async (tx, containerUuid) => {
      const other = await tx.idempotency.find(owner)
      if (other !== undefined) throw new Faster(other)
      await tx.idempotency.insert(owner, { requestHash, containerUuid })
    })
    return { made, isReplay: false }
  } catch (error) {
    if (error instanceof Faster) return await again(error.request)
    throw error
  }
}
