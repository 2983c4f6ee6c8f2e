import { OutputFrames, STDERR, STDOUT } from '../../lib/output-frames.ts'
import type { Protocol, Said } from './protocol.ts'

/** docs/api/streams.md */
export const STREAM_PROTOCOL = 'v1.zund.stream'

/** First byte of each message. */
const INPUT = 0
const END = 3
const SIZE = 4
const END_OF_INPUT = 5

const LARGEST_SIDE = 65_535
const LONGEST_SIZE = 256

/** The user does not keep to the protocol; the text is the reason of the close, at most 123 bytes. */
export class WrongMessage extends Error {}

/** Outputs apart, an input that can end, sizes beside it, and the exit code. */
export class StreamProtocol implements Protocol {
  readonly #frames: OutputFrames | null

  constructor(tty: boolean) {
    this.#frames = tty ? null : new OutputFrames()
  }

  output(chunk: Buffer): Buffer[] {
    if (this.#frames === null) return [message(STDOUT, chunk)]
    return this.#frames.take(chunk).map(({ stream, payload }) => message(stream === STDERR ? STDERR : STDOUT, payload))
  }

  rest(): Buffer[] {
    return []
  }

  async farewell(exitCode: () => Promise<number | null>): Promise<Buffer[]> {
    const code = await exitCode()
    return [end(code === null ? { exit_code: null, reason: 'The program goes on.' } : { exit_code: code })]
  }

  broken(): Buffer[] {
    return [end({ exit_code: null, reason: 'The connection to the container broke.' })]
  }

  input(data: Buffer, isBinary: boolean): Said {
    if (!isBinary) throw new WrongMessage('Messages must be binary')
    const payload = data.subarray(1)
    switch (data[0]) {
      case INPUT:
        return { kind: 'input', bytes: payload }
      case SIZE:
        return readSize(payload)
      case END_OF_INPUT:
        return { kind: 'end of input' }
      case undefined:
        throw new WrongMessage('A message begins with the number of its channel')
      default:
        throw new WrongMessage(`Channel ${data[0]} takes nothing: 0 is input, 4 a size, 5 the end of the input`)
    }
  }
}

function message(channel: number, payload: Buffer): Buffer {
  return Buffer.concat([Buffer.of(channel), payload])
}

function end(what: { exit_code: number | null; reason?: string }): Buffer {
  return message(END, Buffer.from(JSON.stringify(what)))
}

function readSize(payload: Buffer): Said {
  const { width, height } = parsed(payload)
  if (!isSide(width) || !isSide(height)) {
    throw new WrongMessage(`A size is {"width": 1-${LARGEST_SIDE}, "height": 1-${LARGEST_SIDE}}`)
  }
  return { kind: 'size', columns: width, rows: height }
}

function parsed(payload: Buffer): { width?: unknown; height?: unknown } {
  try {
    const value: unknown = payload.length > LONGEST_SIZE ? null : JSON.parse(payload.toString('utf8'))
    return typeof value === 'object' && value !== null ? value : {}
  } catch {
    return {}
  }
}

function isSide(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= LARGEST_SIDE
}
