/**
 * Both ends of the direct calls to a host as one function each: the control plane's, which makes messages of calls, and the
 * host's, which makes calls of messages. What carries the messages is between them (adapters/streams/https-host-gateway,
 * edge/host-streams). Both ends check what they are given against the schemas of the contract.
 */
import { HOST_CALLS, type HostAnswer, type HostCall, type HostRequest } from '@zund/contract/link/host-calls.ts'
import { Compile, type Validator } from 'typebox/compile'
import { EngineFailed, InvalidInput } from '../../domain/errors.ts'
import type { CallOptions } from '../../orchestration/ports/control-plane.ts'
import type { HostGateway } from './host-gateway.ts'

/** A JSON value, and the bytes that belong to it. */
export interface HostMessage {
  readonly value: unknown
  readonly bytes: Buffer
}

export interface CarryOptions extends CallOptions {
  /** Bytes of the answer besides its value. */
  readonly maxBytes: number
  /** Milliseconds that the host may take beyond the usual. */
  readonly extraMs: number
}

/** Carries one message there and the answer back. Throws what the host threw, or Unavailable. */
export type CarryHostCall = (
  host: string,
  call: HostCall,
  message: HostMessage,
  o: CarryOptions,
) => Promise<HostMessage>

const NO_BYTES = Buffer.alloc(0)

/** The value as one line of JSON, then the bytes. */
export function encodeMessage({ value, bytes }: HostMessage): Buffer {
  return Buffer.concat([Buffer.from(`${JSON.stringify(value)}\n`), bytes])
}

/** SyntaxError when it is none. */
export function decodeMessage(data: Buffer): HostMessage {
  const end = data.indexOf(0x0a)
  const value: unknown = JSON.parse(data.toString('utf8', 0, end < 0 ? data.length : end))
  return { value, bytes: end < 0 ? NO_BYTES : data.subarray(end + 1) }
}

interface Extras {
  readonly bytes?: Buffer
  readonly maxBytes?: number
  readonly extraMs?: number
}

/** The control plane's end. */
export function gatewayOver(carry: CarryHostCall): HostGateway {
  const ask = async <C extends HostCall>(
    host: string,
    call: C,
    value: HostRequest<C>,
    { signal }: CallOptions,
    { bytes = NO_BYTES, maxBytes = 0, extraMs = 0 }: Extras = {},
  ): Promise<{ value: HostAnswer<C>; bytes: Buffer }> => {
    const answer = await carry(host, call, { value, bytes }, { signal, maxBytes, extraMs })
    const { value: told } = answer
    requireAnswer(call, told)
    return { value: told, bytes: answer.bytes }
  }
  return {
    observe: async (host, container, o) => (await ask(host, 'observe', { container }, o)).value,
    logs: async (host, container, request, o) =>
      (await ask(host, 'logs', { container, ...request }, o, { maxBytes: request.maxBytes })).bytes,
    top: async (host, container, psArgs, o) => (await ask(host, 'top', { container, psArgs }, o)).value,
    stats: async (host, container, o) => (await ask(host, 'stats', { container }, o)).value,
    resizeTty: async (host, container, size, o) => void (await ask(host, 'resizeTty', { container, size }, o)),
    execute: async (host, container, { timeoutMs, maxBytes, ...request }, o) => {
      const message = { container, exec: execOf(request), timeoutMs, maxBytes }
      const { value, bytes } = await ask(host, 'execute', message, o, { maxBytes, extraMs: timeoutMs })
      return { ...value, output: bytes }
    },
    createExec: async (host, container, request, o) =>
      (await ask(host, 'createExec', { container, exec: execOf(request) }, o)).value,
    resizeExec: async (host, container, exec, size, o) =>
      void (await ask(host, 'resizeExec', { container, exec, size }, o)),
    getArchive: async (host, container, path, maxBytes, o) => {
      const { value, bytes } = await ask(host, 'getArchive', { container, path, maxBytes }, o, { maxBytes })
      return { stat: value, tar: bytes }
    },
    putArchive: async (host, container, path, tar, o) =>
      void (await ask(host, 'putArchive', { container, path }, o, { bytes: tar })),
    searchImages: async (host, term, o) => (await ask(host, 'searchImages', { term }, o)).value,
    prepareNetwork: async (host, { networkId, networkName, projectId, subnets }, o) =>
      (await ask(host, 'prepareNetwork', { networkId, networkName, projectId, subnets: [...subnets] }, o)).value,
    removeNetwork: async (host, networkId, o) => (await ask(host, 'removeNetwork', { networkId }, o)).value,
    findImage: async (host, { spec, projectId, registryDomain, auth }, o) => {
      const { image, imageDriver, imagePullPolicy } = spec
      const message = { spec: { image, imageDriver, imagePullPolicy }, projectId, registryDomain, auth }
      return (await ask(host, 'findImage', message, o)).value ?? undefined
    },
  }
}

function execOf({ command, interactive, tty }: { command: readonly string[]; interactive: boolean; tty?: boolean }) {
  return { command: [...command], interactive, ...(tty === undefined ? {} : { tty }) }
}

interface Answer<C extends HostCall> {
  readonly value: HostAnswer<C>
  readonly bytes?: Buffer
}

type Answers = {
  readonly [C in HostCall]: (
    end: HostGateway,
    host: string,
    request: HostRequest<C>,
    bytes: Buffer,
    o: CallOptions,
  ) => Promise<Answer<C>>
}

const DONE = { value: null }

const ANSWERS: Answers = {
  observe: async (end, host, { container }, _, o) => ({ value: await end.observe(host, container, o) }),
  logs: async (end, host, { container, ...request }, _, o) => ({
    value: null,
    bytes: await end.logs(host, container, request, o),
  }),
  top: async (end, host, { container, psArgs }, _, o) => ({ value: await end.top(host, container, psArgs, o) }),
  stats: async (end, host, { container }, _, o) => ({ value: await end.stats(host, container, o) }),
  resizeTty: async (end, host, { container, size }, _, o) => {
    await end.resizeTty(host, container, size, o)
    return DONE
  },
  execute: async (end, host, { container, exec, timeoutMs, maxBytes }, _, o) => {
    const { output, ...value } = await end.execute(host, container, { ...exec, timeoutMs, maxBytes }, o)
    return { value, bytes: output }
  },
  createExec: async (end, host, { container, exec }, _, o) => ({
    value: await end.createExec(host, container, exec, o),
  }),
  resizeExec: async (end, host, { container, exec, size }, _, o) => {
    await end.resizeExec(host, container, exec, size, o)
    return DONE
  },
  getArchive: async (end, host, { container, path, maxBytes }, _, o) => {
    const { stat, tar } = await end.getArchive(host, container, path, maxBytes, o)
    return { value: { ...stat }, bytes: tar }
  },
  putArchive: async (end, host, { container, path }, bytes, o) => {
    await end.putArchive(host, container, path, bytes, o)
    return DONE
  },
  searchImages: async (end, host, { term }, _, o) => ({ value: await end.searchImages(host, term, o) }),
  prepareNetwork: async (end, host, network, _, o) => ({ value: await end.prepareNetwork(host, network, o) }),
  removeNetwork: async (end, host, { networkId }, _, o) => ({ value: await end.removeNetwork(host, networkId, o) }),
  findImage: async (end, host, request, _, o) => ({ value: (await end.findImage(host, request, o)) ?? null }),
}

/** The host's end. InvalidInput when the message is not as the contract has it. */
export async function answerHostCall(
  end: HostGateway,
  host: string,
  call: HostCall,
  { value, bytes }: HostMessage,
  o: CallOptions,
): Promise<HostMessage> {
  requireRequest(call, value)
  const answer = await answered(end, host, call, value, bytes, o)
  return { value: answer.value, bytes: answer.bytes ?? NO_BYTES }
}

async function answered<C extends HostCall>(
  end: HostGateway,
  host: string,
  call: C,
  value: HostRequest<C>,
  bytes: Buffer,
  o: CallOptions,
): Promise<Answer<C>> {
  return await ANSWERS[call](end, host, value, bytes, o)
}

function requireRequest<C extends HostCall>(call: C, value: unknown): asserts value is HostRequest<C> {
  const wrong = mistake(call, 'request', value)
  if (wrong !== undefined) throw new InvalidInput(wrong)
}

function requireAnswer<C extends HostCall>(call: C, value: unknown): asserts value is HostAnswer<C> {
  const wrong = mistake(call, 'answer', value)
  if (wrong !== undefined) throw new EngineFailed(`The host gave no answer that could be read: ${wrong}`)
}

const validators = new Map<string, Validator>()

function mistake(call: HostCall, part: 'request' | 'answer', value: unknown): string | undefined {
  const key = `${call} ${part}`
  let validator = validators.get(key)
  if (validator === undefined) {
    validator = Compile(HOST_CALLS[call][part])
    validators.set(key, validator)
  }
  if (validator.Check(value)) return undefined
  const [first] = validator.Errors(value)
  return `${key}: ${first?.instancePath ?? ''} ${first?.message ?? ''}`.trim()
}
