import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { duplexPair } from 'node:stream'
import { test, type TestContext } from 'node:test'
import { WebSocket } from 'ws'
import { certificate, type CertificateName } from '../support/certificates.ts'
import type { ProgramStream } from '../../src/orchestration/ports/engine.ts'
import type { TlsOptions, TlsSource } from '../../src/edge/tls-source.ts'
import { TerminalProxy } from '../../src/edge/wsproxy/terminal-proxy.ts'
import { WsproxyServer } from '../../src/edge/wsproxy/wsproxy-server.ts'

const QUIET = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }
const OPTIONS = {
  scheme: 'wss',
  allowedOrigins: [],
  pingMs: 60_000,
  closeGraceMs: 100,
  maxMessageBytes: 1024,
  maxSessions: 100,
  openTimeoutMs: 2_000,
}

class Files implements TlsSource {
  readonly #changes: ((options: TlsOptions) => void)[] = []
  current = of('one')

  onChange(apply: (options: TlsOptions) => void): void {
    this.#changes.push(apply)
  }

  become(name: CertificateName): void {
    this.current = of(name)
    for (const apply of this.#changes) apply(this.current)
  }
}

function of(name: CertificateName): TlsOptions {
  return { ...certificate(name), requestCert: false, rejectUnauthorized: false }
}

/** A program that answers with what it is told. */
async function serve(t: TestContext, tlsOnly: boolean): Promise<{ server: WsproxyServer; files: Files }> {
  const files = new Files()
  const open = async (): Promise<ProgramStream> => {
    const [bytes, side] = duplexPair()
    side.pipe(side)
    return { tty: true, bytes, resize: async () => undefined, exitCode: async () => null }
  }
  const proxy = new TerminalProxy({ open, log: QUIET, options: OPTIONS })
  const server = new WsproxyServer(proxy, { host: '127.0.0.1', port: 0, tls: files, tlsOnly })
  await server.start()
  t.after(() => server.stop())
  return { server, files }
}

async function dial(server: WsproxyServer, scheme: 'ws' | 'wss', trusted: CertificateName = 'one'): Promise<WebSocket> {
  const ws = new WebSocket(`${scheme}://127.0.0.1:${server.port}/?token=T&uuid=U`, { ca: certificate(trusted).cert })
  await once(ws, 'open')
  return ws
}

async function echo(ws: WebSocket, text: string): Promise<string> {
  ws.send(text)
  const [said] = (await once(ws, 'message')) as [Buffer]
  return said.toString()
}

test('one port takes terminals with TLS and without', async (t) => {
  const { server } = await serve(t, false)
  for (const scheme of ['wss', 'ws'] as const) {
    const ws = await dial(server, scheme)
    assert.equal(await echo(ws, scheme), scheme)
    ws.terminate()
  }
  assert.equal((await fetch(`http://127.0.0.1:${server.port}/`)).status, 404)
})

test('with ssl_only whoever does not speak TLS is not answered', async (t) => {
  const { server } = await serve(t, true)
  await assert.rejects(dial(server, 'ws'))
  const ws = await dial(server, 'wss')
  assert.equal(await echo(ws, 'a'), 'a')
  ws.terminate()
})

test('a new certificate is for new connections; those that stand go on', async (t) => {
  const { server, files } = await serve(t, false)
  const before = await dial(server, 'wss', 'one')
  files.become('two')
  await assert.rejects(dial(server, 'wss', 'one'), /self-signed/)
  const after = await dial(server, 'wss', 'two')
  assert.deepEqual([await echo(before, 'old'), await echo(after, 'new')], ['old', 'new'])
  before.terminate()
  after.terminate()
})

test('who says nothing, or stops in the middle of the handshake, does not keep the server', async (t) => {
  const { server } = await serve(t, false)
  const silent = connect(server.port, '127.0.0.1')
  await once(silent, 'connect')
  const broken = connect(server.port, '127.0.0.1')
  await once(broken, 'connect')
  broken.write(Buffer.from([0x16, 3, 1, 0, 1, 0]))
  // Whether as an end or as a reset does not matter.
  const gone = [silent, broken].map(
    (socket) => new Promise((closed) => socket.on('error', () => undefined).once('close', closed)),
  )
  await server.stop()
  await Promise.all(gone)
})
