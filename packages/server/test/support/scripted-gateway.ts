import type { HostGateway } from '../../src/app/ports/host-gateway.ts'
import { ApiError } from '../../src/domain/errors.ts'
import type { LogsRequest } from '../../src/orchestration/ports/engine.ts'

/** A host that answers what the test wrote down, and notes what it was asked. */
export class ScriptedGateway implements HostGateway {
  /** Thrown by the next calls instead of an answer. */
  failure: unknown
  /** Only so many calls fail; then they are answered. */
  failuresLeft = Number.POSITIVE_INFINITY
  log = Buffer.from('hello\n')
  execOutput = { output: Buffer.from('hello\n'), exitCode: 0, truncated: false }
  /** The command goes on until it is given up. */
  execHangs = false
  tar = Buffer.from('a tar')
  readonly asked: { call: string; args: readonly unknown[] }[] = []

  #answer<T>(call: string, args: readonly unknown[], value: T): Promise<T> {
    this.asked.push({ call, args })
    if (this.failure !== undefined && this.failuresLeft > 0) {
      this.failuresLeft -= 1
      return Promise.reject(this.failure)
    }
    return Promise.resolve(value)
  }

  async observe(): Promise<never> {
    throw new Error('a look into a live container does not ask for its state')
  }

  logs(_host: string, uuid: string, request: LogsRequest) {
    return this.#answer('logs', [uuid, request], this.log)
  }

  prepareNetwork(_host: string, network: { networkId: string }) {
    return this.#answer('prepareNetwork', [network.networkId], 'f'.repeat(64))
  }

  removeNetwork(_host: string, networkId: string) {
    return this.#answer('removeNetwork', [networkId], true)
  }

  top(_host: string, uuid: string, psArgs: string | null) {
    return this.#answer('top', [uuid, psArgs], { Titles: ['PID', 'CMD'], Processes: [['1', 'sh']] })
  }

  stats(_host: string, uuid: string) {
    return this.#answer('stats', [uuid], {
      cpuTotalNs: 3_000,
      cpuSystemNs: 20_000,
      previousCpuTotalNs: 1_000,
      previousCpuSystemNs: 10_000,
      onlineCpus: 2,
      memUsageBytes: 1024 * 1024,
      memLimitBytes: 4 * 1024 * 1024,
      blockReadBytes: 10,
      blockWriteBytes: 20,
      netRxBytes: 30,
      netTxBytes: 40,
    })
  }

  resizeTty(_host: string, uuid: string, size: object) {
    return this.#answer('resizeTty', [uuid, size], undefined)
  }

  async execute(_host: string, uuid: string, request: object, { signal }: { signal: AbortSignal }) {
    if (this.execHangs) {
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
    }
    return await this.#answer('execute', [uuid, request], this.execOutput)
  }

  createExec(_host: string, uuid: string, request: object) {
    return this.#answer('createExec', [uuid, request], 'ab'.repeat(32))
  }

  resizeExec(_host: string, uuid: string, execId: string, size: object) {
    return this.#answer('resizeExec', [uuid, execId, size], undefined)
  }

  getArchive(_host: string, uuid: string, path: string, maxBytes: number) {
    if (this.tar.length > maxBytes) {
      return Promise.reject(new ApiError(413, 'request-too-large', `The archive has more than ${maxBytes} bytes.`))
    }
    const stat = { name: 'f', size: 3, mode: 420, mtime: '2024-01-01T00:00:00Z', linkTarget: '' }
    return this.#answer('getArchive', [uuid, path], { stat, tar: this.tar })
  }

  putArchive(_host: string, uuid: string, path: string, tar: Buffer) {
    return this.#answer('putArchive', [uuid, path, tar], undefined)
  }

  searchImages() {
    return this.#answer('searchImages', [], [])
  }

  findImage() {
    return this.#answer('findImage', [], undefined)
  }
}
