import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { SimMachine, type User } from '../support/sim-machine.ts'
import { runs } from './support/seed.ts'

/** Small, so that quotas, full networks and names that are taken are met with. */
const OVERRIDES = { quotaContainers: '6', quotaMemory: '2048', quotaDisk: '20', networkPrefixV4: '28' }

let machine: SimMachine
before(async () => {
  machine = await SimMachine.start({ overrides: OVERRIDES })
})
after(() => machine.stop())

type Method = Parameters<SimMachine['ask']>[1]

/** One request; the numbers choose among what is there when its turn comes. */
interface Move {
  readonly user: User
  readonly method: Method
  /** `{}` stands for one of the containers made so far. */
  readonly path: string
  readonly body: object | undefined
  readonly which: number
  /** The next move is made without waiting for the answer to this one. */
  readonly hurries: boolean
}

const names = fc.constantFrom('a1', 'b2', 'c3')
const create = fc.record(
  {
    image: fc.constantFrom('busybox', 'nginx', 'busybox:missing'),
    name: names,
    command: fc.constantFrom(['serve'], ['true'], ['sleep', '0.1'], ['nonsense']),
    memory: fc.constantFrom(64, 128, 1024),
    disk: fc.constantFrom(1, 2),
    auto_remove: fc.boolean(),
    interactive: fc.boolean(),
    nets: fc.constantFrom([], [{ network: 'n1' }], [{ network: 'n1' }, { network: 'n2' }]),
    mounts: fc.constantFrom(
      [],
      [{ source: 'v1', destination: '/data' }],
      [
        { size: 1, destination: '/new' },
        { type: 'bind', source: 'aGVsbG8=', destination: '/etc/motd' },
      ],
    ),
    restart_policy: fc.constantFrom({ Name: 'no' }, { Name: 'on-failure', MaximumRetryCount: 1 }),
  },
  { requiredKeys: ['image', 'command', 'memory'] },
)

const ACTIONS = [
  'start',
  'stop?timeout=1',
  'reboot?timeout=1',
  'pause',
  'unpause',
  'kill',
  'kill?signal=SIGUSR1',
  'rebuild',
  'rebuild?image=nginx',
  'network_attach?network=n1',
  'network_attach',
  'network_detach?network=n1',
  'network_detach?network=default',
  'commit?repository=snap',
  'execute?command=true',
  'execute?command=true&run=false',
]

const move: fc.Arbitrary<Pick<Move, 'method' | 'path' | 'body'>> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.tuple(create, fc.boolean()).map(([body, run]) => ({
      method: 'POST' as const,
      path: `/v1/containers?run=${run}`,
      body,
    })),
  },
  {
    weight: 10,
    arbitrary: fc.constantFrom(...ACTIONS).map((action) => ({
      method: 'POST' as const,
      path: `/v1/containers/{}/${action}`,
      body: undefined,
    })),
  },
  {
    weight: 5,
    arbitrary: fc.constantFrom('', '?stop=true', '?force=true').map((query) => ({
      method: 'DELETE' as const,
      path: `/v1/containers/{}${query}`,
      body: undefined,
    })),
  },
  {
    weight: 2,
    arbitrary: fc
      .record({ memory: fc.constantFrom(32, 256), cpu: fc.constantFrom(0.5, 2), name: names }, { requiredKeys: [] })
      .map((body) => ({ method: 'PATCH' as const, path: '/v1/containers/{}', body })),
  },
  {
    weight: 3,
    arbitrary: fc.constantFrom('networks n1', 'networks n2', 'volumes v1').chain((what) => {
      const [resource = '', name = ''] = what.split(' ')
      const body = resource === 'volumes' ? { name, size: 1 } : { name }
      const url = `/v1/local/${resource}`
      return fc.constantFrom(
        { method: 'POST' as const, path: url, body },
        { method: 'DELETE' as const, path: `${url}/${name}`, body: undefined },
      )
    }),
  },
  {
    weight: 1,
    arbitrary: fc.constant({
      method: 'POST' as const,
      path: '/v1/images',
      body: { repo: 'nginx', host: 'sim-host' },
    }),
  },
)

const moves: fc.Arbitrary<Move[]> = fc.array(
  fc
    .tuple(
      move,
      fc.constantFrom<User>('alice', 'alice', 'alice', 'alice', 'admin', 'admin', 'bob'),
      fc.nat(),
      fc.boolean(),
    )
    .map(([one, user, which, hurries]) => ({ ...one, user, which, hurries })),
  { minLength: 4, maxLength: 25 },
)

/** What most moves work with: two networks, a volume and two containers. */
async function furnished(): Promise<string[]> {
  for (const name of ['n1', 'n2']) await machine.ask('alice', 'POST', '/v1/local/networks', { name })
  await machine.ask('alice', 'POST', '/v1/local/volumes', { name: 'v1', size: 1 })
  const uuids: string[] = []
  for (const name of ['first', 'second']) {
    const body = { image: 'busybox', command: ['serve'], memory: 64, name, interactive: true }
    const { body: made } = await machine.ask('alice', 'POST', '/v1/containers?run=true', body)
    uuids.push((JSON.parse(made) as { uuid: string }).uuid)
  }
  await machine.settled()
  return uuids
}

async function play(sequence: readonly Move[]): Promise<void> {
  const uuids = await furnished()
  const open: Promise<void>[] = []
  for (const { user, method, path, body, which, hurries } of sequence) {
    const ident = uuids[which % Math.max(1, uuids.length)] ?? 'none'
    const url = path.replace('{}', ident)
    const asked = machine.ask(user, method, url, body).then((answer) => {
      assert.ok(answer.statusCode < 500, `${user} ${method} ${url}: ${answer.statusCode} ${answer.body}`)
      if (url.startsWith('/v1/containers?') && answer.statusCode === 202) {
        uuids.push((JSON.parse(answer.body) as { uuid: string }).uuid)
      }
    })
    if (hurries) open.push(asked)
    else await asked
  }
  await Promise.all(open)
}

test('whatever is done in whatever order, the records agree with the world, and after all is deleted nothing is there', async () => {
  await fc.assert(
    fc.asyncProperty(moves, async (sequence) => {
      await play(sequence)
      await machine.settled()
      await machine.agreed()
      await machine.clear()
      assert.deepEqual(await machine.leftovers(), [])
      assert.deepEqual(machine.errors, [])
    }),
    runs(30),
  )
})
