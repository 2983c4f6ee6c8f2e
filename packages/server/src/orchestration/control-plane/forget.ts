import type { Container } from '../../domain/container/types.ts'
import { disposeMounts } from '../disposals.ts'
import type { PastOperation } from '../ports/history.ts'
import type { Tx } from '../ports/store.ts'
import type { Binding } from '../ports/wire.ts'

/** Of a container with a long life only the newest are kept. */
const OPERATIONS_KEPT = 100

/** Removes the record, of a capsule with its members; what is to be known of it later is kept apart (docs/design/history.md). */
export async function forget(tx: Tx, container: Container): Promise<void> {
  const members = container.kind === 1 ? await tx.containers.membersOf([container.uuid]) : []
  // A delete by force goes on without what it could not give back; all else has taken it off the record by now.
  const left: Binding[] = []
  for (const one of [container, ...members]) {
    await archive(tx, one)
    const bindings = await tx.bindings.ofContainer(one.uuid)
    await noteLeftPorts(tx, one.uuid, bindings)
    left.push(...bindings)
  }
  if (container.host !== null) await disposeMounts(tx, left, container.host)
  await tx.containers.remove(container.uuid)
}

async function noteLeftPorts(tx: Tx, containerUuid: string, bindings: readonly Binding[]): Promise<void> {
  for (const { uuid, data } of bindings) {
    if (data.kind === 'port' && data.remote !== undefined) await tx.leftoverPorts.insert({ uuid, containerUuid, data })
  }
}

async function archive(tx: Tx, container: Container): Promise<void> {
  const operations: PastOperation[] = []
  for (const op of (await tx.operations.actions(container.uuid)).slice(0, OPERATIONS_KEPT)) {
    const steps = await tx.operations.steps(op.id)
    operations.push({
      verb: op.verb,
      requestId: op.requestId,
      userId: op.userId,
      projectId: op.projectId,
      state: op.state,
      errorCode: op.errorCode,
      errorMessage: op.errorMessage,
      createdAtMs: op.createdAtMs,
      finishedAtMs: op.finishedAtMs,
      steps: steps.map(({ name, state, message, startedAtMs, finishedAtMs }) => ({
        name,
        state,
        message,
        startedAtMs,
        finishedAtMs,
      })),
    })
  }
  await tx.history.archive({
    uuid: container.uuid,
    kind: container.kind,
    projectId: container.projectId,
    userId: container.userId,
    name: container.name,
    capsuleUuid: container.capsuleUuid,
    image: container.spec.image,
    host: container.host,
    createdAtMs: container.createdAtMs,
    operations,
  })
}
