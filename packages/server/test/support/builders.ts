/** Values with defaults, for tests that care about one field of many. */
import { randomBytes, randomUUID } from 'node:crypto'
import { KEY_BYTES, SealedSecrets } from '../../src/adapters/secrets/sealed-secrets.ts'
import type { EngineCreateRequest } from '../../src/orchestration/ports/engine.ts'
import type { NewLocalNetwork, NewContainer, NewOperation } from '../../src/orchestration/ports/store.ts'
import type { Binding, ContainerSpec, MountData, Observation, PortData } from '../../src/orchestration/ports/wire.ts'
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

export function aContainer(patch: Partial<NewContainer> = {}): NewContainer {
  return {
    uuid: randomUUID(),
    kind: 0,
    projectId: 'project',
    userId: 'user',
    name: 'alpha-1-container',
    spec: aSpec(),
    desired: 'running',
    host: 'host1',
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
    restartPolicy: null,
    healthcheck: null,
    autoRemove: false,
    privileged: false,
    runtime: null,
    mounts: [],
    endpoint: null,
    ...patch,
  }
}
