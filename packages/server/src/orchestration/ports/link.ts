/**
 * Both ends of a link as one function each: the agent's, which makes messages of calls, and the control plane's, which makes
 * calls of messages. What carries the messages is between them (adapters/link, edge/agent-api). Both ends check what they
 * are given against the schemas of the contract.
 */
import { LINK_CALLS, type LinkAnswer, type LinkCall, type LinkRequest } from '@zund/contract/link/calls.ts'
import { Compile, type Validator } from 'typebox/compile'
import { SystemFault } from '../../domain/errors.ts'
import type { CallOptions, ControlPlane } from './control-plane.ts'

/** Carries one message there and the answer back, both as JSON values. Throws FencedOut, or anything else: try again. */
export type Carry = (call: LinkCall, request: unknown, o: CallOptions) => Promise<unknown>

/** A message that is not as the contract has it. */
export class BadMessage extends SystemFault {
  constructor(message: string) {
    super('link.bad_message', message)
  }
}

/** The agent's end. */
export function linkOver(carry: Carry): ControlPlane {
  const ask = async <C extends LinkCall>(call: C, request: LinkRequest<C>, o: CallOptions): Promise<LinkAnswer<C>> => {
    const answer = await carry(call, request, o)
    requireAnswer(call, answer)
    return answer
  }
  return {
    deployment: async (query, o) => await ask('deployment', query, o),
    openSession: async (hello, o) => await ask('openSession', hello, o),
    claim: async (query, o) => await ask('claim', query, o),
    heartbeat: async (beat, o) => await ask('heartbeat', beat, o),
    journal: async (ref, entries, o) => void (await ask('journal', { ref, entries: [...entries] }, o)),
    finish: async (ref, entries, end, o) => void (await ask('finish', { ref, entries: [...entries], end }, o)),
    report: async (report, o) => void (await ask('report', report, o)),
    orphans: async (query, o) => await ask('orphans', query, o),
    disposals: async (session, o) => await ask('disposals', session, o),
    disposed: async (done, o) => void (await ask('disposed', done, o)),
    pendingImages: async (session, o) => await ask('pendingImages', session, o),
    imageProgress: async (progress, o) => void (await ask('imageProgress', progress, o)),
    imageDone: async (done, o) => void (await ask('imageDone', done, o)),
  }
}

type Answers = {
  readonly [C in LinkCall]: (end: ControlPlane, request: LinkRequest<C>, o: CallOptions) => Promise<LinkAnswer<C>>
}

const ANSWERS: Answers = {
  deployment: async (end, query, o) => await end.deployment(query, o),
  openSession: async (end, hello, o) => await end.openSession(hello, o),
  claim: async (end, query, o) => await end.claim(query, o),
  heartbeat: async (end, beat, o) => await end.heartbeat(beat, o),
  journal: async (end, { ref, entries }, o) => {
    await end.journal(ref, entries, o)
    return null
  },
  finish: async (end, { ref, entries, end: result }, o) => {
    await end.finish(ref, entries, result, o)
    return null
  },
  report: async (end, report, o) => {
    await end.report(report, o)
    return null
  },
  orphans: async (end, query, o) => await end.orphans(query, o),
  disposals: async (end, session, o) => await end.disposals(session, o),
  disposed: async (end, done, o) => {
    await end.disposed(done, o)
    return null
  },
  pendingImages: async (end, session, o) => await end.pendingImages(session, o),
  imageProgress: async (end, progress, o) => {
    await end.imageProgress(progress, o)
    return null
  },
  imageDone: async (end, done, o) => {
    await end.imageDone(done, o)
    return null
  },
}

/** The control plane's end. `vet` sees the checked message before the call is made, and throws when it may not be. */
export async function answerLinkCall<C extends LinkCall>(
  end: ControlPlane,
  call: C,
  request: unknown,
  o: CallOptions,
  vet: (spokenFor: SpokenFor) => void = () => undefined,
): Promise<LinkAnswer<C>> {
  requireRequest(call, request)
  vet(spokenFor(request))
  return await ANSWERS[call](end, request, o)
}

/** In whose name a message speaks, and which lane it wants work of. */
export interface SpokenFor {
  readonly host: string
  readonly lane: string | null
}

function spokenFor(message: LinkRequest<LinkCall>): SpokenFor {
  const host = 'host' in message ? message.host : 'session' in message ? message.session.host : message.ref.session.host
  return { host, lane: 'lane' in message ? message.lane : null }
}

const validators = new Map<string, Validator>()

function requireRequest<C extends LinkCall>(call: C, value: unknown): asserts value is LinkRequest<C> {
  check(call, 'request', value)
}

function requireAnswer<C extends LinkCall>(call: C, value: unknown): asserts value is LinkAnswer<C> {
  check(call, 'answer', value)
}

function check(call: LinkCall, part: 'request' | 'answer', value: unknown): void {
  const key = `${call} ${part}`
  let validator = validators.get(key)
  if (validator === undefined) {
    validator = Compile(LINK_CALLS[call][part])
    validators.set(key, validator)
  }
  if (validator.Check(value)) return
  const [first] = validator.Errors(value)
  throw new BadMessage(`${key}: ${first?.instancePath ?? ''} ${first?.message ?? ''}`.trim())
}
