/** The container object (containers 2). Its fields are the same in every version. */
import { Type } from 'typebox'
import { exact, Links, named, nullable, page, SpacedTime, StringMap, Uuid, words, type Wire } from './schema.ts'

export const CONTAINER_STATUSES = [
  'Creating',
  'Created',
  'Running',
  'Stopped',
  'Paused',
  'Restarting',
  'Rebuilding',
  'Deleting',
  'Deleted',
  'Error',
  'Dead',
  'Unknown',
] as const

export const AddressSchema = named('Address', {
  addr: Type.String(),
  version: Type.Union([Type.Literal(4), Type.Literal(6)]),
  port: Type.String(),
  subnet_id: Type.String(),
  preserve_on_delete: Type.Boolean(),
})
export type Address = Wire<typeof AddressSchema>

export const RestartPolicyAnswer = named('RestartPolicy', {
  Name: words(['no', 'always', 'on-failure', 'unless-stopped']),
  MaximumRetryCount: Type.String({ pattern: '^[0-9]+$' }),
})

const Empty = exact({})

const HealthcheckAnswer = named('Healthcheck', {
  test: nullable(Type.String()),
  interval: nullable(Type.Integer()),
  timeout: nullable(Type.Integer()),
  retries: nullable(Type.Integer()),
})

const FIELDS = {
  uuid: Uuid,
  name: nullable(Type.String()),
  project_id: Type.String(),
  user_id: Type.String(),
  image: Type.String(),
  image_driver: Type.String(),
  image_pull_policy: Type.Optional(
    nullable(words(['always', 'ifnotpresent', 'never'], 'Only for those whom a rule lets see it.')),
  ),
  command: Type.Array(Type.String()),
  entrypoint: Type.Array(Type.String()),
  cpu: Type.Number({ description: 'Cores.' }),
  cpu_policy: words(['shared', 'dedicated']),
  memory: Type.String({ pattern: '^[0-9]+$', description: 'MiB, as text.' }),
  disk: Type.Integer({ description: 'GiB.' }),
  environment: StringMap,
  labels: StringMap,
  workdir: nullable(Type.String()),
  hostname: nullable(Type.String()),
  ports: Type.Array(Type.Integer()),
  addresses: nullable(
    Type.Record(Type.String(), Type.Array(AddressSchema), {
      description: 'By id of the network; null: that of its capsule.',
    }),
  ),
  security_groups: Type.Array(Type.String()),
  restart_policy: Type.Union([RestartPolicyAnswer, Empty]),
  interactive: Type.Boolean(),
  tty: Type.Boolean(),
  auto_remove: Type.Boolean(),
  auto_heal: Type.Boolean(),
  privileged: Type.Optional(Type.Boolean({ description: 'Only for those whom a rule lets see it.' })),
  runtime: Type.Optional(nullable(Type.String({ description: 'Only for those whom a rule lets see it.' }))),
  healthcheck: Type.Union([HealthcheckAnswer, Empty]),
  registry_id: nullable(Type.String()),
  host: Type.Optional(nullable(Type.String({ description: 'Only for those whom a rule lets see it.' }))),
  status: words(CONTAINER_STATUSES),
  status_reason: nullable(Type.String()),
  task_state: nullable(Type.String()),
  created_at: SpacedTime,
  updated_at: nullable(SpacedTime),
  status_detail: nullable(Type.String()),
}

/** As lists have it: without links. */
export const ListedContainerSchema = named('ListedContainer', FIELDS)
export type ListedContainer = Wire<typeof ListedContainerSchema>

export const ContainerSchema = named('Container', { ...FIELDS, links: Links })
export type Container = Wire<typeof ContainerSchema>

export const ContainerPageSchema = page('ContainerPage', { containers: Type.Array(ListedContainerSchema) })
