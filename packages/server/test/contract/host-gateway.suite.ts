/** The contract of the port HostGateway, for any adapter of it: what the API asks of a host besides streams. */
import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { after, before, describe, test } from 'node:test'
import { FakeHost } from '../../src/adapters/fake/fake-host.ts'
import { FakeImageDriver } from '../../src/adapters/fake/fake-image-driver.ts'
import { FakeNetworkDriver } from '../../src/adapters/fake/fake-network-driver.ts'
import { SimEngine } from '../../src/adapters/fake/sim-engine.ts'
import type { LocalHost } from '../../src/adapters/streams/local-host-gateway.ts'
import type { HostGateway } from '../../src/app/ports/host-gateway.ts'
import { ABSENT } from '../../src/domain/container/status.ts'
import {
  ApiError,
  Conflict,
  EngineConflict,
  EngineNotFound,
  EngineRefused,
  EngineRemains,
  EngineUnavailable,
  Unavailable,
  UserFault,
} from '../../src/domain/errors.ts'
import { systemClock } from '../../src/lib/system-clock.ts'
import type { EngineCreateRequest } from '../../src/orchestration/ports/engine.ts'
import { aCreateRequest, aPort } from '../support/builders.ts'
import { filesIn, soon, tarOf } from '../support/engine-harness.ts'

export const HOST = 'host-1'

export interface GatewayHarness {
  readonly gateway: HostGateway
  close(): Promise<void>
}

const LOGS = { stdout: true, stderr: true, timestamps: false, tail: null, since: null, maxBytes: 1_000 }
const NOBODY = '00000000-0000-4000-8000-000000000000'

export function hostGatewaySuite(name: string, open: (host: LocalHost) => Promise<GatewayHarness>): void {
  describe(name, () => {
    const engine = new SimEngine({ clock: systemClock, callTimeoutMs: 60_000 })
    let trouble: string | null = null
    let harness: GatewayHarness
    let gateway: HostGateway
    before(async () => {
      engine.images.add('busybox:latest', { command: ['sh'] })
      const networks = new FakeNetworkDriver({ engine, sim: engine, host: new FakeHost() })
      harness = await open({
        name: HOST,
        engine,
        images: new FakeImageDriver(engine),
        networks: {
          prepare: async (port, o) => await networks.prepare(port, o),
          remove: async (id, o) => await engine.removeNetwork(id, o),
        },
        trouble: () => trouble,
      })
      gateway = harness.gateway
    })
    after(async () => {
      for (const { uuid } of engine.world().containers) await engine.remove(uuid, true, soon())
      await harness.close()
    })

    const run = async (patch: Partial<EngineCreateRequest> = {}): Promise<string> => {
      const request = aCreateRequest({ image: 'busybox:latest', command: ['serve'], ...patch })
      await engine.create(request, soon())
      await engine.start(request.containerUuid, soon())
      return request.containerUuid
    }

    test('a container is looked at, and one that is not there is absent', async () => {
      const uuid = await run({ generation: 7 })
      const seen = await gateway.observe(HOST, uuid, soon())
      assert.deepEqual([seen.state, seen.generation], ['running', 7])
      assert.deepEqual(await gateway.observe(HOST, NOBODY, soon()), ABSENT)
    })

    test('a log comes as it was written, byte for byte, and is cut at its limit', async () => {
      const text = 'é line\n\u0000{"a":1}\nlast'
      const uuid = await run({ command: ['echo', '-n', text] })
      assert.equal((await gateway.logs(HOST, uuid, LOGS, soon())).toString(), text)
      const cut = (await gateway.logs(HOST, uuid, { ...LOGS, maxBytes: 4 }, soon())).toString()
      assert.match(cut, /^é l/)
      assert.ok(!cut.includes('last'), cut)
    })

    test('processes and figures', async () => {
      const uuid = await run()
      const { Titles, Processes } = await gateway.top(HOST, uuid, null, soon())
      assert.equal(Processes[0]?.length, Titles.length)
      assert.ok((await gateway.stats(HOST, uuid, soon())).memLimitBytes > 0)
    })

    test('a command runs to its end, with its output and exit code', async () => {
      const uuid = await run()
      const exec = { command: ['sh', '-c', 'echo one; exit 3'], interactive: false, timeoutMs: 10_000, maxBytes: 100 }
      const { output, exitCode, truncated } = await gateway.execute(HOST, uuid, exec, soon())
      assert.deepEqual([output.toString(), exitCode, truncated], ['one\n', 3, false])
      const cut = await gateway.execute(HOST, uuid, { ...exec, maxBytes: 2 }, soon())
      assert.deepEqual([cut.output.toString(), cut.truncated], ['on', true])
      const late = gateway.execute(HOST, uuid, { ...exec, command: ['sleep', '30'], timeoutMs: 50 }, soon())
      await assert.rejects(late, (error) => error instanceof ApiError && error.status === 409)
    })

    test('an exec is made to be talked to, and resized by its own container only', async () => {
      const [uuid, other] = [await run({ tty: true }), await run()]
      const size = { columns: 100, rows: 30 }
      const exec = { command: ['sh'], interactive: true, tty: true }
      const id = await gateway.createExec(HOST, uuid, exec, soon())
      assert.match(id, /./)
      await assert.rejects(gateway.resizeExec(HOST, other, id, size, soon()), EngineNotFound)
      await gateway.resizeTty(HOST, uuid, size, soon())
    })

    test('files go in and come out, and an archive over the limit is refused', async () => {
      const uuid = await run()
      const files = { big: 'x'.repeat(2_000_000), small: '\n{}\n' }
      await gateway.putArchive(HOST, uuid, '/tmp', await tarOf(files), soon())
      const { stat, tar } = await gateway.getArchive(HOST, uuid, '/tmp/small', 100_000, soon())
      assert.deepEqual([stat.name, (await filesIn(Readable.from([tar])))['small']], ['small', files.small])
      const big = await gateway.getArchive(HOST, uuid, '/tmp/big', 4_000_000, soon())
      assert.equal((await filesIn(Readable.from([big.tar])))['big'], files.big)
      await assert.rejects(gateway.getArchive(HOST, uuid, '/tmp/big', 1_000_000, soon()), {
        status: 413,
        message: 'The archive of /tmp/big has more than 1000000 bytes.',
      })
      await assert.rejects(gateway.getArchive(HOST, uuid, '/none', 1_000, soon()), EngineNotFound)
      await assert.rejects(gateway.putArchive(HOST, NOBODY, '/tmp', Buffer.from('x'), soon()), EngineNotFound)
      await assert.rejects(gateway.putArchive(HOST, uuid, '/tmp', Buffer.from('no tar'), soon()), EngineRefused)
    })

    test('a network is made, found again, not removed while a container is on it, and then removed', async () => {
      const { networkId, networkName, projectId, subnets } = aPort()
      const network = { networkId, networkName, projectId, subnets }
      const id = await gateway.prepareNetwork(HOST, network, soon())
      assert.equal(await gateway.prepareNetwork(HOST, network, soon()), id)
      const endpoint = { network: networkId, ipv4Address: null, ipv6Address: null, macAddress: null }
      const uuid = await run({ endpoint })
      await assert.rejects(gateway.removeNetwork(HOST, networkId, soon()), Conflict)
      await engine.remove(uuid, true, soon())
      assert.equal(await gateway.removeNetwork(HOST, networkId, soon()), true)
      assert.equal(await gateway.removeNetwork(HOST, networkId, soon()), false)
    })

    test('images are looked for', async () => {
      engine.images.publish('nginx', { command: ['serve'] })
      assert.deepEqual(
        (await gateway.searchImages(HOST, 'nginx', soon())).map((image) => image.name),
        ['nginx:latest'],
      )
      const find = async (image: string) => {
        const spec = { image, imageDriver: 'docker', imagePullPolicy: 'never' } as const
        return await gateway.findImage(HOST, { spec, projectId: 'p', registryDomain: null, auth: null }, soon())
      }
      assert.equal((await find('busybox'))?.reference, 'busybox:latest')
      assert.equal(await find('nothing'), undefined)
      await assert.rejects(find('a b'), (error) => error instanceof UserFault && error.code === 'image.bad_reference')
    })

    test('what is wrong has its class and its text', async () => {
      const uuid = await run()
      const refuse = (error: Error): void =>
        void engine.calls.faults.add({ call: 'top', containerUuid: uuid, trouble: { kind: 'refuse', error } })
      for (const Kind of [EngineNotFound, EngineConflict, EngineRefused, EngineUnavailable, EngineRemains]) {
        refuse(new Kind('the reason'))
        const asked = gateway.top(HOST, uuid, null, soon())
        await assert.rejects(asked, (error) => error instanceof Kind && error.message === 'the reason')
      }
      trouble = 'gone'
      await assert.rejects(gateway.top(HOST, uuid, null, soon()), (error) => {
        return error instanceof Unavailable && error.retryAfterS === 10
      })
      trouble = null
      await assert.rejects(gateway.observe('elsewhere', uuid, soon()), Unavailable)
    })

    test('whoever leaves is not waited for, and the engine is let go', async () => {
      const uuid = await run()
      const leave = new AbortController()
      const reached = new Promise<void>((resolve) => {
        const until = new Promise<void>(() => undefined)
        engine.calls.faults.add({
          call: 'stats',
          containerUuid: uuid,
          trouble: { kind: 'hold', until, reached: resolve },
        })
      })
      const asked = gateway.stats(HOST, uuid, { signal: leave.signal })
      await reached
      leave.abort(new Error('enough'))
      await assert.rejects(asked, /enough/)
    })
  })
}
