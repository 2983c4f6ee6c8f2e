/**
 * The link within one process. It really serialises and validates, so that a value which would not survive the wire
 * fails on a laptop too.
 */
import type { TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import { Type } from 'typebox'
import * as wire from '@zund/contract/link/messages.ts'
import type { ControlPlane } from '../../orchestration/ports/control-plane.ts'
import { SystemFault } from '../../domain/errors.ts'

const schemas = {
  hello: Compile(wire.HostHelloSchema),
  session: Compile(wire.SessionSchema),
  claim: Compile(wire.ClaimQuerySchema),
  claimed: Compile(Type.Array(wire.ClaimedOperationSchema)),
  heartbeat: Compile(wire.HeartbeatSchema),
  renewed: Compile(wire.RenewResultSchema),
  ref: Compile(wire.LeaseRefSchema),
  entries: Compile(Type.Array(wire.StepEntrySchema)),
  end: Compile(wire.OperationEndSchema),
  report: Compile(wire.ObservedReportSchema),
  query: Compile(wire.OwnershipQuerySchema),
  ownership: Compile(wire.OwnershipSchema),
  disposer: Compile(wire.SessionRefSchema),
  disposals: Compile(Type.Array(wire.DisposalSchema)),
  disposed: Compile(wire.DisposedSchema),
  sessionRef: Compile(wire.SessionRefSchema),
  pendingImages: Compile(Type.Array(wire.PendingImageSchema)),
  imageDone: Compile(wire.ImageDoneSchema),
} satisfies Record<string, ReturnType<typeof Compile<TSchema>>>

type Name = keyof typeof schemas

function carry<T>(name: Name, value: T): T {
  const copy: unknown = JSON.parse(JSON.stringify(value))
  const schema = schemas[name]
  if (!schema.Check(copy)) {
    const [first] = schema.Errors(copy)
    throw new SystemFault('link.bad_message', `${name}: ${JSON.stringify(first)}`)
  }
  return copy as T
}

export function localLink(end: ControlPlane): ControlPlane {
  return {
    openSession: async (hello, o) => carry('session', await end.openSession(carry('hello', hello), o)),
    claim: async (query, o) => carry('claimed', await end.claim(carry('claim', query), o)),
    heartbeat: async (beat, o) => carry('renewed', await end.heartbeat(carry('heartbeat', beat), o)),
    journal: async (ref, entries, o) => end.journal(carry('ref', ref), carry('entries', entries), o),
    finish: async (ref, entries, result, o) =>
      end.finish(carry('ref', ref), carry('entries', entries), carry('end', result), o),
    report: async (report, o) => end.report(carry('report', report), o),
    orphans: async (query, o) => carry('ownership', await end.orphans(carry('query', query), o)),
    disposals: async (session, o) => carry('disposals', await end.disposals(carry('disposer', session), o)),
    disposed: async (done, o) => end.disposed(carry('disposed', done), o),
    pendingImages: async (session, o) =>
      carry('pendingImages', await end.pendingImages(carry('sessionRef', session), o)),
    imageDone: async (done, o) => end.imageDone(carry('imageDone', done), o),
  }
}
