import { Duplex, PassThrough, Readable } from 'node:stream'
import { EngineNotFound } from '../../domain/errors.ts'
import type {
  EngineCallOptions,
  EngineStreams,
  FollowRequest,
  LogStream,
  PathStat,
  ProgramStream,
} from '../../orchestration/ports/engine.ts'
import { STDERR, STDOUT, outputFrame } from '../../lib/output-frames.ts'
import type { SimEngine } from './sim-engine.ts'

/** How often it is looked whether there is more. Milliseconds. */
const LOOK_MS = 10

/** Streams of a SimEngine. Programs that one talks to say what they are told, and end with their input. */
export class SimStreams implements EngineStreams {
  readonly #engine: SimEngine

  constructor(engine: SimEngine) {
    this.#engine = engine
  }

  async attachStream(containerUuid: string, o: EngineCallOptions): Promise<ProgramStream> {
    const found = this.#engine.container(containerUuid)
    if (found === undefined || found.isLive) return echo()
    const before = found.inspect().seen.startedAtMs
    const { bytes, tty } = await this.followLogs(
      containerUuid,
      { stdout: true, stderr: true, timestamps: false, tail: null, since: null },
      o,
      {
        isToBegin: () =>
          found.inspect().seen.startedAtMs === before && this.#engine.container(containerUuid) !== undefined,
      },
    )
    return {
      tty,
      bytes: Duplex.from({ readable: bytes, writable: new PassThrough().resume() }),
      resize: async () => undefined,
      exitCode: async () => found.inspect().seen.exitCode,
    }
  }

  async startExecStream(execId: string, o: EngineCallOptions): Promise<ProgramStream> {
    if (this.#engine.isExecTty(execId)) return echo()
    const ended = this.#engine.runExec(execId, 10_000_000, o)
    async function* output(): AsyncGenerator<Buffer> {
      yield outputFrame(STDOUT, (await ended).output)
    }
    const readable = owned(Readable.from(output(), { objectMode: false }), o)
    return {
      tty: false,
      bytes: Duplex.from({ readable, writable: new PassThrough().resume() }),
      resize: async () => undefined,
      exitCode: async () => (await ended).exitCode,
    }
  }

  async followLogs(
    containerUuid: string,
    request: FollowRequest,
    o: EngineCallOptions,
    /** Of one that does not run yet: until when it is waited for. What it wrote in former lives is left out. */
    next?: { readonly isToBegin: () => boolean },
  ): Promise<LogStream> {
    const engine = this.#engine
    const tty = this.#require(containerUuid).request.tty
    // Of each output by itself, since a log that is read does not say which it is.
    const read = async (stream: 'stdout' | 'stderr', since: number): Promise<Buffer> => {
      if (!request[stream]) return Buffer.alloc(0)
      const only = { ...request, stdout: stream === 'stdout', stderr: stream === 'stderr', maxBytes: 10_000_000 }
      return (await engine.logs(containerUuid, only, o)).subarray(since)
    }
    await engine.logs(containerUuid, { ...request, maxBytes: 0 }, o)
    const seen = { stdout: 0, stderr: 0 }
    if (next !== undefined) {
      for (const stream of ['stdout', 'stderr'] as const) seen[stream] = (await read(stream, 0)).length
    }
    async function* grow(): AsyncGenerator<Buffer> {
      // While nothing is written it is at no place where its reader could end it.
      for (let isLive = true; isLive && !bytes.destroyed; ) {
        isLive = next?.isToBegin() === true || engine.container(containerUuid)?.isLive === true
        for (const stream of ['stdout', 'stderr'] as const) {
          const more = await read(stream, seen[stream]).catch(() => Buffer.alloc(0))
          seen[stream] += more.length
          if (more.length > 0) yield tty ? more : outputFrame(stream === 'stdout' ? STDOUT : STDERR, more)
        }
        if (isLive) await aMoment()
      }
    }
    const bytes = owned(Readable.from(grow(), { objectMode: false }), o)
    return { tty, bytes }
  }

  async followStats(containerUuid: string, o: EngineCallOptions): Promise<Readable> {
    const engine = this.#engine
    await engine.stats(containerUuid, o)
    async function* samples() {
      do {
        yield await engine.stats(containerUuid, o)
        await aMoment()
      } while (engine.container(containerUuid)?.isLive === true)
    }
    return owned(Readable.from(samples(), { highWaterMark: 1 }), o)
  }

  async readArchive(
    containerUuid: string,
    path: string,
    o: EngineCallOptions,
  ): Promise<{ stat: PathStat; tar: Readable }> {
    const { stat, tar } = await this.#engine.getArchive(containerUuid, path, o)
    return { stat, tar: owned(Readable.from(tar, { objectMode: false }), o) }
  }

  async writeArchive(containerUuid: string, path: string, begin: () => Readable, o: EngineCallOptions): Promise<void> {
    if (!this.#require(containerUuid).files.isDirectory(path)) {
      throw new EngineNotFound(`Could not find the directory ${path} in container`)
    }
    await this.#engine.putArchive(containerUuid, path, begin(), o)
  }

  #require(containerUuid: string) {
    const found = this.#engine.container(containerUuid)
    if (found === undefined) throw new EngineNotFound(`No such container: ${containerUuid}`)
    return found
  }
}

function echo(): ProgramStream {
  return { tty: true, bytes: new PassThrough(), resize: async () => undefined, exitCode: async () => 0 }
}

function owned(stream: Readable, { signal }: EngineCallOptions): Readable {
  signal.addEventListener('abort', () => stream.destroy(), { once: true })
  return stream
}

async function aMoment(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
}
