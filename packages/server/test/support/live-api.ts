/** The public API in this process, over a real store, with a scripted host instead of an engine. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { randomUUID } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import { SqlDatabase } from '../../src/adapters/sql/database.ts'
import { SqlStreamTickets } from '../../src/adapters/sql/repos/stream-tickets.ts'
import { SqlStore } from '../../src/adapters/sql/sql-store.ts'
import type { AppOptions } from '../../src/app/options.ts'
import { PolicyEngine } from '../../src/app/policy/policy-engine.ts'
import type { Caller } from '../../src/app/ports/identity.ts'
import { ABSENT } from '../../src/domain/container/status.ts'
import type { Container, ContainerStatus } from '../../src/domain/container/types.ts'
import { buildApiServer } from '../../src/edge/api/server.ts'
import type { Route } from '../../src/edge/api/route.ts'
import type { ContainerSpec, HostInventory } from '../../src/orchestration/ports/wire.ts'
import { anAllocation, anInventory } from './builders.ts'
import { injected } from './injected.ts'
import { quietLog } from './quiet-log.ts'
import { NO_CORS } from './no-cors.ts'

export const appOptions: AppOptions = {
  limits: {
    minimumMemory: 4,
    maximumMemory: 8192,
    minimumCpus: 0.1,
    maximumCpus: 16,
    minimumDisk: 1,
    maximumDisk: 160,
  },
  defaults: { memoryMiB: 512, cpu: 1, imageDriver: 'docker', availabilityZone: 'nova', scheduleZone: null },
  quota: { enforced: true, containers: 40, memory: 51_200, cpu: 20, disk: 100 },
  sandbox: { image: null, imageDriver: 'docker', pullPolicy: 'ifnotpresent' },
  registriesPerProject: 100,
  streams: { perProject: 3, total: 4 },
  localQuota: { networks: 5, volumes: 8, volumeGiB: 50 },
  maxPageSize: 1000,
  serviceDownTimeS: 180,
  engineGraceMs: 5_000,
  scheduler: {
    driver: 'filter_scheduler',
    filters: ['AvailabilityZoneFilter', 'ComputeFilter', 'RuntimeFilter'],
    weigher: 'spread',
  },
  maxHosts: 3,
  executeTimeoutMs: 5_000,
  uniqueContainerNameScope: '',
  imageDrivers: ['docker'],
  defaultRegistry: null,
  defaultRegistryUsername: null,
  defaultRegistryPassword: null,
  terminalBaseUrl: 'ws://127.0.0.1:6784/',
  terminalsFollowApi: true,
  maxArchiveBytes: 10_000,
  maxOutputBytes: 100_000,
  localNetwork: { poolV4: '10.128.0.0/16', prefixV4: 24, poolV6: 'fd00:1::/48', prefixV6: 64 },
}

export const inventory: HostInventory = anInventory()

const spec: ContainerSpec = {
  image: 'busybox',
  imageDriver: 'docker',
  imagePullPolicy: null,
  registryUuid: null,
  command: null,
  entrypoint: null,
  cpu: 1,
  cpuPolicy: 'shared',
  memoryMiB: 512,
  diskGiB: 2,
  environment: {},
  labels: {},
  workdir: null,
  hostname: null,
  exposedPorts: [],
  restartPolicy: null,
  healthcheck: null,
  interactive: true,
  tty: true,
  autoRemove: false,
  autoHeal: false,
  privileged: false,
  runtime: null,
  securityGroups: [],
}

/** Callers of the tests by their token. */
const CALLERS: Readonly<Record<string, Caller>> = {
  alice: caller('alice', 'red', ['member']),
  bob: caller('bob', 'blue', ['member']),
  admin: caller('admin', 'ops', ['admin']),
  unscoped: { ...caller('eve', 'red', ['member']), projectId: null, projectName: null },
}

function caller(userId: string, projectId: string, roles: string[]): Caller {
  return {
    userId,
    userName: userId,
    userDomainId: 'default',
    userDomainName: 'Default',
    projectId,
    projectName: projectId,
    projectDomainId: 'default',
    projectDomainName: 'Default',
    roles,
  }
}

export interface ContainerOptions {
  readonly uuid?: string
  readonly name?: string
  readonly projectId?: string
  readonly status?: ContainerStatus
  readonly host?: string | null
  readonly interactive?: boolean
  /** False: the engine never had it. */
  readonly made?: boolean
}

export class LiveStore {
  readonly directory = mkdtempSync(join(tmpdir(), 'zund-live-'))
  readonly database = new SqlDatabase(join(this.directory, 'zund.sqlite'))
  readonly store = new SqlStore(this.database)
  readonly tickets = new SqlStreamTickets({ database: this.database, ttlMs: 60_000 })
  readonly policy = new PolicyEngine({ file: null, log: quietLog })

  async host(name: string, options: { zone?: string; inventory?: HostInventory | null } = {}): Promise<void> {
    await this.store.write(async (tx) => {
      const hello = { host: name, availabilityZone: options.zone ?? 'nova', uuidIfNew: randomUUID() }
      const epoch = await tx.hosts.beginSession(hello)
      if (options.inventory === null) return
      await tx.hosts.heartbeat(name, epoch, { engineTrouble: null, inventory: options.inventory ?? inventory })
    })
  }

  async container(options: ContainerOptions = {}): Promise<Container> {
    const uuid = options.uuid ?? randomUUID()
    const { host = 'h1', status = 'Running' } = options
    await this.store.write(async (tx) => {
      await tx.containers.insert({
        uuid,
        kind: 0,
        projectId: options.projectId ?? 'red',
        userId: 'alice',
        name: options.name ?? `c-${uuid.slice(0, 8)}`,
        spec: { ...spec, interactive: options.interactive ?? true },
        desired: 'running',
        host,
        allocation: host === null ? null : anAllocation(spec),
        status,
        statusReason: null,
        addresses: {},
      })
      if (options.made === false) return
      const observed = { ...ABSENT, state: 'running' as const, engineId: 'e'.repeat(64), startedAtMs: 1 }
      await tx.containers.update(uuid, { observed })
    })
    const made = await this.store.containers.byUuid(uuid, { kind: 'all' })
    if (made === undefined) throw new Error('the container was not stored')
    return made
  }

  async close(): Promise<void> {
    await this.store.close()
    rmSync(this.directory, { recursive: true, force: true })
  }
}

export function apiOn(live: LiveStore, routes: readonly Route[]): FastifyInstance {
  return buildApiServer({
    identity: { validate: async (token) => CALLERS[token], authenticateUri: 'http://identity/v3' },
    policy: live.policy,
    log: quietLog,
    routes,
    mounts: [],
    options: {
      bodyLimit: 1024 * 1024,
      publicEndpoint: null,
      trustForwardedHeaders: false,
      isTls: false,
      cors: NO_CORS,
      healthcheckDisableFile: '/nonexistent',
      requestTimeoutMs: 10_000,
    },
  })
}

export interface Ask {
  readonly as?: string
  readonly minor?: number
  readonly body?: unknown
}

export interface Answer {
  readonly status: number
  readonly body: unknown
  /** Code after `container.` and title of the first error. */
  readonly code: string | undefined
  readonly title: string
}

/** `GET /v1/...` as the real client sends it. */
export async function ask(app: FastifyInstance, line: string, options: Ask = {}): Promise<Answer> {
  const [method = 'GET', url = '/'] = line.split(' ')
  const answer = await injected(app, {
    method,
    url,
    headers: {
      'x-auth-token': options.as ?? 'alice',
      'openstack-api-version': `container 1.${options.minor ?? 40}`,
      ...(options.body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(options.body === undefined ? {} : { payload: JSON.stringify(options.body) }),
  })
  const body: unknown = answer.body === '' ? undefined : JSON.parse(answer.body)
  const [error] = (body as { errors?: { code: string; title: string }[] } | null | undefined)?.errors ?? []
  return {
    status: answer.statusCode,
    body,
    code: error?.code.replace(/^container\./, ''),
    title: error?.title ?? '',
  }
}
