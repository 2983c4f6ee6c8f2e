/**
 * An image registry for tests: Debian's `docker-registry` on a loopback port, where engines speak to it without TLS.
 * Beside it a front that counts requests and can be slow, and calls to fill it.
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { gzipSync } from 'node:zlib'
import { pack } from 'tar-stream'

export interface Login {
  readonly username: string
  readonly password: string
}

export interface RegistryOptions {
  /** Who may read and write; absent: everybody. */
  readonly login?: Login
}

export interface TestRegistry {
  readonly host: '127.0.0.1'
  readonly port: number
  /** `127.0.0.1:<port>`, as image names begin. */
  readonly domain: string
  /** Uploads an image of small random layers under `repository:tag`; no engine needed. Answers its digest. */
  upload(repository: string, tag: string, layerBytes?: readonly number[]): Promise<string>
  stop(): Promise<void>
}

export async function start(options: RegistryOptions = {}): Promise<TestRegistry> {
  const directory = mkdtempSync(join(tmpdir(), 'zund-registry-'))
  writeFileSync(join(directory, 'config.yml'), JSON.stringify(configOf(directory, options.login)))
  const child = spawn('docker-registry', ['serve', join(directory, 'config.yml')], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { PATH: process.env['PATH'] ?? '' },
  })
  const port = await portOf(child)
  const base = `http://127.0.0.1:${port}`
  return {
    host: '127.0.0.1',
    port,
    domain: `127.0.0.1:${port}`,
    upload: (repository, tag, layerBytes = [1024]) => upload(base, repository, tag, layerBytes, options.login),
    stop: async () => {
      await ended(child)
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

/** YAML takes JSON. */
function configOf(directory: string, login: Login | undefined): object {
  if (login !== undefined) {
    const line = execFileSync('htpasswd', ['-Bbn', '-C', '4', login.username, login.password])
    writeFileSync(join(directory, 'htpasswd'), line)
  }
  return {
    version: 0.1,
    log: { level: 'info', formatter: 'json' },
    storage: { filesystem: { rootdirectory: join(directory, 'data') } },
    http: { addr: '127.0.0.1:0' },
    ...(login === undefined ? {} : { auth: { htpasswd: { realm: 'test', path: join(directory, 'htpasswd') } } }),
  }
}

/** The registry chooses a free port and says which. */
async function portOf(child: ChildProcess): Promise<number> {
  const said: string[] = []
  if (child.stderr === null) throw new Error('no standard error')
  const lines = createInterface({ input: child.stderr })
  return await new Promise<number>((resolve, reject) => {
    lines.on('line', (line) => {
      said.push(line)
      const port = /listening on 127\.0\.0\.1:(\d+)/.exec(line)?.[1]
      if (port !== undefined) resolve(Number(port))
    })
    child.on('error', reject)
    child.on('exit', () => reject(new Error(`docker-registry ended: ${said.join('\n')}`)))
  })
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await exit
}

// --- filling it -----------------------------------------------------------------------------------------------------

async function upload(
  base: string,
  repository: string,
  tag: string,
  layerBytes: readonly number[],
  login: Login | undefined,
): Promise<string> {
  const headers: Record<string, string> = login === undefined ? {} : { Authorization: basic(login) }
  const layers = await Promise.all(layerBytes.map((bytes) => layerOf(bytes)))
  const config = Buffer.from(
    JSON.stringify({
      architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
      os: 'linux',
      config: { Cmd: ['sh'] },
      rootfs: { type: 'layers', diff_ids: layers.map((layer) => layer.diffId) },
    }),
  )
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST_TYPE,
      config: { mediaType: CONFIG_TYPE, ...(await putBlob(base, repository, config, headers)) },
      layers: await Promise.all(
        layers.map(async ({ blob }) => ({
          mediaType: LAYER_TYPE,
          ...(await putBlob(base, repository, blob, headers)),
        })),
      ),
    }),
  )
  await put(`${base}/v2/${repository}/manifests/${tag}`, manifest, { ...headers, 'Content-Type': MANIFEST_TYPE })
  return digestOf(manifest)
}

const MANIFEST_TYPE = 'application/vnd.docker.distribution.manifest.v2+json'
const CONFIG_TYPE = 'application/vnd.docker.container.image.v1+json'
const LAYER_TYPE = 'application/vnd.docker.image.rootfs.diff.tar.gzip'

/** One file of random bytes, so that no engine has it yet. */
async function layerOf(bytes: number): Promise<{ blob: Buffer; diffId: string }> {
  const archive = pack()
  archive.entry({ name: `file-${randomBytes(6).toString('hex')}` }, randomBytes(bytes))
  archive.finalize()
  const chunks: Buffer[] = []
  for await (const chunk of archive as AsyncIterable<Buffer>) chunks.push(chunk)
  const tar = Buffer.concat(chunks)
  return { blob: gzipSync(tar), diffId: digestOf(tar) }
}

async function putBlob(
  base: string,
  repository: string,
  blob: Buffer,
  headers: Record<string, string>,
): Promise<{ digest: string; size: number }> {
  const begun = await fetch(`${base}/v2/${repository}/blobs/uploads/`, { method: 'POST', headers })
  await begun.arrayBuffer()
  const location = new URL(begun.headers.get('location') ?? '', base)
  location.searchParams.set('digest', digestOf(blob))
  await put(location.href, blob, { ...headers, 'Content-Type': 'application/octet-stream' })
  return { digest: digestOf(blob), size: blob.length }
}

async function put(url: string, body: Buffer, headers: Record<string, string>): Promise<void> {
  const answer = await fetch(url, { method: 'PUT', body: new Uint8Array(body), headers })
  if (!answer.ok) throw new Error(`PUT ${url}: ${answer.status} ${await answer.text()}`)
  await answer.arrayBuffer()
}

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

function basic({ username, password }: Login): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
}

// --- a front that looks on ------------------------------------------------------------------------------------------

export interface Front {
  readonly port: number
  readonly domain: string
  /** `METHOD path` of every request so far. */
  readonly seen: readonly string[]
  /** Requests for layers that were broken off by the asker. */
  readonly brokenOff: number
  /** From now on a layer of 100 KB takes seconds, until `speedUp`. */
  slowDown(): void
  speedUp(): void
  stop(): Promise<void>
}

/** Passes everything on to the registry. */
export async function startFront(registry: { readonly port: number }): Promise<Front> {
  const seen: string[] = []
  let brokenOff = 0
  let slow = false
  const server = createServer((incoming, outgoing) => {
    seen.push(`${incoming.method} ${incoming.url}`)
    const onward = request(
      {
        port: registry.port,
        host: '127.0.0.1',
        method: incoming.method,
        path: incoming.url,
        headers: incoming.headers,
      },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
        if (incoming.method === 'GET' && incoming.url?.includes('/blobs/') === true) {
          outgoing.on('close', () => (brokenOff += outgoing.writableFinished ? 0 : 1))
        }
        passOn(answer, outgoing, () => slow).catch(() => outgoing.destroy())
      },
    )
    onward.on('error', () => outgoing.destroy())
    incoming.pipe(onward)
  })
  const port = await listen(server)
  return {
    port,
    domain: `127.0.0.1:${port}`,
    seen,
    get brokenOff() {
      return brokenOff
    },
    slowDown: () => (slow = true),
    speedUp: () => (slow = false),
    stop: async () => {
      slow = false
      await close(server)
    },
  }
}

/** On a slow line 512 bytes at a time. (An engine notices that a pull was stopped when it gets the next bytes.) */
async function passOn(answer: IncomingMessage, outgoing: ServerResponse, isSlow: () => boolean): Promise<void> {
  let left = Number(answer.headers['content-length'] ?? Number.POSITIVE_INFINITY)
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    for (let at = 0, end = 0; at < chunk.length; at = end) {
      if (outgoing.destroyed) return
      end = isSlow() ? Math.min(at + 512, chunk.length) : chunk.length
      outgoing.write(chunk.subarray(at, end))
      left -= end - at
      // At once: who has it all may leave, and has not broken off.
      if (left === 0) return void outgoing.end()
      if (isSlow()) await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
  outgoing.end()
}

export async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

export async function close(server: Server): Promise<void> {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
}

// --- the engine's side ----------------------------------------------------------------------------------------------

/** Has the engine push one of its images. */
export async function push(
  engineSocket: string,
  source: string,
  registry: { readonly domain: string },
  name: string,
  login?: Login,
): Promise<void> {
  const [repository = '', tag = 'latest'] = name.split(':')
  const full = `${registry.domain}/${repository}`
  const auth = Buffer.from(JSON.stringify(login ?? {}))
    .toString('base64')
    .replaceAll('+', '-')
    .replaceAll('/', '_')
  const query = `repo=${encodeURIComponent(full)}&tag=${tag}`
  await engineCall(engineSocket, 'POST', `/images/${source}/tag?${query}`)
  const said = await engineCall(engineSocket, 'POST', `/images/${full}/push?tag=${tag}`, { 'X-Registry-Auth': auth })
  await engineCall(engineSocket, 'DELETE', `/images/${full}:${tag}?noprune=1`)
  if (said.includes('"errorDetail"')) throw new Error(said)
}

export async function engineCall(
  engineSocket: string,
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body?: object,
): Promise<string> {
  const all = body === undefined ? headers : { ...headers, 'Content-Type': 'application/json' }
  return await new Promise<string>((resolve, reject) => {
    const req = request({ socketPath: engineSocket, method, path: `/v1.41${path}`, headers: all }, (answer) => {
      const chunks: Buffer[] = []
      answer.on('data', (chunk: Buffer) => chunks.push(chunk))
      answer.on('error', reject)
      answer.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8')
        if ((answer.statusCode ?? 500) < 400) resolve(text)
        else reject(new Error(`${method} ${path}: ${answer.statusCode} ${text}`))
      })
    })
    req.on('error', reject)
    req.end(body === undefined ? undefined : JSON.stringify(body))
  })
}
