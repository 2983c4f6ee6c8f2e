import type { Duplex } from 'node:stream'
import type { StreamDialer } from '../../app/ports/stream-dialer.ts'
import { Unavailable } from '../../domain/errors.ts'
import type { CallOptions } from '../../orchestration/ports/control-plane.ts'
import type { EngineStreams } from '../../orchestration/ports/engine.ts'

/** For a host whose engine this process speaks to itself. */
export class LocalStreamDialer implements StreamDialer {
  readonly #host: string
  readonly #engine: EngineStreams

  constructor(options: { host: string; engine: EngineStreams }) {
    this.#host = options.host
    this.#engine = options.engine
  }

  async attach(host: string, containerUuid: string, o: CallOptions): Promise<Duplex> {
    this.#requireMine(host)
    return await this.#engine.attachStream(containerUuid, o)
  }

  async exec(host: string, execId: string, o: CallOptions): Promise<Duplex> {
    this.#requireMine(host)
    return await this.#engine.startExecStream(execId, o)
  }

  #requireMine(host: string): void {
    if (host !== this.#host) throw new Unavailable('The host of the container cannot be reached from here.')
  }
}
