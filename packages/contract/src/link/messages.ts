/** Messages of the link between control plane and agents. See docs/design/link.md. */
import { Type, type Static } from 'typebox'
import {
  AssignedContainerSchema,
  BindingSchema,
  BindingStateSchema,
  ContainerSpecSchema,
  MountDataSchema,
  ObservationSchema,
} from './container.ts'

/** One device of the host that the operator has put on the list for passing through. */
export const PciDeviceSchema = Type.Object({
  /** `domain:bus:slot.function` */
  address: Type.String(),
  /** Four hexadecimal digits, lower case. */
  vendorId: Type.String(),
  productId: Type.String(),
  devType: Type.Union([Type.Literal('type-PCI'), Type.Literal('type-PF'), Type.Literal('type-VF')]),
  /** Of a virtual function: the physical one it belongs to. */
  parentAddress: Type.Union([Type.String(), Type.Null()]),
  numaNode: Type.Union([Type.Integer(), Type.Null()]),
  /** What the list says of it besides, such as `physical_network`. */
  tags: Type.Record(Type.String(), Type.String()),
})
export type PciDevice = Static<typeof PciDeviceSchema>

/** What the host has, for scheduling and for GET /v1/hosts. Memory in MiB, disk in GiB. */
export const HostInventorySchema = Type.Object({
  memTotalMiB: Type.Integer(),
  cpus: Type.Integer(),
  diskTotalGiB: Type.Integer(),
  diskQuotaSupported: Type.Boolean(),
  totalContainers: Type.Integer(),
  architecture: Type.String(),
  osType: Type.String(),
  os: Type.String(),
  kernelVersion: Type.String(),
  labels: Type.Record(Type.String(), Type.String()),
  runtimes: Type.Array(Type.String()),
  defaultRuntime: Type.String(),
  engineVersion: Type.String(),
  engineApiVersion: Type.String(),
  enableCpuPinning: Type.Boolean(),
  /** Per NUMA node: cores that may be dedicated, and memory. */
  numaNodes: Type.Array(
    Type.Object({ id: Type.Integer(), cpus: Type.Array(Type.Integer()), memTotalMiB: Type.Integer() }),
  ),
  /** Cores set aside for containers that share. */
  floatingCpus: Type.Array(Type.Integer()),
  pciDevices: Type.Array(PciDeviceSchema),
  /** Size that a container's disk has at least, where the engine has such a thing. */
  diskBaseGiB: Type.Union([Type.Integer(), Type.Null()]),
  /** Limit for containers that ask for none, where disk can be limited; 0: none. */
  defaultDiskGiB: Type.Integer(),
  /** How much of it may be promised: (what there is - reserved) × ratio. */
  allocation: Type.Object({
    cpuRatio: Type.Number(),
    ramRatio: Type.Number(),
    diskRatio: Type.Number(),
    reservedCpus: Type.Integer(),
    reservedMemoryMiB: Type.Integer(),
    reservedDiskGiB: Type.Integer(),
  }),
  /** `address/prefix` of every subnet the host routes: local networks must stay clear of them. */
  routedSubnets: Type.Array(Type.String()),
  /** Where a cloud counts what hosts have: under which resource provider this one is, and whether others may hold of it. */
  resourceProvider: Type.Optional(Type.Object({ uuid: Type.String(), isShared: Type.Boolean() })),
})
export type HostInventory = Static<typeof HostInventorySchema>

/** Where a host listens for the control plane. */
export const HostAddressSchema = Type.Object({
  address: Type.String({ minLength: 1, maxLength: 255 }),
  port: Type.Integer({ minimum: 1, maximum: 65_535 }),
})
export type HostAddress = Static<typeof HostAddressSchema>

export const HostHelloSchema = Type.Object({
  host: Type.String(),
  availabilityZone: Type.String(),
  /** Absent: it is in the same process, and need not be reached. */
  address: Type.Optional(HostAddressSchema),
})
export type HostHello = Static<typeof HostHelloSchema>

export const DeploymentQuerySchema = Type.Object({ host: Type.String() })
export type DeploymentQuery = Static<typeof DeploymentQuerySchema>

export const SessionSchema = Type.Object({
  host: Type.String(),
  epoch: Type.Integer(),
  leaseTtlMs: Type.Integer(),
  /** Of the host's record; absent: of a control plane that does not say it. */
  hostUuid: Type.Optional(Type.String()),
  /** COMPLETE set of this host's containers. */
  containers: Type.Array(AssignedContainerSchema),
})
export type Session = Static<typeof SessionSchema>

/** Every call of an agent says which life of which host is speaking. */
export const SessionRefSchema = Type.Object({ host: Type.String(), epoch: Type.Integer() })
export type SessionRef = Static<typeof SessionRefSchema>

export const LeaseRefSchema = Type.Object({
  operationId: Type.Integer(),
  fence: Type.Integer(),
  /** Who holds it: one life of the agent whose lane it is in. */
  session: SessionRefSchema,
})
export type LeaseRef = Static<typeof LeaseRefSchema>

export const VerbSchema = Type.Union([
  Type.Literal('create'),
  Type.Literal('start'),
  Type.Literal('stop'),
  Type.Literal('reboot'),
  Type.Literal('pause'),
  Type.Literal('unpause'),
  Type.Literal('kill'),
  Type.Literal('rebuild'),
  Type.Literal('delete'),
  Type.Literal('commit'),
  Type.Literal('resize'),
  Type.Literal('network_attach'),
  Type.Literal('network_detach'),
  Type.Literal('add_security_group'),
  Type.Literal('remove_security_group'),
])
export type Verb = Static<typeof VerbSchema>

const PciRequestSchema = Type.Object({
  count: Type.Integer({ minimum: 1 }),
  spec: Type.Array(Type.Record(Type.String(), Type.String())),
})

/** What a create said of its host, for the case that another one must be found; and who has tried. */
export const PlacementParamsSchema = Type.Object({
  availabilityZone: Type.Union([Type.String(), Type.Null()]),
  hints: Type.Record(Type.String(), Type.String()),
  /** Asked for by name. */
  host: Type.Union([Type.String(), Type.Null()]),
  pciRequests: Type.Array(PciRequestSchema),
  refusals: Type.Array(Type.Object({ host: Type.String(), reason: Type.String() })),
})
export type PlacementParams = Static<typeof PlacementParamsSchema>

/** Arguments of the verbs; which of them are set depends on the verb. */
export const OperationParamsSchema = Type.Object({
  /** create: also start it. rebuild: start it afterwards. */
  run: Type.Optional(Type.Boolean()),
  /** create */
  placement: Type.Optional(PlacementParamsSchema),
  /** stop, reboot, delete with stop: seconds; absent = the engine's default. */
  timeoutS: Type.Optional(Type.Integer({ minimum: 0 })),
  signal: Type.Optional(Type.String()),
  /** delete: carry on when a step fails. */
  force: Type.Optional(Type.Boolean()),
  /** delete: stop it first. */
  stopFirst: Type.Optional(Type.Boolean()),
  /** commit */
  repository: Type.Optional(Type.String()),
  tag: Type.Optional(Type.String()),
  /** Uuid the image will have in the API (commit). */
  imageUuid: Type.Optional(Type.String()),
  /** commit: an image service has a record under this uuid, which waits for the data. */
  uploadImage: Type.Optional(Type.Boolean()),
  /** resize: the new values. */
  cpu: Type.Optional(Type.Number()),
  memoryMiB: Type.Optional(Type.Integer()),
  /** Accepted by the service itself, to heal or to clean up, in the name of the container's user. */
  byService: Type.Optional(Type.Boolean()),
  /** network_attach, network_detach: uuids of the port bindings concerned. */
  ports: Type.Optional(Type.Array(Type.String())),
  /** add_security_group, remove_security_group: its id. */
  securityGroup: Type.Optional(Type.String()),
})
export type OperationParams = Static<typeof OperationParamsSchema>

export const StepRecordSchema = Type.Object({
  name: Type.String(),
  state: Type.Union([Type.Literal('started'), Type.Literal('finished'), Type.Literal('failed')]),
  /** What the step noted before it acted (for edges: what makes it observable afterwards). */
  mark: Type.Unknown(),
  output: Type.Unknown(),
})
export type StepRecord = Static<typeof StepRecordSchema>

export const RegistryAuthSchema = Type.Object({
  serverAddress: Type.String(),
  username: Type.String(),
  password: Type.String(),
})
export type RegistryAuth = Static<typeof RegistryAuthSchema>

export const ClaimedOperationSchema = Type.Object({
  id: Type.Integer(),
  fence: Type.Integer(),
  verb: VerbSchema,
  /** Recipe: step names in order, computed once when the operation was accepted. */
  recipe: Type.Array(Type.String()),
  params: OperationParamsSchema,
  requestId: Type.String(),
  /** Who asked, for the log. An older control plane does not say. */
  userId: Type.Optional(Type.String()),
  /** Sequence number of this operation within the container; the engine container made by it carries it as a label. */
  generation: Type.Integer(),
  attempt: Type.Integer(),
  /** How many of the attempts met an error that nobody foresaw. */
  failures: Type.Integer(),
  /** Milliseconds since the operation was first claimed; the retry budget is measured against it. */
  ageMs: Type.Number(),
  journal: Type.Array(StepRecordSchema),
  container: AssignedContainerSchema,
  /** Of a capsule, in the order of its template; of a container there are none. */
  initMembers: Type.Array(AssignedContainerSchema),
  members: Type.Array(AssignedContainerSchema),
  /** Domain that is put before an image name without one; null: none. */
  registryDomain: Type.Union([Type.String(), Type.Null()]),
  /** Never stored with the operation: looked up when it is claimed. */
  registryAuth: Type.Union([RegistryAuthSchema, Type.Null()]),
})
export type ClaimedOperation = Static<typeof ClaimedOperationSchema>

const HeldOperationSchema = Type.Object({ operationId: Type.Integer(), fence: Type.Integer() })
export type HeldOperation = Static<typeof HeldOperationSchema>

export const ClaimQuerySchema = Type.Object({
  session: SessionRefSchema,
  lane: Type.String(),
  max: Type.Integer({ minimum: 1 }),
  waitMs: Type.Integer({ minimum: 0 }),
  /** All that this life has under way. What it was given besides was lost on the way, and is given anew. */
  holding: Type.Optional(Type.Array(HeldOperationSchema)),
})
export type ClaimQuery = Static<typeof ClaimQuerySchema>

const BindingChangeSchema = Type.Object({
  uuid: Type.String(),
  state: BindingStateSchema,
  /** What was learned by making it, such as the addresses another service has chosen; replaces what was planned. */
  data: Type.Optional(BindingSchema.properties.data),
})
export type BindingChange = Static<typeof BindingChangeSchema>

const CountSchema = Type.Object({ current: Type.Integer({ minimum: 0 }), total: Type.Integer({ minimum: 0 }) })
/** How far the pull of an image is. `bytes` is null until the engine names any. */
export const PullCountSchema = Type.Object({
  image: Type.String(),
  layers: CountSchema,
  bytes: Type.Union([CountSchema, Type.Null()]),
})
export type PullCount = Static<typeof PullCountSchema>

export const StepEntrySchema = Type.Union([
  Type.Object({
    kind: Type.Literal('started'),
    step: Type.String(),
    mark: Type.Optional(Type.Unknown()),
  }),
  Type.Object({
    kind: Type.Literal('finished'),
    step: Type.String(),
    output: Type.Optional(Type.Unknown()),
    bindings: Type.Optional(Type.Array(BindingChangeSchema)),
    /** Present when the step made or changed the engine container. */
    seen: Type.Optional(ObservationSchema),
  }),
  Type.Object({ kind: Type.Literal('failed'), step: Type.String(), code: Type.String(), message: Type.String() }),
  /** Text for `status_detail` while the step runs, e.g. how far a pull is. */
  Type.Object({
    kind: Type.Literal('progress'),
    step: Type.String(),
    detail: Type.String(),
    pull: Type.Optional(PullCountSchema),
  }),
])
export type StepEntry = Static<typeof StepEntrySchema>

/** True: the reason is this host's own and nothing of it is here, so another host may try. */
const MayMove = Type.Optional(Type.Boolean())
const SeenContainerSchema = Type.Object({ uuid: Type.String(), seen: ObservationSchema })
export type SeenContainer = Static<typeof SeenContainerSchema>

export const OperationEndSchema = Type.Union([
  Type.Object({
    kind: Type.Literal('succeeded'),
    seen: Type.Optional(ObservationSchema),
    /** What was last seen of the members of a capsule. */
    members: Type.Optional(Type.Array(SeenContainerSchema)),
  }),
  Type.Object({
    kind: Type.Literal('failed'),
    code: Type.String(),
    message: Type.String(),
    /** True when the user can mend it (bad image, refused option); false when we or the machine failed. */
    userFault: Type.Boolean(),
    seen: Type.Optional(ObservationSchema),
    members: Type.Optional(Type.Array(SeenContainerSchema)),
    /** The engine was asked and has no container of it. */
    isAbsent: Type.Optional(Type.Boolean()),
    /** Ports that were given back, since nothing was made that needs them. */
    released: Type.Optional(Type.Array(BindingChangeSchema)),
    mayMove: MayMove,
  }),
  Type.Object({ kind: Type.Literal('cancelled'), message: Type.String() }),
  Type.Object({
    kind: Type.Literal('retry'),
    afterMs: Type.Integer({ minimum: 0 }),
    /** The error was not foreseen: of these there may be few. */
    unforeseen: Type.Boolean(),
    code: Type.String(),
    message: Type.String(),
    mayMove: MayMove,
  }),
])
export type OperationEnd = Static<typeof OperationEndSchema>

export const RenewResultSchema = Type.Object({
  /** Operations whose lease still holds. Any other must be let go at once. */
  held: Type.Array(Type.Integer()),
  /** Of those: a newer request supersedes it; stop at the next safe point. */
  superseded: Type.Array(Type.Integer()),
})
export type RenewResult = Static<typeof RenewResultSchema>

export const HeartbeatSchema = Type.Object({
  session: SessionRefSchema,
  leases: Type.Array(LeaseRefSchema),
  /** null: the engine answers. Else why it does not. */
  engineTrouble: Type.Union([Type.String(), Type.Null()]),
  /** Only sent when it changed. */
  inventory: Type.Optional(HostInventorySchema),
})
export type Heartbeat = Static<typeof HeartbeatSchema>

export const EventOfEndSchema = Type.Object({
  exitCode: Type.Union([Type.Integer(), Type.Null()]),
  outOfMemory: Type.Boolean(),
  /** Epoch milliseconds by the engine's clock. */
  atMs: Type.Number(),
})
export type EventOfEnd = Static<typeof EventOfEndSchema>

export const ObservedReportSchema = Type.Object({
  session: SessionRefSchema,
  containers: Type.Array(
    Type.Object({
      uuid: Type.String(),
      seen: ObservationSchema,
      /** What the engine's event told of an end, which a container that runs again or is gone no longer shows. */
      end: Type.Optional(EventOfEndSchema),
    }),
  ),
})
export type ObservedReport = Static<typeof ObservedReportSchema>

/** Answer to a report: engine containers with our label that no row owns and that may be removed. */
export const OwnershipSchema = Type.Object({ orphans: Type.Array(Type.String()) })
export type Ownership = Static<typeof OwnershipSchema>

export const OwnershipQuerySchema = Type.Object({
  session: SessionRefSchema,
  uuids: Type.Array(Type.String()),
})
export type OwnershipQuery = Static<typeof OwnershipQuerySchema>

/** Something that nobody wants any more and that a host is to remove, with its data. */
export const DisposalSchema = Type.Union([
  Type.Object({ kind: Type.Literal('network'), uuid: Type.String() }),
  Type.Object({ kind: Type.Literal('volume'), uuid: Type.String() }),
  /** What a container that is gone had mounted, and could not give back when it went. */
  Type.Object({ kind: Type.Literal('mount'), uuid: Type.String(), mount: MountDataSchema }),
])
export type Disposal = Static<typeof DisposalSchema>

export const DisposedSchema = Type.Object({ session: SessionRefSchema, uuid: Type.String() })
export type Disposed = Static<typeof DisposedSchema>
/** An image that a host was asked to pull or to delete and has not done with yet. */
export const PendingImageSchema = Type.Object({
  uuid: Type.String(),
  action: Type.Union([Type.Literal('pull'), Type.Literal('delete')]),
  /** As the engine names it, with tag or digest. */
  reference: Type.String(),
  projectId: Type.String(),
  imageDriver: Type.String(),
  /** What the reference meant when it was pulled or committed; null: nothing came of that. */
  imageId: Type.Union([Type.String(), Type.Null()]),
})
export type PendingImage = Static<typeof PendingImageSchema>

export const ImageDoneSchema = Type.Object({
  session: SessionRefSchema,
  uuid: Type.String(),
  end: Type.Union([
    Type.Object({ kind: Type.Literal('pulled'), imageId: Type.String(), sizeBytes: Type.Integer({ minimum: 0 }) }),
    Type.Object({ kind: Type.Literal('deleted') }),
    Type.Object({
      kind: Type.Literal('failed'),
      action: Type.Union([Type.Literal('pull'), Type.Literal('delete')]),
      message: Type.String(),
    }),
  ]),
})
export type ImageDone = Static<typeof ImageDoneSchema>

/** How far the pull of an image is that a host was asked for. */
export const ImageProgressSchema = Type.Object({
  session: SessionRefSchema,
  uuid: Type.String(),
  detail: Type.String(),
  pull: PullCountSchema,
})
export type ImageProgress = Static<typeof ImageProgressSchema>

export { ContainerSpecSchema }
