import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, test } from 'node:test'
import { Duplex, PassThrough } from 'node:stream'
import { HttpsStreamDialer } from '../../src/adapters/streams/https-dialer.ts'
import { Unavailable } from '../../src/domain/errors.ts'
import { HostStreamsServer } from '../../src/edge/host-streams/host-streams-server.ts'
import type { EngineStreams } from '../../src/orchestration/ports/engine.ts'
import { CONTROL_PLANE_URI, hostUri } from '../../src/lib/peer-identity.ts'
import { Authority, type Tls } from '../support/authority.ts'
import { bytesOf, soon } from '../support/engine-harness.ts'
import { quietLog } from '../support/quiet-log.ts'
import { HOST, streamDialerSuite } from './stream-dialer.suite.ts'

const CONTROL_PLANE = `URI:${CONTROL_PLANE_URI}`
const authority = new Authority()
const host = authority.issue(`URI:${hostUri(HOST)}`)
const controlPlane = authority.issue(CONTROL_PLANE)
after(() => authority.remove())

const TIMES = { pingMs: 5_000, closeGraceMs: 500, openTimeoutMs: 5_000 }

async function serve(engine: EngineStreams): Promise<HostStreamsServer> {
  const server = new HostStreamsServer(engine, quietLog, {
    ...TIMES,
    host: '127.0.0.1',
    port: 0,
    tls: host,
  })
  await server.start()
  return server
}

function dialerTo(server: HostStreamsServer, tls: Tls, name = HOST): HttpsStreamDialer {
  const addressOf = async (asked: string) => (asked === name ? { address: '127.0.0.1', port: server.port } : undefined)
  return new HttpsStreamDialer({ ...TIMES, tls: () => tls, addressOf })
}

streamDialerSuite('HttpsStreamDialer', async (engine) => {
  const server = await serve(engine)
  return { dialer: dialerTo(server, controlPlane), close: () => server.stop() }
})

/** Whatever is asked of it, it opens an echo. */
function echoes(): EngineStreams {
  const program = async () => ({
    tty: true,
    bytes: new PassThrough(),
    resize: async () => undefined,
    exitCode: async () => 0,
  })
  const never = (): Promise<never> => Promise.reject(new Error('not asked'))
  return {
    attachStream: program,
    startExecStream: program,
    followLogs: never,
    followStats: never,
    readArchive: never,
    writeArchive: never,
  }
}

test('only the control plane may ask, and only the host of that name is spoken to', async (t) => {
  const server = await serve(echoes())
  t.after(() => server.stop())
  const refused = async (dialer: HttpsStreamDialer, name = HOST): Promise<void> => {
    await assert.rejects(dialer.attach(name, 'c', soon()))
  }
  await refused(dialerTo(server, host))
  const other = new Authority()
  t.after(() => other.remove())
  await refused(dialerTo(server, other.issue(CONTROL_PLANE)))
  await refused(dialerTo(server, { ...other.issue(CONTROL_PLANE), ca: controlPlane.ca }))
  await assert.rejects(dialerTo(server, controlPlane, 'host-2').attach('host-2', 'c', soon()), Unavailable)
  const { bytes } = await dialerTo(server, controlPlane).attach(HOST, 'c', soon())
  bytes.on('error', () => undefined).destroy()
})

test('a program whose connection closes as it ends has ended, and tells its exit code', async (t) => {
  const bytes = new Duplex({
    read: () => undefined,
    write(_chunk, _encoding, done) {
      this.push('bye')
      this.push(null)
      done()
      // As a socket does, of which the engine has closed its side.
      setImmediate(() => this.destroy())
    },
  })
  const exitCode = async (): Promise<number> => {
    if (!bytes.closed) await once(bytes, 'close')
    return 7
  }
  const program = { tty: true, bytes, resize: async () => undefined, exitCode }
  const server = await serve({ ...echoes(), attachStream: async () => program })
  t.after(() => server.stop())
  const far = await dialerTo(server, controlPlane).attach(HOST, 'c', soon())
  far.bytes.write('exit')
  assert.equal((await bytesOf(far.bytes as AsyncIterable<Buffer>)).toString(), 'bye')
  assert.equal(await far.exitCode(soon()), 7)
  far.bytes.on('error', () => undefined).destroy()
})

test('a host that stops ends its streams with the reason', async () => {
  const server = await serve(echoes())
  const { bytes } = await dialerTo(server, controlPlane).attach(HOST, 'c', soon())
  const broken = once(bytes, 'error')
  bytes.resume()
  await server.stop()
  assert.match(String(((await broken) as unknown[])[0]), /going away/)
})
