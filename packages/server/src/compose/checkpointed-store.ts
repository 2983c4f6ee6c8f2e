import type { Checkpoint } from '../orchestration/ports/clock.ts'
import type { Store, Tx } from '../orchestration/ports/store.ts'

/** A store that passes a checkpoint right before and right after each commit of a request's transaction. */
export function checkpointedStore(store: Store, checkpoint: Checkpoint): Store {
  const write = async <T>(work: (tx: Tx) => Promise<T>): Promise<T> => {
    await checkpoint('accept:before')
    const result = await store.write(work)
    await checkpoint('accept:after')
    return result
  }
  return Object.assign(Object.create(store) as Store, { write })
}
