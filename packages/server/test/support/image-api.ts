/** The API's `images` resource in one process, with a host whose images are only in memory. */
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { LocalDoorbell } from '../../src/adapters/doorbell/local.ts'
import { localLink } from '../../src/adapters/link/local.ts'
import { SqlDatabase } from '../../src/adapters/sql/database.ts'
import { SqlStore } from '../../src/adapters/sql/sql-store.ts'
import type { ImageDeps } from '../../src/app/images/deps.ts'
import { PolicyEngine } from '../../src/app/policy/policy-engine.ts'
import type { Caller } from '../../src/app/ports/identity.ts'
import { EngineConflict } from '../../src/domain/errors.ts'
import { buildApiServer } from '../../src/edge/api/server.ts'
import { imageRoutes } from '../../src/edge/api/v1/images/routes.ts'
import { noCheckpoints } from '../../src/lib/checkpoints.ts'
import { systemClock } from '../../src/lib/system-clock.ts'
import { ControlPlaneService } from '../../src/orchestration/control-plane/service.ts'
import { ImageWorker } from '../../src/orchestration/image-worker.ts'
import type { ImageRequest } from '../../src/orchestration/ports/drivers.ts'
import type { EngineImage } from '../../src/orchestration/ports/engine.ts'
import { appOptions } from './live-api.ts'
import { injected } from './injected.ts'
import { quietLog } from './quiet-log.ts'
import { NO_CORS } from './no-cors.ts'

export const HOST = 'host-1'

/** Token `role:project`. */
function callerOf(token: string): Caller | undefined {
  const [role, project] = token.split(':')
  if (role === undefined || project === undefined) return undefined
  const none = { userDomainId: 'default', userDomainName: 'Default', projectDomainId: null, projectDomainName: null }
  return {
    ...none,
    userId: `user-of-${project}`,
    userName: 'u',
    projectId: project === '' ? null : project,
    projectName: project,
    roles: [role],
  }
}

/** Images of one host, as its driver and its engine have them. */
export class FakeHost {
  readonly store = new Map<string, EngineImage>()
  readonly pulls: ImageRequest[] = []
  readonly removed: string[] = []
  inUse = false
  /** What a pull does; the default succeeds. */
  onPull: (signal: AbortSignal) => Promise<void> = async () => undefined

  readonly images = {
    obtain: async (request: ImageRequest, _onProgress: unknown, o: { signal: AbortSignal }) => {
      this.pulls.push(request)
      await this.onPull(o.signal)
      const reference = request.spec.image.replace('docker.io/library/', '')
      const id = `sha256:${this.store.size + 1}`
      this.store.set(reference, {
        id,
        repoTags: [reference],
        repoDigests: [],
        sizeBytes: 1984172,
        command: null,
        entrypoint: null,
      })
      return { reference: id, id, driver: 'docker' }
    },
  }

  readonly engine = {
    inspectImage: async (reference: string) =>
      this.store.get(reference) ?? [...this.store.values()].find((image) => image.id === reference),
    removeImage: async (reference: string) => {
      if (this.inUse) throw new EngineConflict('image is being used by a container')
      this.removed.push(reference)
      this.store.delete(reference)
    },
  }
}

export interface Answer<T = Record<string, unknown>> {
  readonly status: number
  readonly headers: Record<string, unknown>
  readonly body: T
}

export interface ImageApiOptions {
  readonly defaultRegistry?: string | null
  readonly imageService?: NonNullable<ImageDeps['imageService']>
  readonly defaultDriver?: 'docker' | 'glance'
}

export class ImageApi {
  readonly host = new FakeHost()
  readonly hostUuid = randomUUID()
  readonly store: SqlStore
  /** `host term` of every search. */
  readonly searched: string[] = []
  search: ImageDeps['gateway']['searchImages'] = async () => []
  readonly #directory = mkdtempSync(join(tmpdir(), 'zund-images-api-'))
  readonly #doorbell = new LocalDoorbell()
  readonly #workers: ImageWorker[] = []
  readonly #app: FastifyInstance

  private constructor({ defaultRegistry = null, imageService, defaultDriver = 'docker' }: ImageApiOptions) {
    this.store = new SqlStore(new SqlDatabase(join(this.#directory, 'zund.db')))
    const policy = new PolicyEngine({ file: null, log: quietLog })
    const deps: ImageDeps = {
      store: this.store,
      doorbell: this.#doorbell,
      policy,
      imageService,
      gateway: {
        searchImages: async (name, term, o) => {
          this.searched.push(`${name} ${term}`)
          return await this.search(name, term, o)
        },
      },
      options: {
        maxPageSize: 1000,
        serviceDownTimeS: 180,
        engineGraceMs: 10_000,
        imageDrivers: imageService === undefined ? ['docker'] : ['glance', 'docker'],
        defaults: { imageDriver: defaultDriver },
        defaultRegistry,
      },
      log: quietLog,
      newUuid: randomUUID,
    }
    this.#app = buildApiServer({
      identity: { authenticateUri: 'http://identity', validate: async (token) => callerOf(token) },
      policy,
      log: quietLog,
      routes: imageRoutes(deps),
      mounts: [],
      options: {
        bodyLimit: 65_536,
        publicEndpoint: null,
        trustForwardedHeaders: false,
        isTls: false,
        cors: NO_CORS,
        healthcheckDisableFile: '/nonexistent',
        requestTimeoutMs: 10_000,
      },
    })
  }

  static async start(options: ImageApiOptions = {}): Promise<ImageApi> {
    const api = new ImageApi(options)
    await api.newSession()
    return api
  }

  /** Another life of the host's agent begins. */
  async newSession(): Promise<void> {
    const hello = { host: HOST, availabilityZone: 'nova', uuidIfNew: this.hostUuid }
    await this.store.write((tx) => tx.hosts.beginSession(hello))
  }

  async stop(): Promise<void> {
    for (const worker of this.#workers) await worker.stop()
    await this.#app.close()
    await this.store.close()
    rmSync(this.#directory, { recursive: true, force: true })
  }

  /** A life of the host's worker; each begins a session of its own. */
  async work(): Promise<ImageWorker> {
    const controlPlane = localLink(
      new ControlPlaneService({
        moving: appOptions,
        store: this.store,
        doorbell: this.#doorbell,
        clock: systemClock,
        log: quietLog,
        leaseTtlMs: 60_000,
        deployment: 'test',
        newUuid: randomUUID,
        registryFor: async () => ({ domain: null, auth: null }),
      }),
    )
    const session = await controlPlane.openSession(
      { host: HOST, availabilityZone: 'nova' },
      { signal: AbortSignal.timeout(10_000) },
    )
    const worker = new ImageWorker({
      controlPlane,
      doorbell: this.#doorbell,
      images: this.host.images,
      engine: this.host.engine,
      host: HOST,
      session: () => session,
      clock: systemClock,
      log: quietLog,
      checkpoint: noCheckpoints,
      pollMs: 60_000,
      retryBudgetMs: 0,
      maxAtOnce: 2,
      progressMs: 0,
    })
    this.#workers.push(worker)
    await worker.start()
    return worker
  }

  async call<T = Record<string, unknown>>(
    method: 'GET' | 'POST' | 'DELETE',
    url: string,
    more: { token?: string; body?: object } = {},
  ): Promise<Answer<T>> {
    const answer = await injected(this.#app, {
      method,
      url,
      headers: {
        'x-auth-token': more.token ?? 'admin:p1',
        'openstack-api-version': 'container 1.40',
        ...(more.body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(more.body === undefined ? {} : { payload: JSON.stringify(more.body) }),
    })
    return { status: answer.statusCode, headers: answer.headers, body: JSON.parse(answer.body) as T }
  }
}
