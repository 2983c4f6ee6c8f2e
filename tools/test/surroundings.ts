import { SharedCloud } from '../openstack/shared-cloud.ts'
import { SharedEngine } from './shared-engine.ts'
import type { Suite } from './suites.ts'

/** Where a suite runs. */
export interface Place {
  readonly env: NodeJS.ProcessEnv
  /** Command that puts the tests where they belong, e.g. into the network of their engine. */
  readonly wrap: readonly string[]
}

/** What suites need that is more than a program: started for the first that needs it. */
export class Surroundings implements AsyncDisposable {
  readonly #trouble: string | undefined
  readonly #engine = new SharedEngine()
  readonly #cloud: SharedCloud

  /** `trouble`: why the programs are not there, if they are not. */
  constructor(root: string, trouble: string | undefined) {
    this.#trouble = trouble
    this.#cloud = new SharedCloud(root)
  }

  /** Throws with one line when what the suite needs is not to be had. */
  async placeOf({ needs }: Suite, o: { signal: AbortSignal }): Promise<Place> {
    if (needs.length > 0 && this.#trouble !== undefined) throw new Error(this.#trouble)
    const env = testEnvironment()
    if (needs.includes('openstack')) {
      await this.#cloud.ready(o)
      const { accounts, engineSocket, enter } = this.#cloud
      return { env: { ...env, ZUND_TEST_OPENSTACK: accounts, ZUND_TEST_ENGINE: engineSocket }, wrap: enter }
    }
    if (!needs.includes('engine')) return { env, wrap: [] }
    await this.#engine.ready(o)
    return { env: { ...env, ZUND_TEST_ENGINE: this.#engine.socketPath }, wrap: this.#engine.enter }
  }

  async stopCloud(): Promise<void> {
    await this.#cloud.stop()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cloud.stop()
    await this.#engine.stop()
  }
}

/** Nothing of the developer's own set-up, and nothing of a test run that started this one. */
function testEnvironment(): NodeJS.ProcessEnv {
  const { NODE_TEST_CONTEXT: _, DOCKER_HOST: __, ZUND_STATE_DIR: ___, ...env } = process.env
  return { ...env, no_proxy: '127.0.0.1,localhost,::1', NO_PROXY: '127.0.0.1,localhost,::1' }
}
