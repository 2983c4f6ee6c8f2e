/** Values with defaults, for tests that care about one field of many. */
import { randomBytes, randomUUID } from 'node:crypto'
import { KEY_BYTES, SealedSecrets } from '../../src/adapters/secrets/sealed-secrets.ts'
import type { EngineCreateRequest } from '../../src/orchestration/ports/engine.ts'
import type { NewLocalNetwork, NewContainer, NewOperation } from '../../src/orchestration/ports/store.ts'
import type {
  Allocation,
  Binding,
  ContainerSpec,
  HostInventory,
  MountData,
  Observation,
  PortData,
  RemotePort,
} from '../../src/orchestration/ports/wire.ts'
import { ABSENT } from '../../src/domain/container/status.ts'

/** With a key that is nobody else's. */
export function someSecrets(): SealedSecrets {
  return new SealedSecrets([randomBytes(KEY_BYTES)])
}

export function aSpec(patch: Partial<ContainerSpec> = {}): ContainerSpec {
  return {
    image: 'busybox',
    imageDriver: 'docker',
    imagePullPolicy: null,
    registryUuid: null,
    command: null,
    entrypoint: null,
    cpu: 1,
    cpuPolicy: 'shared',
    memoryMiB: 512,
    diskGiB: 0,
    environment: {},
    labels: {},
    workdir: null,
    hostname: null,
    exposedPorts: [],
    restartPolicy: null,
    healthcheck: null,
    interactive: false,
    tty: false,
    autoRemove: false,
    autoHeal: false,
    privileged: false,
    runtime: null,
    securityGroups: [],
    ...patch,
  }
}

/** All that its spec asks for. */
export function anAllocation(
  spec: Pick<ContainerSpec, 'cpu' | 'memoryMiB' | 'diskGiB'>,
  patch: Partial<Allocation> = {},
): Allocation {
  return { cpu: spec.cpu, memoryMiB: spec.memoryMiB, diskGiB: spec.diskGiB, cpuset: null, pciDevices: [], ...patch }
}

/** A machine of middling size that shares its cores. */
export function anInventory(patch: Partial<HostInventory> = {}): HostInventory {
  return {
    memTotalMiB: 16_000,
    cpus: 8,
    diskTotalGiB: 400,
    diskQuotaSupported: false,
    totalContainers: 3,
    architecture: 'x86_64',
    osType: 'linux',
    os: 'Debian GNU/Linux 12',
    kernelVersion: '6.1.0',
    labels: { rack: 'a1' },
    runtimes: ['runc'],
    defaultRuntime: 'runc',
    engineVersion: '20.10.24',
    engineApiVersion: '1.41',
    enableCpuPinning: false,
    numaNodes: [{ id: 0, cpus: [0, 1, 2, 3, 4, 5, 6, 7], memTotalMiB: 16_000 }],
    floatingCpus: [],
    pciDevices: [],
    diskBaseGiB: null,
    defaultDiskGiB: 10,
    allocation: { ...RATIOS, reservedCpus: 0, reservedMemoryMiB: 512, reservedDiskGiB: 0 },
    routedSubnets: [],
    ...patch,
  }
}

const RATIOS = { cpuRatio: 16, ramRatio: 1.5, diskRatio: 1 }

export function aContainer(patch: Partial<NewContainer> = {}): NewContainer {
  const host = patch.host === undefined ? 'host1' : patch.host
  const spec = patch.spec ?? aSpec()
  const isMember = (patch.kind ?? 0) > 1
  return {
    uuid: randomUUID(),
    kind: 0,
    projectId: 'project',
    userId: 'user',
    name: 'alpha-1-container',
    spec,
    desired: 'running',
    host,
    allocation: host === null || isMember ? null : anAllocation(spec),
    status: 'Running',
    statusReason: null,
    addresses: {},
    ...patch,
  }
}

export function anOperation(patch: Partial<NewOperation> & Pick<NewOperation, 'containerUuid'>): NewOperation {
  return {
    projectId: 'project',
    userId: 'user',
    requestId: `req-${randomUUID()}`,
    verb: 'start',
    params: {},
    generation: 1,
    lane: 'host:host1',
    recipe: ['startContainer'],
    recorded: true,
    ...patch,
  }
}

export function aPort(patch: Partial<PortData> = {}): PortData {
  return {
    kind: 'port',
    networkId: 'net1',
    networkName: 'default',
    projectId: 'project',
    subnets: [{ id: 'sub1', cidr: '10.0.0.0/24', gateway: '10.0.0.1', version: 4 }],
    fixedIps: [{ address: '10.0.0.2', version: 4, subnetId: 'sub1' }],
    macAddress: null,
    preserveOnDelete: false,
    ...patch,
  }
}

/** To be made by a network service. */
export function aRemotePort(patch: Partial<RemotePort> = {}): RemotePort {
  return {
    portId: null,
    deviceId: 'container',
    askedAddresses: [],
    securityGroups: [],
    openPorts: [],
    openGroup: null,
    before: null,
    addedGroups: [],
    removedGroups: [],
    shared: false,
    mtu: null,
    plug: null,
    ...patch,
  }
}

export function aMount(patch: Partial<MountData> = {}): MountData {
  return {
    kind: 'mount',
    volumeUuid: randomUUID(),
    provider: 'volume',
    destination: '/data',
    sizeGiB: 1,
    contents: null,
    autoRemove: true,
    ...patch,
  }
}

export function aBinding(data: Binding['data'], patch: Partial<Binding> = {}): Binding {
  return { uuid: randomUUID(), state: 'planned', order: 0, data, ...patch }
}

export function anObservation(patch: Partial<Observation> = {}): Observation {
  return { ...ABSENT, state: 'running', engineId: 'engine-1', generation: 1, startedAtMs: 1_000, exitCode: 0, ...patch }
}

/** Without subnets of its own: those of two networks must differ. */
export function aNetwork(uuid: string, patch: Partial<NewLocalNetwork> = {}): NewLocalNetwork {
  return {
    uuid,
    name: 'default',
    projectId: 'project',
    isDefault: false,
    cidrV4: '10.0.0.0/24',
    gatewayV4: '10.0.0.1',
    subnetV4: 'sub1',
    cidrV6: null,
    gatewayV6: null,
    subnetV6: null,
    ...patch,
  }
}

export function aCreateRequest(patch: Partial<EngineCreateRequest> = {}): EngineCreateRequest {
  const containerUuid = patch.containerUuid ?? randomUUID()
  return {
    name: `zun-${containerUuid}`,
    containerUuid,
    projectId: 'project',
    generation: 1,
    image: 'busybox:latest',
    command: ['sleep', '1000'],
    entrypoint: null,
    environment: {},
    labels: {},
    workdir: null,
    hostname: null,
    exposedPorts: [],
    tty: false,
    interactive: false,
    cpu: 0,
    memoryMiB: 0,
    diskGiB: 0,
    cpuset: null,
    restartPolicy: null,
    healthcheck: null,
    autoRemove: false,
    privileged: false,
    runtime: null,
    mounts: [],
    endpoint: null,
    namespaces: null,
    ...patch,
  }
}
