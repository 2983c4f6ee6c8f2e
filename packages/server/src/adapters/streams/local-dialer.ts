import type { Readable } from 'node:stream'
import type { StreamDialer } from '../../app/ports/stream-dialer.ts'
import { Unavailable } from '../../domain/errors.ts'
import type { CallOptions } from '../../orchestration/ports/control-plane.ts'
import type {
  EngineStreams,
  FollowRequest,
  LogStream,
  PathStat,
  ProgramStream,
} from '../../orchestration/ports/engine.ts'

/** For a host whose engine this process speaks to itself. */
export class LocalStreamDialer implements StreamDialer {
  readonly #host: string
  readonly #engine: EngineStreams

  constructor(options: { host: string; engine: EngineStreams }) {
    this.#host = options.host
    this.#engine = options.engine
  }

  async attach(host: string, containerUuid: string, o: CallOptions): Promise<ProgramStream> {
    return await this.#mine(host).attachStream(containerUuid, o)
  }

  async exec(host: string, execId: string, o: CallOptions): Promise<ProgramStream> {
    return await this.#mine(host).startExecStream(execId, o)
  }

  async logs(host: string, containerUuid: string, request: FollowRequest, o: CallOptions): Promise<LogStream> {
    return await this.#mine(host).followLogs(containerUuid, request, o)
  }

  async stats(host: string, containerUuid: string, o: CallOptions): Promise<Readable> {
    return await this.#mine(host).followStats(containerUuid, o)
  }

  async getArchive(
    host: string,
    containerUuid: string,
    path: string,
    o: CallOptions,
  ): Promise<{ stat: PathStat; tar: Readable }> {
    return await this.#mine(host).readArchive(containerUuid, path, o)
  }

  async putArchive(
    host: string,
    containerUuid: string,
    path: string,
    begin: () => Readable,
    o: CallOptions,
  ): Promise<void> {
    await this.#mine(host).writeArchive(containerUuid, path, begin, o)
  }

  #mine(host: string): EngineStreams {
    if (host !== this.#host) throw new Unavailable('The host of the container cannot be reached from here.')
    return this.#engine
  }
}
