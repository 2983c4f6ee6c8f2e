/** Who may still write: the newest life of a host, and whoever holds an operation under its newest fence. */
import { FencedOut } from '../../domain/errors.ts'
import type { Operation } from '../../domain/operation/types.ts'
import type { HostReads, Tx } from '../ports/store.ts'
import type { LeaseRef, SessionRef } from '../ports/wire.ts'

/** Refuses all but the newest life of the host. */
export async function requireHostSession(hosts: HostReads, session: SessionRef): Promise<void> {
  if ((await hosts.epochOf(session.host)) === session.epoch) return
  throw new FencedOut(`host ${session.host} has a newer session`)
}

/** For work of any lane: a conductor speaks with epoch 0 and owns no host. */
export async function requireSession(hosts: HostReads, session: SessionRef): Promise<void> {
  if (session.epoch !== 0) await requireHostSession(hosts, session)
}

export async function requireLease(tx: Tx, ref: LeaseRef): Promise<Operation> {
  await requireSession(tx.hosts, ref.session)
  const op = await tx.operations.holds(ref.operationId, ref.fence)
  if (op === undefined) throw new FencedOut(`operation ${ref.operationId} is not held under fence ${ref.fence}`)
  return op
}
