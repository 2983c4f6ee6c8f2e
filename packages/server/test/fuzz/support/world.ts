/** A machine with objects of two projects on it, which is put in order again after whatever a case has done to it. */
import { HOST, SimMachine, type User } from '../../support/sim-machine.ts'
import { until } from '../../support/until.ts'

interface Wanted {
  readonly user: User
  readonly name: string
  readonly run: boolean
  readonly body: Readonly<Record<string, unknown>>
}

const CONTAINERS: readonly Wanted[] = [
  { user: 'alice', name: 'box', run: true, body: { interactive: true, tty: true } },
  { user: 'alice', name: 'idle', run: false, body: {} },
  { user: 'bob', name: 'bobs-secret-box', run: true, body: { labels: { secret: 'bobs-secret-label' } } },
]

/** Names of what is there, by where it is. */
const RIGHT: readonly (readonly [path: string, names: readonly string[]])[] = [
  ['/v1/containers', ['box', 'box', 'idle']],
  ['/v1/capsules', ['pod', 'pod', 'bobs-secret-pod']],
  ['/v1/images', ['an image']],
  ['/v1/hosts', [HOST, 'the host']],
  ['/v1/local/networks', ['lan']],
  ['/v1/local/volumes', ['data']],
  ['/v1/registries', ['store']],
  ['/v1/quotas', ['the project']],
  ['/v1/quota_classes', ['default']],
  ['/identity/v3', ['the project']],
]

export class World {
  readonly machine: SimMachine
  readonly #uuids = new Map<string, string>()
  /** Id of the request that made the box. */
  #request = ''

  private constructor(machine: SimMachine) {
    this.machine = machine
  }

  static async start(): Promise<World> {
    const unlimited = {
      quotaContainers: '-1',
      quotaCpu: '-1',
      quotaMemory: '-1',
      quotaDisk: '-1',
      quotaRegistries: '-1',
    }
    const world = new World(await SimMachine.start({ overrides: unlimited, streams: { longestMs: 50 } }))
    try {
      await world.ready()
    } catch (error) {
      await world.machine.stop()
      throw error
    }
    return world
  }

  /** What may stand for `part` of a path. They change when an object was deleted and made anew. */
  idents(path = '', part = ''): string[] {
    const all = [...this.#uuids.keys(), ...this.#uuids.values()]
    const odd = ['0e7a2f5c-6bfd-4b63-8c46-0123456789ab', 'none', 'req-0e7a2f5c-6bfd-4b63-8c46-0123456789ab', HOST]
    const right = (RIGHT.find(([begin]) => path.startsWith(begin))?.[1] ?? []).flatMap((name) => [
      name,
      this.#uuids.get(name) ?? name,
    ])
    const fitting = part === ':request' ? [this.#request] : right
    return [...fitting, ...fitting, ...fitting, ...fitting, ...all, ...odd]
  }

  /** What only bob's project, or an admin, may see. */
  secrets(): string[] {
    const bobs = [...this.#uuids].filter(([name]) => name.startsWith('bobs-')).flat()
    return [...bobs, 'bobs-secret', this.machine.projectId('blue')]
  }

  /** Everything is there, and in the state that most calls need. */
  async ready(): Promise<void> {
    await this.#operatorsDefaults()
    await this.machine.store.write(async (tx) => {
      await tx.quotas.clear(['project', this.machine.projectId('red')])
      await tx.quotas.clear(['class', 'default'])
    })
    await this.#image()
    this.#uuids.set('the project', this.machine.projectId('red'))
    await this.#registry('alice', 'store')
    await this.#registry('bob', 'bobs-secret-store')
    for (const wanted of CONTAINERS) await this.#container(wanted)
    await this.#capsule('alice', 'pod')
    await this.#capsule('bob', 'bobs-secret-pod')
    await this.#local('alice', 'networks', { name: 'lan' })
    await this.#local('alice', 'volumes', { name: 'data', size: 1 })
    await this.#local('bob', 'volumes', { name: 'bobs-secret-volume', size: 1 })
  }

  async #operatorsDefaults(): Promise<void> {
    const host = await this.machine.store.hosts.byName(HOST)
    this.#uuids.set('the host', host?.uuid ?? '')
    if (host?.disabled === false && !host.forcedDown) return
    await this.machine.store.write(async (tx) => {
      await tx.hosts.setDisabled(HOST, false, null)
      await tx.hosts.setForcedDown(HOST, false)
    })
  }

  async #image(): Promise<void> {
    const { store } = this.machine
    const there = await store.images.byUuid(this.#uuids.get('an image') ?? '', { kind: 'all' })
    if (there !== undefined && there.pending !== 'delete') return
    if (there !== undefined) await this.machine.settled()
    const made = await this.machine.ask('admin', 'POST', '/v1/images', { repo: 'nginx:kept', host: HOST })
    this.#uuids.set('an image', (JSON.parse(made.body) as { uuid: string }).uuid)
  }

  async #container({ user, name, run, body }: Wanted): Promise<void> {
    const { store } = this.machine
    const scope = { kind: 'all' } as const
    const uuid = this.#uuids.get(name)
    const now = uuid === undefined ? undefined : await store.containers.byUuid(uuid, scope)
    if (now?.name === name && now.status === (run ? 'Running' : 'Created')) return
    if (now !== undefined) {
      await this.machine.settled()
      await this.machine.ask('admin', 'POST', `/v1/containers/${now.uuid}/unpause`)
      await this.machine.settled()
      await this.machine.ask('admin', 'DELETE', `/v1/containers/${now.uuid}?force=true`)
      await until(`${name} is gone`, async () => (await store.containers.byUuid(now.uuid, scope)) === undefined)
    }
    const request = { image: 'busybox', memory: 64, command: ['serve'], ...body, name }
    const made = await this.machine.ask(user, 'POST', `/v1/containers?run=${run}`, request)
    const fresh = (JSON.parse(made.body) as { uuid: string }).uuid
    await until(`${name} is made`, async () => {
      const row = await store.containers.byUuid(fresh, scope)
      if (row?.status === 'Error') throw new Error(`${name}: ${row.statusReason}`)
      return row?.status === (run ? 'Running' : 'Created')
    })
    this.#uuids.set(name, fresh)
    if (name === 'box') this.#request = String(made.headers['x-openstack-request-id'])
  }

  async #capsule(user: User, name: string): Promise<void> {
    const { store } = this.machine
    const there = async (uuid: string) => await store.containers.byUuid(uuid, { kind: 'all' })
    const before = await there(this.#uuids.get(name) ?? '')
    if (before?.desired === 'running') return
    const template = {
      kind: 'capsule',
      metadata: { name, labels: { of: name } },
      spec: { containers: [{ image: 'busybox', command: ['serve'] }] },
    }
    const made = await this.machine.ask(user, 'POST', '/v1/capsules', { template })
    const { uuid } = JSON.parse(made.body) as { uuid: string }
    await until(`${name} is made`, async () => (await there(uuid))?.status !== 'Creating')
    this.#uuids.set(name, uuid)
  }

  async #registry(user: User, name: string): Promise<void> {
    const uuid = this.#uuids.get(name) ?? ''
    const there = await this.machine.store.registries.byUuid(uuid, { kind: 'all' })
    if (there?.name === name) return
    const registry = { name, domain: 'registry.test', username: 'puller', password: 'bobs-secret-password' }
    const made = await this.machine.ask(user, 'POST', '/v1/registries', { registry })
    this.#uuids.set(name, (JSON.parse(made.body) as { registry: { uuid: string } }).registry.uuid)
  }

  async #local(user: User, resource: 'networks' | 'volumes', body: { name: string; size?: number }): Promise<void> {
    const { store } = this.machine
    const scope = { kind: 'all' } as const
    const uuid = this.#uuids.get(body.name)
    const there = uuid === undefined ? undefined : await store[resource].byUuid(uuid, scope)
    if (there !== undefined && !there.deleting) return
    const made = await this.machine.ask(user, 'POST', `/v1/local/${resource}`, body)
    if (made.statusCode === 403) return
    this.#uuids.set(body.name, (JSON.parse(made.body) as { uuid: string }).uuid)
  }
}
