import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { ApiClient, ContainerBody } from '../support/api-client.ts'
import { closeAll } from '../support/close-all.ts'
import { ZundProcess, type ZundOptions } from '../support/zund-process.ts'
import { COMMAND_NAMES, commandsOf, type Area } from './commands.ts'
import { ClientRunner, User } from './openstack.ts'

/** Options of every container here: what is on the engine, and ends when asked to. */
export const BUSYBOX = '--image-pull-policy never busybox'

interface Held {
  readonly zund: ZundProcess
  readonly runner: ClientRunner
  /** The members of clouds.yaml. */
  readonly demo: User
  readonly admin: User
  /** For waiting, not for what is tested. */
  readonly api: ApiClient
  /** An empty directory. */
  readonly directory: string
}

/** What the engine says of a container, as far as tests ask. */
export interface Inspected {
  readonly State: { readonly Status: string; readonly StartedAt: string; readonly ExitCode: number }
  readonly Image: string
  readonly Config: {
    readonly Env: readonly string[]
    readonly Cmd: readonly string[]
    readonly Entrypoint: readonly string[] | null
    readonly Labels: Readonly<Record<string, string>>
    readonly WorkingDir: string
    readonly Hostname: string
    readonly OpenStdin: boolean
    readonly Tty: boolean
    readonly Healthcheck?: { readonly Test: readonly string[]; readonly Interval: number; readonly Retries: number }
  }
  readonly HostConfig: {
    readonly Memory: number
    readonly NanoCpus: number
    readonly CpuQuota: number
    readonly CpuPeriod: number
    readonly Privileged: boolean
    readonly RestartPolicy: { readonly Name: string; readonly MaximumRetryCount: number }
    readonly Runtime: string
  }
  readonly Mounts: readonly { readonly Destination: string }[]
}

/** A service of its own for the tests of one file, with the client set up as `zund up` tells people to. */
export class Stage {
  #held: Held | undefined
  readonly ran = new Set<string>()
  readonly #closers: (() => Promise<unknown>)[] = []

  async open(options: ZundOptions): Promise<void> {
    const zund = await ZundProcess.start(options)
    const runner = new ClientRunner()
    const user = (cloud: string): User => {
      const env = { OS_CLIENT_CONFIG_FILE: join(zund.stateDir, 'clouds.yaml'), OS_CLOUD: cloud }
      const longestFirst = COMMAND_NAMES.toSorted((a, b) => b.length - a.length)
      return new User(runner, env, longestFirst, this.ran)
    }
    this.#held = {
      zund,
      runner,
      demo: user('zund'),
      admin: user('zund-admin'),
      api: await zund.client(),
      directory: mkdtempSync(join(tmpdir(), 'zund-client-')),
    }
  }

  async close(): Promise<void> {
    const held = this.#held
    await closeAll(
      () => held?.runner.close(),
      () => held && rmSync(held.directory, { recursive: true, force: true }),
      () => held?.zund.destroy(),
      ...this.#closers,
    )
  }

  /** What a file has beside it is closed with it. */
  atEnd(close: () => Promise<unknown>): void {
    this.#closers.push(close)
  }

  get held(): Held {
    if (this.#held === undefined) throw new Error('the stage is not open')
    return this.#held
  }

  get demo(): User {
    return this.held.demo
  }

  get admin(): User {
    return this.held.admin
  }

  get api(): ApiClient {
    return this.held.api
  }

  get zund(): ZundProcess {
    return this.held.zund
  }

  get directory(): string {
    return this.held.directory
  }

  /** A container that runs, made through the client. */
  async running(name: string, options = '', command: readonly string[] = PATIENT): Promise<ContainerBody> {
    await this.demo.ok(`appcontainer run --name ${name} ${options} ${BUSYBOX}`.replaceAll(/ +/g, ' '), ...command)
    return await this.settled(name, 'Running')
  }

  /** Waits until nothing is under way and the status is the given one. */
  async settled(name: string, status: string): Promise<ContainerBody> {
    return await this.api.waitFor(name, (found) => found.status === status && found.task_state === null)
  }

  async inspect(container: { readonly uuid: string }): Promise<Inspected> {
    return await this.zund.engine.api<Inspected>('GET', `/containers/zun-${container.uuid}/json`)
  }
}

/** Ends at once when it is asked to, which a `sleep` as first process would not. */
export const PATIENT = ['sh', '-c', 'trap "exit 0" TERM; sleep 1000 & wait'] as const

/** Tests of one file; the last one looks whether the file has run what commands.ts says it does. */
export function clientTests(
  area: Area,
  define: (stage: Stage) => void,
  options: () => Promise<ZundOptions> = async () => ({}),
): void {
  describe(`client: ${area}`, () => {
    const stage = new Stage()
    before(async () => await stage.open(await options()))
    after(() => stage.close())
    define(stage)
    it('every command that belongs here was run', () => {
      assert.deepEqual(
        commandsOf(area).filter((command) => !stage.ran.has(command)),
        [],
      )
    })
  })
}
