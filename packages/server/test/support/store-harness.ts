/** What the store contract suite needs of the store it is run against. */
import type { Container } from '../../src/domain/container/types.ts'
import type { Operation } from '../../src/domain/operation/types.ts'
import type { NewContainer, NewOperation, Store } from '../../src/orchestration/ports/store.ts'
import { aContainer, anOperation } from './builders.ts'

export interface StoreHarness {
  store: Store
  /** Lets time pass by the database's clock. */
  pass(ms: number): Promise<void>
  /** Closes the store and opens it again on what is on the disk. */
  reopen(): Promise<void>
  close(): Promise<void>
}

export const ALL = { kind: 'all' } as const

export async function addContainer(store: Store, patch: Partial<NewContainer> = {}): Promise<Container> {
  return await store.write((tx) => tx.containers.insert(aContainer(patch)))
}

export async function addOperation(
  store: Store,
  containerUuid: string,
  patch: Partial<NewOperation> = {},
): Promise<Operation> {
  return await store.write((tx) => tx.operations.insert(anOperation({ containerUuid, ...patch })))
}

/** As an agent does: looks for what may run and takes it. */
export async function claimAll(store: Store, lane = 'host:host1', max = 10): Promise<Operation[]> {
  return await store.write(async (tx) => {
    const won: Operation[] = []
    for (const op of await tx.operations.claimable(lane, max)) {
      if (!(await tx.operations.claim(op.id, op.fence, 'me', 60_000))) continue
      const mine = await tx.operations.byId(op.id)
      if (mine !== undefined) won.push(mine)
    }
    return won
  })
}
