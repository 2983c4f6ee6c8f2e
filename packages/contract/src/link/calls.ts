/** The calls of the link between control plane and agents, each with what is asked and what is answered. See docs/design/link.md. */
import { Type, type Static, type TSchema } from 'typebox'
import {
  ClaimedOperationSchema,
  ClaimQuerySchema,
  DeploymentQuerySchema,
  DisposalSchema,
  DisposedSchema,
  HeartbeatSchema,
  HostHelloSchema,
  ImageDoneSchema,
  ImageProgressSchema,
  LeaseRefSchema,
  ObservedReportSchema,
  OperationEndSchema,
  OwnershipQuerySchema,
  OwnershipSchema,
  PendingImageSchema,
  RenewResultSchema,
  SessionRefSchema,
  SessionSchema,
  StepEntrySchema,
} from './messages.ts'

const Entries = Type.Array(StepEntrySchema)
const Nothing = Type.Null()

export const LINK_CALLS = {
  deployment: { request: DeploymentQuerySchema, answer: Type.String() },
  openSession: { request: HostHelloSchema, answer: SessionSchema },
  claim: { request: ClaimQuerySchema, answer: Type.Array(ClaimedOperationSchema) },
  heartbeat: { request: HeartbeatSchema, answer: RenewResultSchema },
  journal: { request: Type.Object({ ref: LeaseRefSchema, entries: Entries }), answer: Nothing },
  finish: {
    request: Type.Object({ ref: LeaseRefSchema, entries: Entries, end: OperationEndSchema }),
    answer: Nothing,
  },
  report: { request: ObservedReportSchema, answer: Nothing },
  orphans: { request: OwnershipQuerySchema, answer: OwnershipSchema },
  disposals: { request: SessionRefSchema, answer: Type.Array(DisposalSchema) },
  disposed: { request: DisposedSchema, answer: Nothing },
  pendingImages: { request: SessionRefSchema, answer: Type.Array(PendingImageSchema) },
  imageProgress: { request: ImageProgressSchema, answer: Nothing },
  imageDone: { request: ImageDoneSchema, answer: Nothing },
} as const satisfies Readonly<Record<string, { readonly request: TSchema; readonly answer: TSchema }>>

export type LinkCall = keyof typeof LINK_CALLS
export type LinkRequest<C extends LinkCall> = Static<(typeof LINK_CALLS)[C]['request']>
export type LinkAnswer<C extends LinkCall> = Static<(typeof LINK_CALLS)[C]['answer']>

export function isLinkCall(name: string): name is LinkCall {
  return Object.hasOwn(LINK_CALLS, name)
}
