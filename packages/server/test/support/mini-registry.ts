/** The reading half of an image registry, in this process: enough for an engine to pull one small image. */
import { createHash, randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { tarOf } from './engine-harness.ts'

export interface MiniRegistry {
  /** `127.0.0.1:<port>`; engines speak to it without TLS. */
  readonly domain: string
  /** Name of the image it has, with its tag. */
  readonly image: string
  close(): Promise<void>
}

const MANIFEST_TYPE = 'application/vnd.docker.distribution.manifest.v2+json'
const CONFIG_TYPE = 'application/vnd.docker.container.image.v1+json'
const LAYER_TYPE = 'application/vnd.docker.image.rootfs.diff.tar.gzip'

/** `login`: `user:password`; absent: open to everybody. */
export async function startMiniRegistry(login?: string): Promise<MiniRegistry> {
  const content = await makeImage()
  const server = createServer((request, response) => answer(request, response, content, login))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const domain = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    domain,
    image: `${domain}/box:1`,
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

interface Content {
  readonly manifest: Buffer
  readonly blobs: ReadonlyMap<string, Buffer>
}

async function makeImage(): Promise<Content> {
  const tars = await Promise.all(['one', 'two'].map((name) => tarOf({ [name]: randomBytes(64).toString('hex') })))
  const layers = tars.map((tar) => gzipSync(tar))
  const config = Buffer.from(
    JSON.stringify({
      architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
      os: 'linux',
      config: { Cmd: ['sh'] },
      rootfs: { type: 'layers', diff_ids: tars.map(digestOf) },
    }),
  )
  const describe = (mediaType: string, blob: Buffer) => ({ mediaType, size: blob.length, digest: digestOf(blob) })
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST_TYPE,
      config: describe(CONFIG_TYPE, config),
      layers: layers.map((layer) => describe(LAYER_TYPE, layer)),
    }),
  )
  return { manifest, blobs: new Map([config, ...layers].map((blob) => [digestOf(blob), blob])) }
}

function answer(request: IncomingMessage, response: ServerResponse, content: Content, login: string | undefined): void {
  const { url = '' } = request
  if (login !== undefined && request.headers.authorization !== `Basic ${Buffer.from(login).toString('base64')}`) {
    send(response, 401, problem('UNAUTHORIZED', 'authentication required'), {
      'WWW-Authenticate': 'Basic realm="test"',
    })
    return
  }
  const digest = /^\/v2\/box\/blobs\/(.+)$/.exec(url)?.[1]
  const blob = digest === undefined ? undefined : content.blobs.get(digest)
  if (url === '/v2/') send(response, 200, '{}')
  else if (url === '/v2/box/manifests/1' || url === `/v2/box/manifests/${digestOf(content.manifest)}`) {
    send(response, 200, content.manifest, {
      'Content-Type': MANIFEST_TYPE,
      'Docker-Content-Digest': digestOf(content.manifest),
    })
  } else if (blob !== undefined) send(response, 200, blob)
  else send(response, 404, problem('MANIFEST_UNKNOWN', 'manifest unknown'))
}

function send(response: ServerResponse, status: number, body: string | Buffer, headers: object = {}): void {
  const length = { 'Content-Length': Buffer.byteLength(body) }
  response.writeHead(status, { 'Docker-Distribution-Api-Version': 'registry/2.0', ...length, ...headers })
  response.end(body)
}

function problem(code: string, message: string): string {
  return JSON.stringify({ errors: [{ code, message }] })
}

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}
