import assert from 'node:assert/strict'
import type { RequestListener } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { after, test, type TestContext } from 'node:test'
import { SimEngine } from '../../src/adapters/fake/sim-engine.ts'
import { SimStreams } from '../../src/adapters/fake/sim-streams.ts'
import { HttpsHostGateway } from '../../src/adapters/streams/https-host-gateway.ts'
import { LocalHostGateway } from '../../src/adapters/streams/local-host-gateway.ts'
import type { HostGateway } from '../../src/app/ports/host-gateway.ts'
import { EngineFailed, InvalidInput, Unavailable } from '../../src/domain/errors.ts'
import { HostStreamsServer } from '../../src/edge/host-streams/host-streams-server.ts'
import { CONTROL_PLANE_URI, hostUri } from '../../src/lib/peer-identity.ts'
import { systemClock } from '../../src/lib/system-clock.ts'
import { Authority, type Tls } from '../support/authority.ts'
import { soon } from '../support/engine-harness.ts'
import { quietLog } from '../support/quiet-log.ts'
import { HOST, hostGatewaySuite } from './host-gateway.suite.ts'

const CONTROL_PLANE = `URI:${CONTROL_PLANE_URI}`
const authority = new Authority()
const host = authority.issue(`URI:${hostUri(HOST)}`)
const controlPlane = authority.issue(CONTROL_PLANE)
after(() => authority.remove())

const MAX_ARCHIVE_BYTES = 8_000_000

async function serve(gateway: HostGateway): Promise<HostStreamsServer> {
  const server = new HostStreamsServer(new SimStreams(new SimEngine({ clock: systemClock })), quietLog, {
    pingMs: 5_000,
    closeGraceMs: 500,
    openTimeoutMs: 5_000,
    host: '127.0.0.1',
    port: 0,
    tls: host,
    calls: { gateway, host: HOST, maxArchiveBytes: MAX_ARCHIVE_BYTES },
  })
  await server.start()
  return server
}

interface DialOptions {
  readonly tls?: Tls
  readonly name?: string
  readonly callTimeoutMs?: number
}

function dial(port: number, { tls = controlPlane, name = HOST, callTimeoutMs = 60_000 }: DialOptions = {}) {
  const addressOf = async (asked: string) => (asked === name ? { address: '127.0.0.1', port } : undefined)
  return new HttpsHostGateway({ addressOf, tls: () => tls, callTimeoutMs })
}

hostGatewaySuite('HttpsHostGateway', async (local) => {
  const server = await serve(new LocalHostGateway(local))
  const far = dial(server.port)
  return {
    gateway: far.gateway,
    close: async () => {
      far.close()
      await server.stop()
    },
  }
})

async function pretending(t: TestContext, answer: RequestListener): Promise<number> {
  const server = createServer({ ...host, requestCert: true }, answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

test('only the control plane may ask, and only the host of that name is spoken to', async (t) => {
  const asked: string[] = []
  const engine = new SimEngine({ clock: systemClock })
  const local = new LocalHostGateway({
    name: HOST,
    engine,
    images: { find: async () => undefined },
    networks: {
      prepare: async () => await Promise.reject(new Error('not asked')),
      remove: async () => undefined,
    },
    trouble: () => {
      asked.push('asked')
      return null
    },
  })
  const server = await serve(local)
  t.after(() => server.stop())
  const other = new Authority()
  t.after(() => other.remove())
  for (const tls of [host, other.issue(CONTROL_PLANE), { ...other.issue(CONTROL_PLANE), ca: controlPlane.ca }]) {
    const { gateway } = dial(server.port, { tls })
    await assert.rejects(gateway.observe(HOST, 'c', soon()))
  }
  await assert.rejects(dial(server.port, { name: 'host-2' }).gateway.observe('host-2', 'c', soon()), Unavailable)
  assert.deepEqual(asked, [])
  await dial(server.port).gateway.observe(HOST, 'c', soon())
  assert.equal(asked.length, 1)
})

test('a host that cuts, says nothing, talks nonsense or too much is an error in time', async (t) => {
  const observe = async (answer: RequestListener, callTimeoutMs?: number): Promise<unknown> => {
    const port = await pretending(t, answer)
    const { gateway } = dial(port, callTimeoutMs === undefined ? {} : { callTimeoutMs })
    return await gateway.observe(HOST, 'c', soon())
  }
  await assert.rejects(
    observe((request) => void request.socket.destroy()),
    Unavailable,
  )
  await assert.rejects(
    observe(() => undefined, 50),
    Unavailable,
  )
  await assert.rejects(
    observe((_, response) => void response.end('nonsense')),
    EngineFailed,
  )
  await assert.rejects(
    observe((_, response) => void response.end('{"state":"running"}\n')),
    EngineFailed,
  )
  await assert.rejects(
    observe((_, response) => void response.writeHead(500).end('<html>')),
    EngineFailed,
  )
  const flood: RequestListener = (_, response) => {
    response.on('error', () => undefined)
    const more = (): void => {
      while (!response.destroyed && response.write(Buffer.alloc(1_000_000, 32)));
    }
    response.on('drain', more)
    more()
  }
  await assert.rejects(observe(flood), EngineFailed)
})

test('a message that is no call, or too large, is refused by the host', async (t) => {
  const none: LocalHostGateway = new LocalHostGateway({
    name: HOST,
    engine: new SimEngine({ clock: systemClock }),
    images: { find: async () => undefined },
    networks: { prepare: async () => await Promise.reject(new Error('not asked')), remove: async () => undefined },
    trouble: () => null,
  })
  const server = await serve(none)
  t.after(() => server.stop())
  const { gateway } = dial(server.port)
  const size = { columns: 1.5, rows: 1 }
  await assert.rejects(gateway.resizeTty(HOST, 'c', size, soon()), (error) => {
    return error instanceof InvalidInput || (error instanceof Error && /resizeTty request/.test(error.message))
  })
  await assert.rejects(gateway.putArchive(HOST, 'c', '/', Buffer.alloc(20_000_000), soon()))
})
