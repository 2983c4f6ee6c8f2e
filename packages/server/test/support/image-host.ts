/**
 * One life of a host that only works off pending images, in a process of its own so that a test can kill it.
 * Arguments: database file, state directory, engine socket.
 */
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { DockerEngine } from '../../src/adapters/docker/docker-engine.ts'
import { LocalDoorbell } from '../../src/adapters/doorbell/local.ts'
import { DockerImages } from '../../src/adapters/image/docker-images.ts'
import { PrivateRepositories } from '../../src/adapters/image/private-repositories.ts'
import { RegistryClient } from '../../src/adapters/image/registry-client.ts'
import { RegistryHosts } from '../../src/adapters/image/registry-hosts.ts'
import { localLink } from '../../src/adapters/link/local.ts'
import { SqlDatabase } from '../../src/adapters/sql/database.ts'
import { SqlStore } from '../../src/adapters/sql/sql-store.ts'
import { checkpointFrom } from '../../src/lib/checkpoints.ts'
import { systemClock } from '../../src/lib/system-clock.ts'
import { ControlPlaneService } from '../../src/orchestration/control-plane/service.ts'
import { ImageWorker } from '../../src/orchestration/image-worker.ts'
import { appOptions } from './live-api.ts'

const [databasePath = '', stateDir = '', socketPath = ''] = process.argv.slice(2)
const signal = AbortSignal.timeout(60_000)
const say = (fields: object, message: string): void =>
  void process.stderr.write(`${message} ${JSON.stringify(fields)}\n`)
const log = { debug: () => undefined, info: say, warn: say, error: say }

const store = new SqlStore(new SqlDatabase(databasePath))
const doorbell = new LocalDoorbell()
const engine = new DockerEngine({
  socketPath,
  callTimeoutMs: 30_000,
  pullStallMs: 20_000,
  deployment: 'image-worker-test',
  hardening: { pidsLimit: 100, logMaxSize: '1m', logMaxFiles: 1, defaultRuntime: null },
})
const hosts = new RegistryHosts({ allowed: [], denied: [], allowLoopback: true, allowPrivate: true, plainHttp: [] })
const controlPlane = localLink(
  new ControlPlaneService({
    moving: appOptions,
    store,
    doorbell,
    clock: systemClock,
    log,
    leaseTtlMs: 60_000,
    deployment: 'test',
    newUuid: randomUUID,
    registryFor: async () => ({ domain: null, auth: null }),
  }),
)
const session = await controlPlane.openSession({ host: 'host-1', availabilityZone: 'nova' }, { signal })
const worker = new ImageWorker({
  controlPlane,
  doorbell,
  images: new DockerImages({
    engine,
    hosts,
    registry: new RegistryClient(hosts),
    privates: new PrivateRepositories(join(stateDir, 'private-repositories.json')),
    defaultRegistry: null,
    defaultAuth: null,
    registryTimeoutMs: 3_000,
  }),
  engine,
  host: 'host-1',
  session: () => session,
  clock: systemClock,
  log,
  checkpoint: checkpointFrom(process.env),
  // The API is not in this process, so nobody rings.
  pollMs: 20,
  retryBudgetMs: 5_000,
  maxAtOnce: 2,
  progressMs: 500,
})
await worker.start()
// A test that died must not leave this behind.
process.stdin.on('end', () => process.exit(0)).resume()
