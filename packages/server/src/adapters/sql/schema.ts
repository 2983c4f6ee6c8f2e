import type { Generated } from 'kysely'

/** Columns as they are stored: times in epoch milliseconds, booleans as 0 and 1, structures as JSON text. */
export interface ContainerTable {
  id: Generated<number>
  uuid: string
  revision: number
  container_type: number
  project_id: string
  user_id: string
  /** Empty: a capsule without a name. */
  name: string
  /** For filters and sorting; `spec` holds them too. */
  image: string
  memory: string
  cpu: number
  memory_mib: number
  disk: number
  auto_remove: number
  registry_uuid: string | null
  spec: string
  desired: string
  generation: number
  host: string | null
  allocation: string | null
  /** 1: it holds cores or devices that nobody else may. */
  exclusive: Generated<number>
  status: string
  status_reason: string | null
  task_state: string | null
  progress: string | null
  observed: string | null
  addresses: string
  /** Of a member: its capsule. */
  capsule_uuid: string | null
  /** Of a capsule. */
  annotations: string | null
  created_at: number
  updated_at: number | null
}

export interface OperationTable {
  id: Generated<number>
  container_uuid: string
  project_id: string
  user_id: string
  request_id: string
  verb: string
  params: string
  generation: number
  lane: string
  state: string
  recipe: string
  attempt: number
  failures: number
  fence: number
  superseded: number
  recorded: number
  /** Container uuid while running, else NULL: the UNIQUE constraint makes two at once impossible. */
  active_key: string | null
  run_after: number
  lease_owner: string | null
  lease_until: number | null
  error_code: string | null
  error_message: string | null
  created_at: number
  first_claimed_at: number | null
  finished_at: number | null
}

export interface StepTable {
  id: Generated<number>
  operation_id: number
  name: string
  state: string
  mark: string
  output: string
  message: string | null
  started_at: number
  finished_at: number | null
}

export interface BindingTable {
  uuid: string
  container_uuid: string
  kind: string
  state: string
  position: number
  data: string
  volume_uuid: string | null
  port_id: string | null
}

export interface HostTable {
  id: Generated<number>
  uuid: string
  name: string
  availability_zone: string
  dial_address: string | null
  dial_port: number | null
  epoch: number
  inventory: string | null
  disabled: number
  disabled_reason: string | null
  forced_down: number
  last_seen_at: number | null
  engine_trouble: string | null
  engine_trouble_since: number | null
  report_count: number
  created_at: number
  updated_at: number | null
}

export interface ImageTable {
  id: Generated<number>
  uuid: string
  image_id: string | null
  repo: string
  tag: string
  size: number | null
  host: string
  project_id: string
  user_id: string
  pending: string | null
  error: string | null
}

export interface LocalNetworkTable {
  uuid: string
  name: string
  project_id: string
  /** Project id for its default network, else NULL: UNIQUE gives at most one. */
  default_key: string | null
  cidr_v4: string
  gateway_v4: string
  subnet_v4: string
  cidr_v6: string | null
  gateway_v6: string | null
  subnet_v6: string | null
  created_at: number
  deleting: Generated<number>
  /** Where to look for a free address first, counted from the start of the subnet. */
  next_host: Generated<number>
}

export interface LocalAddressTable {
  network_uuid: string
  address: string
  port_uuid: string
}

export interface LocalVolumeTable {
  uuid: string
  name: string | null
  project_id: string
  user_id: string
  size_gib: number
  host: string | null
  auto_remove: number
  created_at: number
  deleting: Generated<number>
}

export interface DisposalTable {
  uuid: string
  host: string
  kind: string
  /** Of the kind `mount`: what it was, as JSON. */
  mount: string | null
}

export interface IdentityProjectTable {
  id: string
  name: string
}

export interface IdentityUserTable {
  id: string
  name: string
  password_hash: string
}

export interface IdentityAssignmentTable {
  user_id: string
  project_id: string
  role: string
}

export interface IdentityTokenTable {
  token_hash: string
  caller: string
  issued_at: number
  expires_at: number
}

export interface IdentityApplicationCredentialTable {
  id: string
  name: string
  user_id: string
  project_id: string
  secret_hash: string
}

export interface StreamTicketTable {
  token_hash: string
  container_uuid: string
  host: string
  verb: string
  exec_id: string | null
  user_id: string
  expires_at: number
}

/** What is in use of a project (`kind` project) or on a host (`kind` host); `cpu` in millionths of a core. */
export interface ContainerUsageTable {
  kind: string
  owner: string
  containers: number
  cpu: number
  memory_mib: number
  disk: number
}

/** `kind` project: `owner` is its id; `kind` class: its name. */
export interface QuotaTable {
  kind: string
  owner: string
  resource: string
  hard_limit: number
}

export interface RegistryTable {
  id: Generated<number>
  uuid: string
  name: string | null
  domain: string
  username: string | null
  /** Sealed. */
  password: string | null
  project_id: string
  user_id: string
}

/** A deleted container; `operations` as JSON. */
export interface ContainerHistoryTable {
  uuid: string
  container_type: number
  project_id: string
  user_id: string
  /** Empty: a capsule without a name. */
  name: string
  capsule_uuid: string | null
  image: string
  host: string | null
  created_at: number
  deleted_at: number
  operations: string
}

/** An end of a container's process. */
export interface ContainerStopTable {
  id: Generated<number>
  container_uuid: string
  reason: string
  actor: string
  user_id: string | null
  request_id: string | null
  engine_id: string | null
  exit_code: number | null
  exit_signal: string | null
  out_of_memory: number
  message: string
  started_at: number | null
  ended_at: number | null
  recorded_at: number
}

export interface EventTable {
  /** In the order of the commits. */
  id: Generated<number>
  at: number
  type: string
  project_id: string
  user_id: string
  container_uuid: string
  container_type: number
  name: string
  capsule_uuid: string | null
  details: string
}

export interface IdempotencyKeyTable {
  id: Generated<number>
  project_id: string
  user_id: string
  key_text: string
  request_hash: string
  container_uuid: string
  created_at: number
}

export interface AdvanceTable {
  uuid: string
  kind: 'volume' | 'image'
  container_uuid: string | null
  created_at: number
}

export interface LeftoverPortTable {
  uuid: string
  container_uuid: string
  data: string
  created_at: number
}

export interface LeftProviderTable {
  uuid: string
  host: string
  created_at: number
}

export interface Schema {
  advance: AdvanceTable
  container: ContainerTable
  container_usage: ContainerUsageTable
  container_history: ContainerHistoryTable
  container_stop: ContainerStopTable
  event: EventTable
  idempotency_key: IdempotencyKeyTable
  quota: QuotaTable
  registry: RegistryTable
  leftover_port: LeftoverPortTable
  left_provider: LeftProviderTable
  operation: OperationTable
  step: StepTable
  binding: BindingTable
  host: HostTable
  image: ImageTable
  local_network: LocalNetworkTable
  local_address: LocalAddressTable
  local_volume: LocalVolumeTable
  disposal: DisposalTable
  identity_project: IdentityProjectTable
  identity_user: IdentityUserTable
  identity_assignment: IdentityAssignmentTable
  identity_token: IdentityTokenTable
  identity_application_credential: IdentityApplicationCredentialTable
  stream_ticket: StreamTicketTable
}
