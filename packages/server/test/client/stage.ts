import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { ApiClient, ContainerBody } from '../support/api-client.ts'
import { closeAll } from '../support/close-all.ts'
import type { ZundOptions, ZundProcess } from '../support/zund-process.ts'
import { commandsOf, type Area } from './commands.ts'
import { ClientRunner, User } from './openstack.ts'
import { localPlace, type ClientPlace } from './place.ts'

interface Held {
  readonly place: ClientPlace
  readonly runner: ClientRunner
  readonly demo: User
  readonly admin: User
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

/** A place with two people in it who use the client. The same tests run on the stages of different places. */
export class Stage {
  readonly #open: () => Promise<ClientPlace>
  #held: Held | undefined
  readonly ran = new Set<string>()
  readonly #closers: (() => Promise<unknown>)[] = []

  constructor(open: () => Promise<ClientPlace>) {
    this.#open = open
  }

  async open(): Promise<void> {
    const place = await this.#open()
    const runner = new ClientRunner()
    const user = (cloud: string): User => new User(runner, place.cloudsYaml, cloud, this.ran)
    this.#held = {
      place,
      runner,
      demo: user(place.clouds.demo),
      admin: user(place.clouds.admin),
      directory: mkdtempSync(join(tmpdir(), 'zund-client-')),
    }
  }

  async close(): Promise<void> {
    const held = this.#held
    await closeAll(
      () => held?.runner.close(),
      () => held && rmSync(held.directory, { recursive: true, force: true }),
      () => held?.place.close(),
      ...this.#closers,
    )
  }

  /** What tests have beside it is closed with it. */
  atEnd(close: () => Promise<unknown>): void {
    this.#closers.push(close)
  }

  get #on(): Held {
    if (this.#held === undefined) throw new Error('the stage is not open')
    return this.#held
  }

  get place(): ClientPlace {
    return this.#on.place
  }

  get demo(): User {
    return this.#on.demo
  }

  get admin(): User {
    return this.#on.admin
  }

  /** As demo. */
  get api(): ApiClient {
    return this.place.demo
  }

  get zund(): ZundProcess {
    return this.place.zund
  }

  get busybox(): string {
    return this.place.busybox
  }

  /** An empty directory. */
  get directory(): string {
    return this.#on.directory
  }

  /** A container that runs, made through the client. */
  async running(name: string, options = '', command: readonly string[] = PATIENT): Promise<ContainerBody> {
    await this.demo.ok(`appcontainer run --name ${name} ${options} ${this.busybox}`.replaceAll(/ +/g, ' '), ...command)
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

/** Tests of one area on a service of its own; the last one looks whether they have run what commands.ts says they do. */
export function clientTests(
  area: Area,
  define: (stage: Stage) => void,
  options: () => Promise<ZundOptions> = async () => ({}),
): void {
  describe(`client: ${area}`, () => {
    const stage = new Stage(async () => localPlace(await options()))
    before(async () => stage.open())
    after(async () => stage.close())
    define(stage)
    it('every command that belongs here was run', () => {
      assert.deepEqual(
        commandsOf(area).filter((command) => !stage.ran.has(command)),
        [],
      )
    })
  })
}
