/** Who may still write: the newest life of a host, and whoever holds an operation under its newest fence. */
import { FencedOut } from '../../domain/errors.ts'
import { hostLane, type Operation } from '../../domain/operation/types.ts'
import type { HostReads, Tx } from '../ports/store.ts'
import type { LeaseRef, SessionRef } from '../ports/wire.ts'

/** Refuses all but the newest life of the host. */
export async function requireHostSession(hosts: HostReads, session: SessionRef): Promise<void> {
  if ((await hosts.epochOf(session.host)) === session.epoch) return
  throw new FencedOut(`host ${session.host} has a newer session`)
}

/** A host's agent holds operations of its own lane only, whatever numbers it names. */
export async function requireLease(tx: Tx, ref: LeaseRef): Promise<Operation> {
  await requireHostSession(tx.hosts, ref.session)
  const op = await tx.operations.holds(ref.operationId, ref.fence)
  if (op?.lane !== hostLane(ref.session.host))
    throw new FencedOut(`operation ${ref.operationId} is not held under fence ${ref.fence}`)
  return op
}
