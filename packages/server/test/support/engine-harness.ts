/** What the engine contract suite needs of the engine it is run against. */
import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { extract, pack } from 'tar-stream'
import type {
  ContainerEngine,
  EngineArchives,
  EngineCreateRequest,
  LogsRequest,
} from '../../src/orchestration/ports/engine.ts'
import type { RegistryAuth } from '../../src/orchestration/ports/wire.ts'
import { aCreateRequest } from './builders.ts'
import { until } from './until.ts'

export interface EngineHarness {
  readonly engine: ContainerEngine
  readonly archives: EngineArchives
  /** An image that is there, whose `sh`, `sleep`, `echo`, `cat`, `true` and `false` work. */
  readonly image: string
  /** A path on the engine's host that may be mounted. */
  readonly hostPath: string
  readonly registry: EngineRegistry
  /** The same adapter on an engine that never answers, with a short deadline. */
  readonly hanging: ContainerEngine
  readonly hangingArchives: EngineArchives
  /** A subnet that nobody else uses, and what lies in it. */
  subnet(version: 4 | 6): { readonly cidr: string; readonly gateway: string; address(n: number): string }
  close(): Promise<void>
}

export interface EngineRegistry {
  readonly open: string
  readonly missing: string
  readonly locked: string
  readonly credentials: RegistryAuth
  readonly unreachable: string
}

/** A fresh deadline for one call; longer than any that is under test. */
export function soon(): { signal: AbortSignal } {
  return { signal: AbortSignal.timeout(90_000) }
}

/** Makes containers and networks through the port, and takes them away again. */
export class EngineBench {
  readonly h: EngineHarness
  readonly #containers: string[] = []
  readonly #networks: string[] = []

  constructor(harness: EngineHarness) {
    this.h = harness
  }

  get engine(): ContainerEngine {
    return this.h.engine
  }

  async create(patch: Partial<EngineCreateRequest> = {}): Promise<string> {
    const request = aCreateRequest({ image: this.h.image, ...patch })
    this.#containers.push(request.containerUuid)
    await this.engine.create(request, soon())
    return request.containerUuid
  }

  async run(patch: Partial<EngineCreateRequest> = {}): Promise<string> {
    const uuid = await this.create(patch)
    await this.engine.start(uuid, soon())
    return uuid
  }

  /** Runs a script to its end. */
  async script(script: string, patch: Partial<EngineCreateRequest> = {}): Promise<string> {
    const uuid = await this.run({ command: ['sh', '-c', script], ...patch })
    await this.ended(uuid)
    return uuid
  }

  async ended(uuid: string): Promise<void> {
    await until('the container has exited', async () => (await this.see(uuid)).state === 'exited')
  }

  async see(uuid: string) {
    const found = await this.engine.inspect(uuid, soon())
    assert.ok(found, 'the container is there')
    return found.seen
  }

  async network(name: string, subnets: readonly (4 | 6)[] = [4]): Promise<ReturnType<EngineHarness['subnet']>[]> {
    this.#networks.push(name)
    const cut = subnets.map((version) => ({ version, ...this.h.subnet(version) }))
    await this.engine.ensureNetwork(
      {
        name,
        projectId: 'project',
        displayName: name,
        subnets: cut.map(({ cidr, gateway, version }) => ({ cidr, gateway, version })),
      },
      soon(),
    )
    return cut
  }

  async exec(uuid: string, command: string[], interactive = false, maxBytes = 10_000) {
    const id = await this.engine.createExec(uuid, { command, interactive }, soon())
    const { output, exitCode, truncated } = await this.engine.runExec(id, maxBytes, soon())
    return { id, output: output.toString('utf8'), exitCode, truncated }
  }

  async logs(uuid: string, patch: Partial<LogsRequest> = {}): Promise<string> {
    const request = {
      stdout: true,
      stderr: true,
      timestamps: false,
      tail: null,
      since: null,
      maxBytes: 100_000,
      ...patch,
    }
    return (await this.engine.logs(uuid, request, soon())).toString('utf8')
  }

  async clean(): Promise<void> {
    for (const uuid of this.#containers.splice(0)) await this.engine.remove(uuid, true, soon())
    for (const name of this.#networks.splice(0)) await this.engine.removeNetwork(name, soon())
  }
}

/** One call of every method of the port. */
export function everyCall(engine: ContainerEngine): Record<keyof ContainerEngine, () => Promise<unknown>> {
  // Not a timeout: who gives up here is the test, and not because the adapter has a deadline.
  const giveUp = new AbortController()
  setTimeout(() => giveUp.abort(new Error('the adapter has no deadline for this')), 20_000).unref()
  const o = { signal: giveUp.signal }
  const uuid = '00000000-0000-4000-8000-000000000000'
  const endpoint = { network: 'net', ipv4Address: null, ipv6Address: null, macAddress: null }
  const size = { columns: 80, rows: 24 }
  const logs = { stdout: true, stderr: true, timestamps: false, tail: null, since: null, maxBytes: 10 }
  const network = { name: 'net', projectId: 'p', displayName: 'n', subnets: [] }
  return {
    ping: () => engine.ping(o),
    info: () => engine.info(o),
    list: () => engine.list(o),
    inspect: () => engine.inspect(uuid, o),
    events: async () => {
      for await (const event of engine.events(0, o)) return event
      return undefined
    },
    pastEvents: () => engine.pastEvents(uuid, o),
    create: () => engine.create(aCreateRequest(), o),
    start: () => engine.start(uuid, o),
    stop: () => engine.stop(uuid, 0, o),
    restart: () => engine.restart(uuid, 0, o),
    pause: () => engine.pause(uuid, o),
    unpause: () => engine.unpause(uuid, o),
    kill: () => engine.kill(uuid, null, o),
    remove: () => engine.remove(uuid, true, o),
    update: () => engine.update(uuid, { cpu: 1 }, o),
    logs: () => engine.logs(uuid, logs, o),
    top: () => engine.top(uuid, null, o),
    stats: () => engine.stats(uuid, o),
    resizeTty: () => engine.resizeTty(uuid, size, o),
    createExec: () => engine.createExec(uuid, { command: ['true'], interactive: false }, o),
    runExec: () => engine.runExec('exec', 10, o),
    resizeExec: () => engine.resizeExec(uuid, 'exec', size, o),
    getArchive: () => engine.getArchive(uuid, '/', o),
    putArchive: () => engine.putArchive(uuid, '/', pieces(Buffer.alloc(1024)), o),
    inspectImage: () => engine.inspectImage('busybox', o),
    pullImage: () => engine.pullImage('busybox', null, () => undefined, o),
    removeImage: () => engine.removeImage('busybox', o),
    imageNames: () => engine.imageNames('zund.test/', o),
    importImage: () => engine.importImage('a/b:c', Buffer.alloc(1024), ['/x'], o),
    searchImages: () => engine.searchImages('busybox', o),
    commit: () => engine.commit(uuid, 'a/b', 'c', o),
    inspectNetwork: () => engine.inspectNetwork('net', o),
    ensureNetwork: () => engine.ensureNetwork(network, o),
    removeNetwork: () => engine.removeNetwork('net', o),
    listNetworks: () => engine.listNetworks(o),
    connect: () => engine.connect(uuid, endpoint, o),
    disconnect: () => engine.disconnect(uuid, 'net', o),
  }
}

/** A tar of files, as bytes. */
export async function tarOf(files: Readonly<Record<string, string>>): Promise<Buffer> {
  const tar = pack()
  for (const [name, content] of Object.entries(files)) tar.entry({ name }, content)
  tar.finalize()
  return await bytesOf(tar as AsyncIterable<Buffer>)
}

export async function bytesOf(source: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of source) chunks.push(chunk)
  return Buffer.concat(chunks)
}

export async function filesIn(tar: AsyncIterable<Buffer>): Promise<Record<string, string>> {
  const unpacked = extract()
  const found: Record<string, string> = {}
  const writing = pipeline(Readable.from(tar), unpacked)
  for await (const entry of unpacked) {
    const content = await bytesOf(entry as AsyncIterable<Buffer>)
    if (entry.header.type === 'file') found[entry.header.name] = content.toString('utf8')
  }
  await writing
  return found
}

export async function* pieces(...chunks: (Buffer | string)[]): AsyncGenerator<Buffer> {
  for (const chunk of chunks) yield Buffer.from(chunk)
}
