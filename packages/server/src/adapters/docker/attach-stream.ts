import { Duplex, pipeline, Transform, type TransformCallback } from 'node:stream'
import { EngineConflict } from '../../domain/errors.ts'
import type { EngineCallOptions, EngineStreams } from '../../orchestration/ports/engine.ts'
import { EngineHttp } from './http-client.ts'
import type { InspectAnswer } from './observation.ts'

/** Terminals of a Docker Engine: connections taken over from HTTP on its unix socket. */
export class DockerStreams implements EngineStreams {
  readonly #http: EngineHttp

  constructor(options: { socketPath: string; callTimeoutMs: number }) {
    this.#http = new EngineHttp({ socketPath: options.socketPath, timeoutMs: options.callTimeoutMs })
  }

  close(): void {
    this.#http.destroy()
  }

  async attachStream(containerUuid: string, { signal }: EngineCallOptions): Promise<Duplex> {
    const path = `/containers/zun-${encodeURIComponent(containerUuid)}`
    const { Config } = await this.#http.json<InspectAnswer>({ method: 'GET', path: `${path}/json`, signal })
    const socket = await this.#http.upgrade({
      method: 'POST',
      path: `${path}/attach`,
      query: { stream: 1, stdin: 1, stdout: 1, stderr: 1, logs: 0 },
      signal,
    })
    return Config?.Tty === true ? socket : withoutFrames(socket)
  }

  async startExecStream(execId: string, { signal }: EngineCallOptions): Promise<Duplex> {
    const path = `/exec/${encodeURIComponent(execId)}`
    const state = await this.#http.json<ExecState>({ method: 'GET', path: `${path}/json`, signal })
    // The engine itself would hijack the connection first and then say so to the user, as if the program had.
    if (state.Running === true || typeof state.ExitCode === 'number') {
      throw new EngineConflict('The command was started already.')
    }
    const tty = state.ProcessConfig?.tty === true
    const socket = await this.#http.upgrade({
      method: 'POST',
      path: `${path}/start`,
      json: { Detach: false, Tty: tty },
      signal,
    })
    return tty ? socket : withoutFrames(socket)
  }
}

interface ExecState {
  readonly Running?: boolean
  /** null until it has ended. */
  readonly ExitCode?: number | null
  readonly ProcessConfig?: { readonly tty?: boolean }
}

/** What is written goes to the connection as it is; what is read are the payloads of its frames. */
function withoutFrames(socket: Duplex): Duplex {
  const payloads = new FramePayloads()
  // An error of the connection destroys `payloads` with it, and so reaches the reader.
  pipeline(socket, payloads, () => undefined)
  return Duplex.from({ readable: payloads, writable: socket })
}

const HEADER = 8

/**
 * Takes the headers out of a stream of frames (stream number, three zero bytes, length in four bytes, payload). A
 * payload is passed on as it comes, not gathered first, so a frame of any length needs no memory.
 */
export class FramePayloads extends Transform {
  readonly #header = Buffer.alloc(HEADER)
  #headerBytes = 0
  #payloadLeft = 0

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    let at = 0
    while (at < chunk.length) {
      if (this.#payloadLeft > 0) {
        const part = chunk.subarray(at, at + this.#payloadLeft)
        this.#payloadLeft -= part.length
        at += part.length
        this.push(part)
        continue
      }
      const copied = chunk.copy(this.#header, this.#headerBytes, at, at + HEADER - this.#headerBytes)
      at += copied
      this.#headerBytes += copied
      if (this.#headerBytes < HEADER) break
      this.#headerBytes = 0
      this.#payloadLeft = this.#header.readUInt32BE(4)
    }
    done()
  }
}
