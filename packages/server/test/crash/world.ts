/** What outlives the lives of the service: the engine and the host's things, the database, and time. */
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FakeClaims } from '../../src/adapters/fake/fake-claims.ts'
import { FakeImageService } from '../../src/adapters/fake/fake-image-service.ts'
import { FakeHost } from '../../src/adapters/fake/fake-host.ts'
import { SimEngine } from '../../src/adapters/fake/sim-engine.ts'
import type { SimCall } from '../../src/adapters/fake/sim-faults.ts'
import { VirtualClock } from '../../src/adapters/fake/virtual-clock.ts'
import { SqlDatabase } from '../../src/adapters/sql/database.ts'
import { SqlStore } from '../../src/adapters/sql/sql-store.ts'
import { sameObservation } from '../../src/domain/container/status.ts'
import type { PastOperation } from '../../src/orchestration/ports/history.ts'
import type { Container } from '../../src/domain/container/types.ts'
import { anInventory } from '../support/builders.ts'
import { Activity } from './mortal.ts'

export const HOST = 'h1'
export const PROJECT = 'red'

/** In memory where there is such a place: a crash of the machine is not what is tried here. */
const SCRATCH = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()

let empty: Promise<{ file: string }> | undefined

/** A new database file; making one takes longer than many a scenario. */
async function emptyDatabase(): Promise<{ file: string }> {
  const directory = mkdtempSync(join(SCRATCH, 'zund-crash-'))
  process.once('exit', () => rmSync(directory, { recursive: true }))
  const file = join(directory, 'empty.sqlite')
  await new SqlDatabase(file).close()
  return { file }
}

/** Calls of the engine that must not be made once more than needed. */
export const EFFECTS: readonly SimCall[] = [
  'create',
  'start',
  'stop',
  'restart',
  'pause',
  'unpause',
  'kill',
  'remove',
  'commit',
  'connect',
]

/** One machine. */
export class Site {
  readonly name: string
  readonly host = new FakeHost()
  readonly engine: SimEngine
  /** What its agent says it has. */
  has = anInventory()

  constructor(name: string, clock: VirtualClock) {
    this.name = name
    this.engine = new SimEngine({ clock, wallMs: clock.wallMs, hostHas: (path) => this.host.hasPath(path) })
    this.engine.images.add('busybox:latest', { command: ['serve'] })
    this.engine.images.publish('busybox:latest', { command: ['serve'] })
    this.engine.images.publish('registry.test/app:1', { command: ['serve'] })
    this.engine.addStranger('not-ours')
  }
}

export class World {
  readonly clock = new VirtualClock()
  /** The first is the one that most is about. */
  readonly sites: readonly Site[]
  readonly activity = new Activity()
  /** The count of a cloud; it knows of hosts that say their resource provider. */
  readonly claims = new FakeClaims()
  readonly imageService = new FakeImageService((reference) =>
    this.sites.some(({ engine }) => engine.images.inspect(reference) !== undefined),
  )
  /** As the operator has it: what ran before a life ended is started in the next one. */
  resumesStopped = false
  readonly #directory = mkdtempSync(join(SCRATCH, 'zund-crash-'))
  readonly database: SqlDatabase
  readonly store: SqlStore
  #effectsBefore = new Map<SimCall, number>()

  static async make(hosts: number): Promise<World> {
    empty ??= emptyDatabase()
    return new World((await empty).file, hosts)
  }

  private constructor(template: string, hosts: number) {
    this.sites = Array.from({ length: hosts }, (_, n) => new Site(`h${n + 1}`, this.clock))
    const file = join(this.#directory, 'zund.sqlite')
    copyFileSync(template, file)
    this.database = new SqlDatabase(file, { nowMs: this.clock.wallMs })
    this.store = new SqlStore(this.database)
  }

  get engine(): SimEngine {
    return this.#first.engine
  }

  get host(): FakeHost {
    return this.#first.host
  }

  get #first(): Site {
    const [first] = this.sites
    if (first === undefined) throw new Error('a world without a host')
    return first
  }

  /** Effects are counted from now on. */
  beginCounting(): void {
    this.#effectsBefore = new Map(EFFECTS.map((call) => [call, this.#count(call)]))
  }

  effects(): Readonly<Record<string, number>> {
    return Object.fromEntries(EFFECTS.map((call) => [call, this.#count(call) - (this.#effectsBefore.get(call) ?? 0)]))
  }

  #count(call: SimCall): number {
    return this.sites.reduce((sum, { engine }) => sum + engine.count(call), 0)
  }

  /** Nothing is asked for that is not done. */
  async isQuiet(): Promise<boolean> {
    const { read } = this.database
    const busy = await Promise.all([
      read.selectFrom('operation').select('id').where('state', 'in', ['queued', 'running']).execute(),
      read.selectFrom('disposal').select('uuid').execute(),
      this.store.leftoverPorts.due(1),
      read.selectFrom('image').select('uuid').where('pending', 'is not', null).execute(),
    ])
    return busy.every((rows) => rows.length === 0)
  }

  /** All that users, operators and later requests could notice, in an order that does not depend on history. */
  async seen() {
    const { read } = this.database
    const containers = (await Promise.all(this.sites.map(({ name }) => this.store.containers.onHost(name)))).flat()
    return {
      otherHosts: this.sites.slice(1).map(({ engine, host }) => ({ engine: engine.world(), host: host.world() })),
      engine: this.engine.world(),
      host: this.host.world(),
      claims: this.claims.world(),
      imageService: this.imageService.world(),
      containers: await Promise.all(containers.map((row) => this.#container(row))),
      images: (await read.selectFrom('image').selectAll().orderBy('uuid').execute()).map(({ image_id, ...image }) => ({
        ...without(image, 'id'),
        isWhatTheEngineHas: image_id === (this.engine.images.inspect(`${image.repo}:${image.tag}`)?.id ?? null),
      })),
      networks: await read.selectFrom('local_network').selectAll().orderBy('uuid').execute().then(withoutTimes),
      addresses: await read.selectFrom('local_address').selectAll().orderBy('address').execute(),
      volumes: await read.selectFrom('local_volume').selectAll().orderBy('uuid').execute().then(withoutTimes),
      stops: (
        await read.selectFrom('container_stop').selectAll().orderBy('container_uuid').orderBy('id').execute()
      ).map(({ container_uuid: uuid, reason, actor, user_id: user }) => ({ uuid, reason, actor, user })),
      past: (await read.selectFrom('container_history').selectAll().orderBy('uuid').execute()).map((row) => ({
        ...without(row, 'created_at', 'deleted_at', 'operations'),
        operations: (JSON.parse(row.operations) as PastOperation[]).map(({ verb, state, steps }) => ({
          verb,
          state,
          steps: steps.map((step) => `${step.name} ${step.state}`),
        })),
      })),
      disposals: await read.selectFrom('disposal').selectAll().execute(),
      usage: await this.store.containers.usageOfProject(PROJECT),
      usageOfHosts: Object.fromEntries(await this.store.containers.usageOfHosts()),
    }
  }

  async #container(row: Container) {
    const { observed } = row
    const site = this.sites.find(({ name }) => name === row.host)
    const engine = site?.engine.container(row.uuid)?.inspect().seen
    const operations = await this.store.operations.actions(row.uuid)
    return {
      ...without(row, 'id', 'revision', 'createdAtMs', 'updatedAtMs', 'observed'),
      observed: observed?.state ?? null,
      // What the record says is what the engine has, down to the times.
      recordIsTrue:
        engine === undefined ? (observed?.state ?? 'absent') === 'absent' : sameObservation(observed, engine),
      bindings: await this.store.bindings.ofContainer(row.uuid),
      actions: await Promise.all(
        operations.map(async ({ id, verb, state, generation, recipe, errorCode, errorMessage, finishedAtMs }) => ({
          verb,
          state,
          generation,
          recipe,
          errorCode,
          errorMessage,
          isFinished: finishedAtMs !== null,
          steps: (await this.store.operations.steps(id)).map(
            ({ name, state: stepState, message, finishedAtMs: endedAt }) => ({
              name,
              state: stepState,
              message,
              isFinished: endedAt !== null,
            }),
          ),
        })),
      ),
    }
  }

  async close(): Promise<void> {
    await this.activity.settle()
    await this.store.close()
    rmSync(this.#directory, { recursive: true })
  }
}

export type Seen = Awaited<ReturnType<World['seen']>>

export function without<T extends object, K extends keyof T>(row: T, ...keys: readonly K[]): Omit<T, K> {
  const rest: Omit<T, K> & Partial<Pick<T, K>> = { ...row }
  for (const key of keys) delete rest[key]
  return rest
}

function withoutTimes<T extends { created_at: number }>(rows: readonly T[]) {
  return rows.map((row) => without(row, 'created_at'))
}
