/** A service, and things in it that requests of different callers can be about. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import type { ContainerStatus } from '../../src/domain/container/types.ts'
import { QUIET_HOST, SpecApi, type Answer } from './spec-api.ts'
import { until } from './until.ts'

export const CALLERS = ['admin', 'member', 'reader', 'stranger', 'nobody'] as const
export type CallerName = (typeof CALLERS)[number]

export interface Row {
  /** `{box}`, `{image}` … stand for things of project red, `{n}` for a number that is used once. */
  readonly line: string
  /** Whose refusal is the first; null: no rule is asked. */
  readonly rule: string | null
  /** Statuses for an admin, a member and a reader of the project, a member of another one, and without a token. */
  readonly answers: string
  readonly body?: object
  /** Instead of it: a tar as it is. */
  readonly tar?: string
  readonly minor?: number
  /** Of `{box}`. */
  readonly status?: ContainerStatus
}

/** A create that anybody may ask for. */
export const CREATE = { image: 'busybox', memory: 64 }
export const CAPSULE = { kind: 'capsule', metadata: {}, spec: { containers: [{ image: 'busybox' }] } }

const UNLIMITED = {
  quotaContainers: '-1',
  quotaMemory: '-1',
  quotaCpu: '-1',
  quotaRegistries: '-1',
  quotaLocalNetworks: '-1',
  quotaLocalVolumes: '-1',
  quotaLocalVolumeSize: '-1',
}

export class PolicyStage {
  readonly api: SpecApi
  readonly #tokens: Readonly<Record<CallerName, string>>
  #count = 0
  #live: Promise<{ uuid: string; action: string }> | undefined

  private constructor(api: SpecApi, tokens: Readonly<Record<CallerName, string>>) {
    this.api = api
    this.#tokens = tokens
  }

  static async start(policy?: string): Promise<PolicyStage> {
    const api = await SpecApi.start({ overrides: UNLIMITED, ...(policy === undefined ? {} : { policy }) })
    const { identity } = api.machine
    const red = await identity.ensureProject('red')
    const reader = await identity.ensureUser('rita', 'secret of rita')
    await identity.assign(reader.id, red.id, 'reader')
    return new PolicyStage(api, {
      admin: api.machine.token('admin'),
      member: api.machine.token('alice'),
      reader: (await identity.issue(reader, red, ['reader'])).token,
      stranger: api.machine.token('bob'),
      nobody: '',
    })
  }

  async ask(row: Row, caller: CallerName): Promise<Answer> {
    this.#count += 1
    const line = await this.#filled(row.line, row.status ?? 'Running')
    const body = row.body === undefined ? {} : { body: await this.#filled(JSON.stringify(row.body), 'Running') }
    const tar = row.tar === undefined ? {} : { 'content-type': 'application/x-tar' }
    const headers = { 'x-auth-token': this.#tokens[caller], ...tar }
    return await this.api.ask(line, {
      headers,
      minor: row.minor ?? 40,
      ...body,
      ...(row.tar === undefined ? {} : { body: row.tar }),
    })
  }

  async #filled(line: string, status: ContainerStatus): Promise<string> {
    const projectId = this.api.machine.projectId('red')
    const makers: Readonly<Record<string, () => Promise<string>>> = {
      n: async () => String(this.#count),
      red: async () => projectId,
      box: async () => await this.api.row({ status }),
      live: async () => (await this.#running()).uuid,
      action: async () => (await this.#running()).action,
      host: async () => await this.#host(),
      image: async () => await this.#image(projectId),
      registry: async () => await this.#registry(),
      capsule: async () => await this.#capsule(),
      network: async () => await this.#local('networks', {}),
      volume: async () => await this.#local('volumes', { size: 1 }),
    }
    let filled = line
    for (const [whole, name = ''] of line.matchAll(/\{(\w+)\}/g)) {
      const value = await makers[name]?.()
      assert.ok(value !== undefined, whole)
      filled = filled.replace(whole, value)
    }
    return filled
  }

  /** One that really runs, for looking into. */
  async #running(): Promise<{ uuid: string; action: string }> {
    this.#live ??= (async () => {
      const answer = await this.api.ask('POST /v1/containers?run=true', {
        body: { ...CREATE, name: 'live', interactive: true, tty: true, command: ['serve'] },
      })
      assert.equal(answer.status, 202, answer.title)
      const { uuid } = answer.body as { uuid: string }
      await until('it runs', async () => {
        const container = await this.api.machine.store.containers.byUuid(uuid, { kind: 'all' })
        return container?.status === 'Running'
      })
      return { uuid, action: String(answer.headers['x-openstack-request-id']) }
    })()
    return await this.#live
  }

  async #host(): Promise<string> {
    const host = `host-${this.#count}`
    await this.api.machine.store.write(async (tx) => {
      await tx.hosts.beginSession({ host, availabilityZone: 'nova', uuidIfNew: randomUUID() })
    })
    return host
  }

  async #image(projectId: string): Promise<string> {
    const uuid = randomUUID()
    await this.api.machine.store.write(async (tx) => {
      await tx.images.insert({
        uuid,
        imageId: null,
        repo: `of-${uuid}`,
        tag: 'latest',
        sizeBytes: null,
        host: QUIET_HOST,
        projectId,
        userId: 'u',
        pending: null,
        error: null,
      })
    })
    return uuid
  }

  async #registry(): Promise<string> {
    const { body, title } = await this.api.ask('POST /v1/registries', {
      body: { registry: { name: `of-${this.#count}`, domain: 'registry.test' } },
    })
    const { registry } = body as { registry?: { uuid: string } }
    assert.ok(registry !== undefined, title)
    return registry.uuid
  }

  async #capsule(): Promise<string> {
    const { body, title } = await this.api.ask('POST /v1/capsules', { body: { template: CAPSULE } })
    const { uuid } = body as { uuid?: string }
    assert.ok(uuid !== undefined, title)
    return uuid
  }

  async #local(kind: 'networks' | 'volumes', more: object): Promise<string> {
    const { body, title } = await this.api.ask(`POST /v1/local/${kind}`, {
      body: { name: `of-${this.#count}`, ...more },
    })
    const { uuid } = body as { uuid?: string }
    assert.ok(uuid !== undefined, title)
    return uuid
  }
}
