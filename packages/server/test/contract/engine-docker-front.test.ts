/** What only a front before the real engine can show: versions, hangs, and what exactly is asked of the engine. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { rmSync } from 'node:fs'
import { afterEach, describe, test } from 'node:test'
import type { DockerEngine } from '../../src/adapters/docker/docker-engine.ts'
import { EngineUnavailable, HostLacks } from '../../src/domain/errors.ts'
import type { EngineCreateRequest } from '../../src/orchestration/ports/engine.ts'
import type { Subnet } from '../../src/orchestration/ports/wire.ts'
import { aCreateRequest } from '../support/builders.ts'
import { dockerEngine, HARDENING, testEngineSocket } from '../support/docker-harness.ts'
import { EngineFront, type FrontManners, type SeenRequest } from '../support/engine-front.ts'
import { soon } from '../support/engine-harness.ts'
import { until } from '../support/until.ts'

interface Setting {
  readonly front: EngineFront
  readonly engine: DockerEngine
}

const undo: (() => Promise<void>)[] = []

async function setUp(manners: FrontManners = {}, callTimeoutMs = 30_000): Promise<Setting> {
  const front = new EngineFront(testEngineSocket(), manners)
  await front.open()
  const engine = dockerEngine(front.socketPath, { callTimeoutMs, pullStallMs: callTimeoutMs })
  undo.push(async () => {
    engine.close()
    await front.close()
  })
  return { front, engine }
}

async function create({ engine }: Setting, patch: Partial<EngineCreateRequest> = {}): Promise<string> {
  const request = aCreateRequest(patch)
  const real = dockerEngine(testEngineSocket())
  undo.push(async () => {
    await real.remove(request.containerUuid, true, soon())
    real.close()
  })
  await engine.create(request, soon())
  return request.containerUuid
}

afterEach(async () => {
  for (const step of undo.splice(0).toReversed()) await step()
})

function bodyOfCreate(front: EngineFront): Record<string, unknown> {
  const found = front.seen.findLast((seen) => seen.path === '/containers/create')
  assert.ok(found)
  return found.body as Record<string, unknown>
}

test('an engine that goes down does on old connections what it is told, and its ping says that it is gone', async () => {
  const { engine, front } = await setUp()
  await engine.info(soon())
  await engine.ping(soon())
  // The first thing that engines do.
  rmSync(front.socketPath)
  await engine.info(soon())
  await assert.rejects(engine.ping(soon()), EngineUnavailable)
})

describe('versions of the API', () => {
  test('an engine that has dropped old versions is spoken to in one it takes', async () => {
    const setting = await setUp({ apiVersion: '1.52', minimumVersion: '1.44' })
    const uuid = await create(setting)
    await setting.engine.start(uuid, soon())
    assert.equal((await setting.engine.inspect(uuid, soon()))?.seen.state, 'running')
    const versions = new Set(setting.front.seen.map((seen) => seen.version))
    assert.deepEqual(versions, new Set([null, '1.51']))
    assert.equal((await setting.engine.info(soon())).apiVersion, '1.51')
  })

  test('an older engine is spoken to in its own version', async () => {
    const setting = await setUp({ apiVersion: '1.41' })
    await setting.engine.ping(soon())
    assert.equal(setting.front.seen.at(-1)?.version, '1.41')
  })

  test('an engine too old to be driven safely is said to be so', async () => {
    const { engine } = await setUp({ apiVersion: '1.24' })
    await assert.rejects(engine.ping(soon()), (error) => {
      assert.ok(error instanceof EngineUnavailable)
      assert.match(error.message, /1\.24.*1\.41/)
      return true
    })
  })

  test('an engine replaced by a newer one is noticed, and the call goes through', async () => {
    const setting = await setUp({ apiVersion: '1.41' })
    const uuid = await create(setting)
    await setting.front.shut()
    setting.front.manners = { apiVersion: '1.52', minimumVersion: '1.44' }
    await setting.front.open()
    // The call that finds its connection broken is lost; whether it did anything, nobody knows.
    await until('the container is started', async () => {
      return await setting.engine.start(uuid, soon()).then(
        () => true,
        (error: unknown) => {
          assert.ok(error instanceof EngineUnavailable)
          return false
        },
      )
    })
    assert.equal((await setting.engine.inspect(uuid, soon()))?.seen.state, 'running')
    assert.equal(setting.front.seen.at(-1)?.version, '1.51')
  })

  test('an engine replaced while connections stand is noticed, and a create is written for the new version', async () => {
    const setting = await setUp({ apiVersion: '1.41' })
    await setting.engine.ping(soon())
    setting.front.manners = { apiVersion: '1.52', minimumVersion: '1.44' }
    const macAddress = '02:42:ac:11:00:99'
    await create(setting, { endpoint: { network: 'bridge', ipv4Address: null, ipv6Address: null, macAddress } })
    assert.match(JSON.stringify(bodyOfCreate(setting.front)['NetworkingConfig']), /02:42:ac:11:00:99/)
  })

  test('a MAC address is never one of the whole container, which would keep it when its port is gone', async () => {
    for (const apiVersion of ['1.41', '1.44']) {
      const setting = await setUp({ apiVersion })
      const macAddress = '02:42:ac:11:00:99'
      await create(setting, { endpoint: { network: 'bridge', ipv4Address: null, ipv6Address: null, macAddress } })
      const { MacAddress } = bodyOfCreate(setting.front)
      assert.equal(MacAddress, undefined, apiVersion)
    }
  })

  test('one who gives up while the version is asked for does not take the others along', async () => {
    const { front, engine } = await setUp({ hangs: (seen) => seen.path === '/_ping' && seen.version === null }, 2_000)
    const giveUp = new AbortController()
    const reason = new Error('superseded')
    const first = engine.ping({ signal: giveUp.signal })
    const second = engine.ping(soon())
    await until('the front is asked', async () => front.seen.length > 0)
    giveUp.abort(reason)
    await assert.rejects(first, (error) => error === reason)
    front.manners = {}
    await assert.rejects(second, EngineUnavailable)
    await engine.ping(soon())
  })
})

describe('a network of a plugin', () => {
  const options = { 'neutron.net.uuid': 'n', 'neutron.subnet.uuid': 's' }
  const v4 = { id: 's', cidr: '192.0.2.0/25', gateway: '192.0.2.1', version: 4 as const }
  const bare = { id: 't', cidr: '192.0.2.128/25', gateway: null, version: 4 as const }
  const v6 = { id: 'u', cidr: 'fd00:2::/64', gateway: 'fd00:2::1', version: 6 as const }

  /** The engine is told that it has been made: it has no such plugin. */
  async function asked(apiVersion: string, subnets: readonly Subnet[]): Promise<Record<string, unknown>> {
    const name = randomUUID()
    const { front, engine } = await setUp({ apiVersion })
    const isAsked = (): SeenRequest | undefined => front.seen.find(({ path }) => path === '/networks/create')
    front.manners = {
      apiVersion,
      answers: ({ path }) =>
        isAsked() !== undefined && path.startsWith('/networks/') ? { Name: name, Id: 'e'.repeat(64) } : undefined,
    }
    const plugin = { driver: 'kuryr', options }
    await engine.ensureNetwork({ name, projectId: 'p', displayName: 'net', subnets, plugin }, soon())
    const body = isAsked()?.body as Record<string, unknown>
    assert.equal(body['Name'], name)
    return body
  }

  test('is asked for by its name, with driver and options for networks and addresses, and no gateway where there is none', async () => {
    const body = await asked('1.41', [v4, bare, v6])
    assert.deepEqual([body['Driver'], body['EnableIPv6'], body['Options']], ['kuryr', true, options])
    assert.deepEqual(body['IPAM'], {
      Driver: 'kuryr',
      Options: options,
      Config: [
        { Subnet: v4.cidr, Gateway: v4.gateway },
        { Subnet: bare.cidr },
        { Subnet: v6.cidr, Gateway: v6.gateway },
      ],
    })
    assert.equal((await asked('1.41', [v4]))['EnableIPv6'], false)
  })

  test('of IPv6 alone needs an engine that can be without IPv4, and is refused by older ones before they are asked', async () => {
    const body = await asked('1.48', [v6])
    assert.deepEqual([body['EnableIPv4'], body['EnableIPv6']], [false, true])
    await assert.rejects(
      asked('1.47', [v6]),
      (error) => error instanceof HostLacks && /no IPv4 subnet/.test(error.message),
    )
  })
})

describe('an engine that hangs', () => {
  test('is given up within the deadline, at the first call and at every later one', async () => {
    const { front, engine } = await setUp({ hangs: () => true }, 300)
    await assert.rejects(engine.ping(soon()), EngineUnavailable)
    front.manners = {}
    await until('the engine answers again', () =>
      engine.ping(soon()).then(
        () => true,
        () => false,
      ),
    )
    front.manners = { hangs: () => true }
    await assert.rejects(engine.ping(soon()), EngineUnavailable)
    await assert.rejects(engine.list(soon()), EngineUnavailable)
  })

  test('does not keep other containers from being looked at', async () => {
    const setting = await setUp({}, 2_000)
    const [stuck, well] = [await create(setting), await create(setting)]
    setting.front.manners = { hangs: (seen) => seen.path.includes(stuck) }
    const waiting = setting.engine.inspect(stuck, soon()).catch((error: unknown) => error)
    assert.equal((await setting.engine.inspect(well, soon()))?.containerUuid, well)
    assert.ok((await waiting) instanceof EngineUnavailable)
  })

  test('that breaks its event stream says so', async () => {
    const { front, engine } = await setUp()
    const events = engine.events(Date.now(), soon())[Symbol.asyncIterator]()
    assert.equal((await events.next()).value?.kind, 'resync')
    const next = events.next()
    await front.shut()
    await assert.rejects(next, EngineUnavailable)
  })
})

const TOP_KEYS =
  'Image Cmd Entrypoint Env Labels WorkingDir Hostname Tty OpenStdin StdinOnce ExposedPorts Healthcheck HostConfig NetworkingConfig'
const HOST_KEYS =
  'Memory CpuShares StorageOpt RestartPolicy AutoRemove Privileged Runtime Mounts NetworkMode SecurityOpt PidsLimit LogConfig'

describe('what a tenant asks for', () => {
  test('reaches the engine through an allow-list, with the limits that everybody gets', async () => {
    const setting = await setUp()
    await create(setting, {
      environment: { A: 'b' },
      labels: { role: 'web' },
      workdir: '/srv',
      hostname: 'web1',
      exposedPorts: ['80/tcp'],
      tty: true,
      interactive: true,
      cpu: 0.5,
      memoryMiB: 64,
      restartPolicy: { name: 'on-failure', maximumRetryCount: 2 },
      healthcheck: { test: 'true', intervalS: 5, timeoutS: 2, retries: 3 },
      runtime: 'runc',
      mounts: [{ source: '/etc', destination: '/data' }],
      endpoint: { network: 'bridge', ipv4Address: null, ipv6Address: null, macAddress: '02:42:ac:11:00:98' },
    })
    const body = bodyOfCreate(setting.front)
    const hostConfig = body['HostConfig'] as Record<string, unknown>
    assert.deepEqual(
      Object.keys(body).filter((key) => !TOP_KEYS.split(' ').includes(key)),
      [],
    )
    assert.deepEqual(
      Object.keys(hostConfig).filter((key) => !HOST_KEYS.split(' ').includes(key)),
      [],
    )
    assert.equal(hostConfig['Privileged'], false)
    assert.deepEqual(hostConfig['SecurityOpt'], ['no-new-privileges'])
    assert.equal(hostConfig['PidsLimit'], HARDENING.pidsLimit)
    assert.deepEqual(hostConfig['LogConfig'], {
      Type: 'json-file',
      Config: { 'max-size': HARDENING.logMaxSize, 'max-file': String(HARDENING.logMaxFiles) },
    })
    assert.equal(body['StdinOnce'], false)
    assert.equal(hostConfig['Memory'], 64 * 1024 * 1024)
    assert.equal(hostConfig['CpuShares'], 512)
  })

  test('cannot smuggle in anything beside what the port names', async () => {
    const setting = await setUp()
    const extra = { Binds: ['/:/host'], HostConfig: { Privileged: true }, CapAdd: ['ALL'], pidMode: 'host' }
    await create(setting, extra as Partial<EngineCreateRequest>)
    assert.doesNotMatch(JSON.stringify(bodyOfCreate(setting.front)), /Binds|CapAdd|pidMode|"Privileged":true/)
  })

  test('stays data in every string, however it is written', async () => {
    const hostile = [
      `"}],"HostConfig":{"Privileged":true},"x":[{"`,
      '$(id)`id`;id|id&id\n\r\t\\',
      '../../containers/create?name=x#fragment',
      '%2e%2e%2f%00&force=1',
      '\u2028\u202e\ufeff👾',
    ]
    for (const [n, text] of hostile.entries()) {
      const setting = await setUp()
      const uuid = await create(setting, {
        command: ['echo', text],
        entrypoint: ['/bin/echo', text],
        environment: { [`KEY${n}`]: text },
        labels: { [`label ${text}`]: text },
        workdir: `/srv/${text.replaceAll(/[\n\r\0]/g, '')}`,
        healthcheck: { test: text, intervalS: null, timeoutS: null, retries: null },
      })
      const body = bodyOfCreate(setting.front)
      assert.deepEqual(body['Cmd'], ['echo', text])
      assert.deepEqual(body['Entrypoint'], ['/bin/echo', text])
      assert.deepEqual(body['Env'], [`KEY${n}=${text}`])
      assert.equal((body['Labels'] as Record<string, string>)[`label ${text}`], text)
      assert.deepEqual((body['Healthcheck'] as { Test: unknown }).Test, ['CMD-SHELL', text])
      assert.equal((body['HostConfig'] as Record<string, unknown>)['Privileged'], false)
      assert.deepEqual((await setting.engine.inspect(uuid, soon()))?.seen.command, ['echo', text])
    }
  })

  test('cannot lead a call to another place of the engine', async () => {
    const { front, engine } = await setUp()
    const text = '../../../containers/json?all=1&force=1#'
    const uuid = randomUUID()
    const size = { columns: 1, rows: 1 }
    const calls: readonly [string, () => Promise<unknown>][] = [
      ['/containers/', () => engine.start(text, soon())],
      ['/containers/', () => engine.remove(text, false, soon())],
      ['/containers/', () => engine.kill(uuid, text, soon())],
      ['/containers/', () => engine.top(uuid, text, soon())],
      ['/containers/', () => engine.getArchive(uuid, text, soon())],
      ['/exec/', () => engine.runExec(text, 1, soon())],
      ['/exec/', () => engine.resizeExec(text, text, size, soon())],
      ['/images/', () => engine.inspectImage(text, soon())],
      ['/images/', () => engine.inspectImage('../containers/x', soon())],
      ['/images/', () => engine.removeImage('../containers/x', soon())],
      ['/exec/', () => engine.runExec('..', 1, soon())],
      ['/networks/', () => engine.inspectNetwork('..', soon())],
      ['/networks/', () => engine.inspectNetwork(text, soon())],
      ['/networks/', () => engine.removeNetwork(text, soon())],
      ['/networks/', () => engine.disconnect(uuid, text, soon())],
    ]
    for (const [prefix, call] of calls) {
      front.seen.length = 0
      await call().catch(() => undefined)
      for (const seen of front.seen.filter((one) => one.version !== null)) checkPlace(seen, prefix)
    }
  })
})

/** Below its prefix, without a segment that a server would resolve. */
function checkPlace(seen: SeenRequest, prefix: string): void {
  assert.ok(seen.path.startsWith(prefix), seen.path)
  assert.ok(!seen.path.split('/').includes('..'), seen.path)
  assert.ok(!seen.query.has('all'), seen.path)
  assert.notEqual(seen.query.get('force'), '1')
}
