/**
 * The parts of a container that travel between the control plane and a host's agent.
 *
 * Schemas are the source: the link validates with them, and the types below are derived from them, so that what a
 * host is told and what the control plane stores cannot drift apart.
 */
import { Type, type Static } from 'typebox'

const nullable = <T extends ReturnType<typeof Type.Unsafe> | Parameters<typeof Type.Union>[0][number]>(schema: T) =>
  Type.Union([schema, Type.Null()])

const StringMap = Type.Record(Type.String(), Type.String())

export const RestartPolicySchema = Type.Object({
  name: Type.Union([
    Type.Literal('no'),
    Type.Literal('always'),
    Type.Literal('on-failure'),
    Type.Literal('unless-stopped'),
  ]),
  maximumRetryCount: Type.Integer({ minimum: 0 }),
})
export type RestartPolicy = Static<typeof RestartPolicySchema>

/** Durations are whole seconds; null means the engine's default. */
export const HealthcheckSchema = Type.Object({
  test: nullable(Type.String()),
  intervalS: nullable(Type.Integer({ minimum: 0 })),
  timeoutS: nullable(Type.Integer({ minimum: 0 })),
  retries: nullable(Type.Integer({ minimum: 0 })),
})
export type Healthcheck = Static<typeof HealthcheckSchema>

export const PullPolicySchema = Type.Union([
  Type.Literal('always'),
  Type.Literal('ifnotpresent'),
  Type.Literal('never'),
])
export type PullPolicy = Static<typeof PullPolicySchema>

/** What the user asked for. Defaults are filled in when the request is accepted; the system never edits it afterwards. */
export const ContainerSpecSchema = Type.Object({
  image: Type.String(),
  imageDriver: Type.String(),
  /** Of an image service: the image that was meant when the request was accepted. */
  imageId: Type.Optional(nullable(Type.String())),
  /** null: not given, which means `always`. */
  imagePullPolicy: nullable(PullPolicySchema),
  /** Registry (uuid of its record) whose credentials and domain are used for the pull. */
  registryUuid: nullable(Type.String()),
  /** null: the image's own. */
  command: nullable(Type.Array(Type.String())),
  entrypoint: nullable(Type.Array(Type.String())),
  /** Number of cores; 0 means no share is set. */
  cpu: Type.Number(),
  cpuPolicy: Type.Union([Type.Literal('shared'), Type.Literal('dedicated')]),
  /** 0 means no limit. */
  memoryMiB: Type.Integer(),
  /** 0 means no limit. */
  diskGiB: Type.Integer(),
  environment: StringMap,
  labels: StringMap,
  workdir: nullable(Type.String()),
  hostname: nullable(Type.String()),
  /** `80/tcp`, `53/udp` … */
  exposedPorts: Type.Array(Type.String()),
  restartPolicy: nullable(RestartPolicySchema),
  healthcheck: nullable(HealthcheckSchema),
  interactive: Type.Boolean(),
  tty: Type.Boolean(),
  autoRemove: Type.Boolean(),
  autoHeal: Type.Boolean(),
  privileged: Type.Boolean(),
  /** null: the host's default runtime. */
  runtime: nullable(Type.String()),
  securityGroups: Type.Array(Type.String()),
})
export type ContainerSpec = Static<typeof ContainerSpecSchema>

export const EngineStateSchema = Type.Union([
  Type.Literal('created'),
  Type.Literal('running'),
  Type.Literal('paused'),
  Type.Literal('restarting'),
  Type.Literal('removing'),
  Type.Literal('exited'),
  Type.Literal('dead'),
  Type.Literal('unknown'),
  /** The engine has no such container. */
  Type.Literal('absent'),
])
export type EngineState = Static<typeof EngineStateSchema>

/** What the host's engine says of a container. Times are epoch milliseconds of the engine's clock; null = never. */
export const ObservationSchema = Type.Object({
  state: EngineStateSchema,
  engineId: nullable(Type.String()),
  /** Generation label of the engine container; null when absent. */
  generation: nullable(Type.Integer()),
  startedAtMs: nullable(Type.Number()),
  finishedAtMs: nullable(Type.Number()),
  exitCode: nullable(Type.Integer()),
  oomKilled: Type.Boolean(),
  /** The engine's own error text of the last start, else empty. */
  error: Type.String(),
  restartCount: Type.Integer(),
  hostname: nullable(Type.String()),
  ports: Type.Array(Type.Integer()),
  runtime: nullable(Type.String()),
  command: nullable(Type.Array(Type.String())),
  entrypoint: nullable(Type.Array(Type.String())),
})
export type Observation = Static<typeof ObservationSchema>

const FixedIpSchema = Type.Object({
  address: Type.String(),
  version: Type.Union([Type.Literal(4), Type.Literal(6)]),
  subnetId: Type.String(),
})
export type FixedIp = Static<typeof FixedIpSchema>

const SubnetSchema = Type.Object({
  id: Type.String(),
  cidr: Type.String(),
  gateway: nullable(Type.String()),
  version: Type.Union([Type.Literal(4), Type.Literal(6)]),
  hostRoutes: Type.Optional(Type.Array(Type.Object({ destination: Type.String(), nextHop: Type.String() }))),
  dnsServers: Type.Optional(Type.Array(Type.String())),
})
export type Subnet = Static<typeof SubnetSchema>

/** How a port is to be plugged into the switch of its host. */
export const PlugSchema = Type.Object({
  /** The network service's own word: `bridge`, `ovs`, `tap` … */
  kind: Type.String(),
  /** Bridge of the host that was named; null: the usual one. */
  bridge: nullable(Type.String()),
  /** With a Linux bridge between port and switch, which filters. */
  hybrid: Type.Boolean(),
})
export type Plug = Static<typeof PlugSchema>

/** What a network service outside of this one keeps of a port, or is to make. */
export const RemotePortSchema = Type.Object({
  /** null: it is still to be made. */
  portId: nullable(Type.String()),
  /** Uuid of the container: written on the port, so that it is found again by it. */
  deviceId: Type.String(),
  /** Fixed addresses that were asked for. */
  askedAddresses: Type.Array(Type.String()),
  /** Ids of the security groups that were asked for; empty: what the network service gives by itself. */
  securityGroups: Type.Array(Type.String()),
  /** `80/tcp`: to be opened by a group of the container's own. */
  openPorts: Type.Array(Type.String()),
  /** Id of that group, once it is made. */
  openGroup: nullable(Type.String()),
  /** What a port that was brought was before, to be given back so; null: it was made for the container. */
  before: nullable(Type.Object({ deviceOwner: Type.String(), hostId: Type.String() })),
  /** Security groups that a port that was brought has got, and has lost, for as long as the container has it. */
  addedGroups: Type.Array(Type.String()),
  removedGroups: Type.Array(Type.String()),
  shared: Type.Boolean(),
  mtu: nullable(Type.Integer()),
  plug: nullable(PlugSchema),
})
export type RemotePort = Static<typeof RemotePortSchema>

/** One network port of a container. `networkId` is also the name of the engine network. */
export const PortDataSchema = Type.Object({
  kind: Type.Literal('port'),
  networkId: Type.String(),
  networkName: Type.String(),
  projectId: Type.String(),
  subnets: Type.Array(SubnetSchema),
  fixedIps: Type.Array(FixedIpSchema),
  macAddress: nullable(Type.String()),
  /** True when the user brought the port: it is unbound, not deleted, with the container. */
  preserveOnDelete: Type.Boolean(),
  /** Absent: a port of the built-in network service, which is no more than its addresses. */
  remote: Type.Optional(RemotePortSchema),
})
export type PortData = Static<typeof PortDataSchema>

/** One mount of a container: a sized local volume, or a file whose content the user sent. */
export const MountDataSchema = Type.Object({
  kind: Type.Literal('mount'),
  volumeUuid: Type.String(),
  /** `volume`: of the host itself. `block-storage`: of the cloud's service; the uuid is the one it has there. */
  provider: Type.Union([Type.Literal('volume'), Type.Literal('file'), Type.Literal('block-storage')]),
  destination: Type.String(),
  /** GiB; 0 for a file. */
  sizeGiB: Type.Integer(),
  /** Base64; only for a file. */
  contents: nullable(Type.String()),
  /** True when the service made the volume for this container: it is deleted with it. */
  autoRemove: Type.Boolean(),
  /** Of block storage: in whose name (uuid) it is attached there, and as what once it is. */
  attachment: Type.Optional(nullable(Type.Object({ holder: Type.String(), id: nullable(Type.String()) }))),
})
export type MountData = Static<typeof MountDataSchema>

export const BindingStateSchema = Type.Union([Type.Literal('planned'), Type.Literal('held'), Type.Literal('gone')])
export type BindingState = Static<typeof BindingStateSchema>

/** One outside thing a container holds. `order` is the order of the request; the first port is the first interface. */
export const BindingSchema = Type.Object({
  uuid: Type.String(),
  state: BindingStateSchema,
  order: Type.Integer(),
  data: Type.Union([PortDataSchema, MountDataSchema]),
})
export type Binding = Static<typeof BindingSchema>

export const DesiredStateSchema = Type.Union([
  Type.Literal('created'),
  Type.Literal('running'),
  Type.Literal('stopped'),
  Type.Literal('paused'),
  Type.Literal('absent'),
])
export type DesiredState = Static<typeof DesiredStateSchema>

/** Cores and NUMA nodes of a host that one container has to itself. */
export const CpusetSchema = Type.Object({
  cpus: Type.Array(Type.Integer({ minimum: 0 })),
  mems: Type.Array(Type.Integer({ minimum: 0 })),
})
export type Cpuset = Static<typeof CpusetSchema>

/** What a container holds of its host, from the moment the host is chosen until it is gone from there. */
export const AllocationSchema = Type.Object({
  cpu: Type.Number(),
  memoryMiB: Type.Integer(),
  /** Asked for; a default that the host applies is not in it. */
  diskGiB: Type.Integer(),
  /** null: it shares the host's cores. */
  cpuset: nullable(CpusetSchema),
  /** Addresses, `0000:3b:00.1`. */
  pciDevices: Type.Array(Type.String()),
  /** Uuid of the host's resource provider, where a cloud counts what hosts have: it holds the same there. */
  provider: Type.Optional(Type.String()),
})
export type Allocation = Static<typeof AllocationSchema>

/** What is held at the resource provider of its host, in the name of its user. */
export const ResourceClaimSchema = Type.Object({
  provider: Type.String(),
  projectId: Type.String(),
  userId: Type.String(),
  cpu: Type.Number(),
  memoryMiB: Type.Integer(),
  diskGiB: Type.Integer(),
})
export type ResourceClaim = Static<typeof ResourceClaimSchema>

/** All a host has to know of one of its containers. */
export const AssignedContainerSchema = Type.Object({
  uuid: Type.String(),
  /** null: a capsule without a name. */
  name: nullable(Type.String()),
  projectId: Type.String(),
  generation: Type.Integer(),
  desired: DesiredStateSchema,
  /** Status the public API shows, before this operation's end. */
  status: Type.String(),
  spec: ContainerSpecSchema,
  engineId: nullable(Type.String()),
  /** Cores of its own; with a resize under way also those it is to get, after the others. */
  cpuset: nullable(CpusetSchema),
  bindings: Type.Array(BindingSchema),
  /** Absent: nobody counts besides us. */
  claim: Type.Optional(ResourceClaimSchema),
})
export type AssignedContainer = Static<typeof AssignedContainerSchema>
