import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { OpenStackCloud } from './cloud.ts'
import { CONTROLLER } from './places.ts'

/** Where `main.ts up` leaves one. */
export function lastingCloud(root: string): string {
  return join(root, '.zund/openstack')
}

/** The services that suites use: those that ZUND_TEST_OPENSTACK names, those left running, or some started when needed. */
export class SharedCloud implements AsyncDisposable {
  readonly #given = process.env['ZUND_TEST_OPENSTACK'] ?? ''
  readonly #found: OpenStackCloud | undefined
  #own: OpenStackCloud | undefined
  #ready: Promise<void> | undefined

  constructor(root: string) {
    this.#found = this.#given === '' ? OpenStackCloud.find(lastingCloud(root)) : undefined
  }

  /** Tried once: what could not be started for one suite cannot be for the next. */
  async ready(o: { signal: AbortSignal }): Promise<void> {
    this.#ready ??= this.#given === '' && this.#found === undefined ? this.#start(o) : Promise.resolve()
    await this.#ready
  }

  async #start(o: { signal: AbortSignal }): Promise<void> {
    console.log('zund: starting OpenStack services for the tests')
    const directory = mkdtempSync(join(tmpdir(), 'zund-openstack-'))
    this.#own = await OpenStackCloud.start({ directory, tied: true, ...o })
  }

  /** Path of their clouds.yaml. */
  get accounts(): string {
    return (this.#own ?? this.#found)?.places.cloudsYaml ?? this.#given
  }

  /** Of the engine on that machine. */
  get engineSocket(): string {
    return (this.#own ?? this.#found)?.places.engineSocket(CONTROLLER.name) ?? process.env['ZUND_TEST_ENGINE'] ?? ''
  }

  /** Put before a command, it runs on the machine that they run on. */
  get enter(): string[] {
    return (this.#own ?? this.#found)?.enter ?? []
  }

  /** Only those that were started here. */
  async stop(): Promise<void> {
    await this.#own?.stop()
    this.#own = undefined
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }
}
