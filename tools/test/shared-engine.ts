import { importBusybox } from './busybox-image.ts'
import { PrivateEngine } from './private-engine.ts'

/** The engine that suites and benchmarks use: the one that ZUND_TEST_ENGINE names, or one started when first needed. */
export class SharedEngine implements AsyncDisposable {
  readonly #given = process.env['ZUND_TEST_ENGINE'] ?? ''
  #own: PrivateEngine | undefined
  #ready: Promise<void> | undefined

  /** Tried once: what could not be started for one suite cannot be for the next. */
  async ready(o: { signal: AbortSignal }): Promise<void> {
    this.#ready ??= this.#given === '' ? this.#start(o) : Promise.resolve()
    await this.#ready
  }

  async #start(o: { signal: AbortSignal }): Promise<void> {
    console.log('zund: starting a container engine for the tests')
    this.#own = await PrivateEngine.start(o)
    await importBusybox(this.#own.socketPath, o)
  }

  get socketPath(): string {
    return this.#own?.socketPath ?? this.#given
  }

  /** Put before a command, it runs in the engine's network. */
  get enter(): string[] {
    return this.#own?.enter ?? []
  }

  async stop(): Promise<void> {
    await this.#own?.stop()
    this.#own = undefined
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }
}
