/** The compute role: what drives one host's engine, network, volumes and images. */
import { availableParallelism } from 'node:os'
import { ArchiveCache } from '../adapters/image/glance/archive-cache.ts'
import { LoadedImages } from '../adapters/image/glance/loaded-images.ts'
import { GlanceSnapshots } from '../adapters/image/glance/glance-snapshots.ts'
import { GlanceImages } from '../adapters/image/glance/glance-images.ts'
import { ImagesByDriver } from '../adapters/image/images-by-driver.ts'
import { DockerImages } from '../adapters/image/docker-images.ts'
import { PrivateRepositories } from '../adapters/image/private-repositories.ts'
import type { RegistryClient } from '../adapters/image/registry-client.ts'
import type { HostNetworks } from '../adapters/network/networks-by-service.ts'
import { Glance } from '../adapters/openstack/glance.ts'
import { REGISTRY_DRIVER, SERVICE_DRIVER } from '../domain/image/drivers.ts'
import { Gate } from '../lib/gate.ts'
import { systemClock } from '../lib/system-clock.ts'
import { Disposer } from '../orchestration/disposer.ts'
import { HostAgent } from '../orchestration/host-agent.ts'
import { ImageWorker } from '../orchestration/image-worker.ts'
import type { Checkpoint, Logger } from '../orchestration/ports/clock.ts'
import type { ControlPlane } from '../orchestration/ports/control-plane.ts'
import type { ContainerEngine, EngineArchives } from '../orchestration/ports/engine.ts'
import type { ImageDriver } from '../orchestration/ports/drivers.ts'
import type { Doorbell } from '../orchestration/ports/store.ts'
import type { HostAddress, RegistryAuth } from '../orchestration/ports/wire.ts'
import type { Cloud } from './cloud.ts'
import type { Config } from './config/options.ts'
import { composeInventory } from './host-inventory.ts'
import { composeHostNetworks, type NetworkPlugin } from './network.ts'
import { composeRegistries } from './registries.ts'
import type { StateDir } from './state-dir.ts'
import { composeHostVolumes } from './volumes.ts'

/** Milliseconds; heartbeats also renew leases, so they must be well below a lease's length. */
const HEARTBEAT_MS = 10_000
const PING_MS = 2_000
export const PING_TIMEOUT_MS = 5_000
const INVENTORY_MS = 60_000
const CLAIM_WAIT_MS = 30_000
const PROGRESS_MS = 500
/** A question to a registry beside a pull. */
const REGISTRY_TIMEOUT_MS = 5_000
/** What failed to be removed is tried again so often. */
const DISPOSAL_POLL_MS = 30_000
/** Pending images are looked for so often although nobody rang. */
const IMAGE_POLL_MS = 5_000
const IMAGES_AT_ONCE = 3

const GIB = 1024 ** 3
const HOUR_MS = 3_600_000

const DEFAULT_RELIST_S = 60
/** A relist can be switched off; then it is this rare. */
const RARE_RELIST_S = 86_400

export interface HostDeps {
  readonly config: Config
  readonly state: StateDir
  readonly log: Logger
  readonly checkpoint: Checkpoint
  readonly engine: ContainerEngine
  readonly archives: EngineArchives
  /** undefined: the machine stands alone. */
  readonly cloud: Cloud | undefined
  /** Started; undefined: networks are those of the machine. */
  readonly plugin: NetworkPlugin | undefined
  readonly controlPlane: ControlPlane
  readonly doorbell: Doorbell
  /** Where the control plane reaches this host; absent: it is in the same process. */
  readonly address?: HostAddress
  readonly onFencedOut: () => void
}

export interface ComposedHost {
  readonly agent: HostAgent
  /** To be started after the agent, whose session it uses. */
  readonly disposer: Disposer
  readonly imageWorker: ImageWorker
  readonly images: ImageDriver
  readonly networks: HostNetworks
  readonly registry: RegistryClient
  /** Puts back mounts and rules of the packet filter. Repeatable, and without the control plane. */
  restore(o: { readonly isStart: boolean }, signal: AbortSignal): Promise<void>
}

export function composeHost(deps: HostDeps): ComposedHost {
  const { config, state, log, checkpoint, engine, archives, cloud, controlPlane, doorbell, address, onFencedOut } = deps
  const networks = composeHostNetworks(deps)
  const volumes = composeHostVolumes(deps)
  const { hosts: registryHosts, client: registry } = composeRegistries(config)
  const registryImages = new DockerImages({
    engine,
    hosts: registryHosts,
    registry,
    privates: new PrivateRepositories(state.file('private-repositories.json')),
    registryTimeoutMs: REGISTRY_TIMEOUT_MS,
    ...imageDefaults(config),
  })
  const glanceImages = cloud === undefined ? undefined : composeGlanceImages(deps, cloud)
  const images =
    glanceImages === undefined
      ? registryImages
      : new ImagesByDriver({ [REGISTRY_DRIVER]: registryImages, [SERVICE_DRIVER]: glanceImages })
  const restore = async (o: { readonly isStart: boolean }, signal: AbortSignal): Promise<void> => {
    // Volumes first: a container that the engine starts at boot waits for its mount.
    await volumes.restore(o, signal)
    await networks.restore(signal)
    await glanceImages?.tidy()
  }
  const agent = new HostAgent({
    controlPlane,
    host: config.host,
    ...(address === undefined ? {} : { address }),
    availabilityZone: config.availabilityZone,
    tools: {
      engine,
      images,
      networks,
      volumes,
      claims: cloud?.placement?.claims,
      snapshots: cloud === undefined ? undefined : new GlanceSnapshots({ glance: new Glance(cloud.session), archives }),
      floatingCpus: config.enableCpuPinning ? config.floatingCpus : [],
      gate: new Gate(8 * availableParallelism()),
      clock: systemClock,
      log,
      checkpoint,
    },
    readInventory: composeInventory(deps),
    restore,
    holdings: [networks, volumes].flatMap(({ holdings }) => (holdings === undefined ? [] : [holdings])),
    onFencedOut,
    intervals: {
      heartbeatMs: HEARTBEAT_MS,
      relistMs: relistSeconds(config) * 1000,
      pingMs: PING_MS,
      pingTimeoutMs: PING_TIMEOUT_MS,
      inventoryMs: Math.min(INVENTORY_MS, config.periodicIntervalMax * 1000),
      claimWaitMs: CLAIM_WAIT_MS,
      progressMs: PROGRESS_MS,
    },
    retryBudgetMs: config.operationRetryTime * 1000,
    maxOperations: config.maxConcurrentOperations,
  })
  const disposer = new Disposer({
    controlPlane,
    doorbell,
    volumes,
    networks,
    host: config.host,
    session: () => agent.session,
    clock: systemClock,
    log,
    checkpoint,
    pollMs: DISPOSAL_POLL_MS,
  })
  const imageWorker = new ImageWorker({
    controlPlane,
    doorbell,
    images,
    engine,
    host: config.host,
    session: () => agent.session,
    clock: systemClock,
    log,
    checkpoint,
    pollMs: IMAGE_POLL_MS,
    retryBudgetMs: config.operationRetryTime * 1000,
    maxAtOnce: IMAGES_AT_ONCE,
    progressMs: PROGRESS_MS,
  })
  return { agent, disposer, imageWorker, images, networks, registry, restore }
}

function composeGlanceImages({ config, state, log, engine, archives }: HostDeps, cloud: Cloud): GlanceImages {
  const glance = new Glance(cloud.session)
  const kept = {
    directory: config.imagesDirectory ?? state.file('images'),
    maxAgeMs: config.imageCacheHours * HOUR_MS,
    clock: systemClock,
    log,
  }
  return new GlanceImages({
    glance,
    engine,
    archives,
    cache: new ArchiveCache({ ...kept, maxBytes: config.imageCacheGiB * GIB }),
    loaded: new LoadedImages({ ...kept, glance, engine }),
  })
}

/** [docker] default_registry and its credentials. */
export function imageDefaults(config: Config): { defaultRegistry: string | null; defaultAuth: RegistryAuth | null } {
  const { defaultRegistry, defaultRegistryUsername: username, defaultRegistryPassword: password } = config
  return {
    defaultRegistry,
    defaultAuth:
      defaultRegistry === null || username === null
        ? null
        : { serverAddress: defaultRegistry, username, password: password ?? '' },
  }
}

function relistSeconds({ syncContainerStateInterval: asked }: Config): number {
  if (asked < 0) return RARE_RELIST_S
  return asked === 0 ? DEFAULT_RELIST_S : asked
}
