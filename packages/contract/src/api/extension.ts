/** What is ours and not upstream's. */
import { Type } from 'typebox'
import { exact, IsoTime, Links, named, nullable, page, Uuid, words, type Wire } from './schema.ts'

export const ExtensionSchema = named('Extension', {
  name: Type.String(),
  path: Type.String(),
  since: Type.String({ description: 'Version of zund.' }),
  description: Type.String(),
  links: Links,
})
export type Extension = Wire<typeof ExtensionSchema>

export const ExtensionsSchema = named('Extensions', { extensions: Type.Array(ExtensionSchema) })

export const LocalNetworkSchema = named('LocalNetwork', {
  uuid: Uuid,
  name: Type.String(),
  project_id: Type.String(),
  is_default: Type.Boolean(),
  status: words(['active', 'deleting']),
  addresses_in_use: Type.Integer(),
  subnets: Type.Array(
    exact({
      id: nullable(Type.String()),
      version: Type.Union([Type.Literal(4), Type.Literal(6)]),
      cidr: Type.String(),
      gateway: nullable(Type.String()),
    }),
  ),
  created_at: IsoTime,
  links: Links,
})
export type LocalNetwork = Wire<typeof LocalNetworkSchema>
export const LocalNetworkPageSchema = page('LocalNetworkPage', { networks: Type.Array(LocalNetworkSchema) })

export const LocalVolumeSchema = named('LocalVolume', {
  uuid: Uuid,
  name: nullable(Type.String()),
  project_id: Type.String(),
  user_id: Type.String(),
  size: Type.Integer({ description: 'GiB.' }),
  status: words(['available', 'in-use', 'deleting']),
  container_uuid: nullable(Uuid),
  auto_remove: Type.Boolean(),
  created_at: IsoTime,
  links: Links,
})
export type LocalVolume = Wire<typeof LocalVolumeSchema>
export const LocalVolumePageSchema = page('LocalVolumePage', { volumes: Type.Array(LocalVolumeSchema) })

const PAST = {
  uuid: Uuid,
  kind: words(['container', 'capsule']),
  capsule_uuid: nullable(Uuid),
  name: nullable(Type.String()),
  image: Type.String(),
  project_id: Type.String(),
  user_id: Type.String(),
  host: Type.Optional(nullable(Type.String({ description: 'Only for those whom a rule lets see it.' }))),
  created_at: IsoTime,
  deleted_at: nullable(IsoTime),
  links: Links,
}
export const PastContainerSchema = named('PastContainer', PAST)
export type PastContainer = Wire<typeof PastContainerSchema>
export const PastContainerPageSchema = page('PastContainerPage', { containers: Type.Array(PastContainerSchema) })

const PastStepSchema = named('PastStep', {
  name: Type.String(),
  state: words(['started', 'finished', 'failed']),
  start_time: IsoTime,
  finish_time: nullable(IsoTime),
  message: nullable(Type.String()),
})

const PastActionSchema = named('PastAction', {
  action: Type.String(),
  request_id: Type.String(),
  user_id: Type.String(),
  project_id: Type.String(),
  start_time: IsoTime,
  finish_time: nullable(IsoTime),
  state: words(['queued', 'running', 'succeeded', 'failed', 'cancelled']),
  error_code: nullable(Type.String()),
  error_message: nullable(Type.String()),
  steps: Type.Array(PastStepSchema),
})

const StopSchema = named('Stop', {
  reason: Type.String(),
  actor: Type.String(),
  user_id: nullable(Type.String()),
  request_id: nullable(Type.String()),
  exit_code: nullable(Type.Integer()),
  signal: nullable(Type.String()),
  oom_killed: Type.Boolean(),
  message: nullable(Type.String()),
  started_at: nullable(IsoTime),
  ended_at: nullable(IsoTime),
  recorded_at: IsoTime,
})

export const ContainerHistorySchema = named('ContainerHistory', {
  ...PAST,
  containers: Type.Optional(
    Type.Array(exact({ uuid: Uuid, name: nullable(Type.String()) }), { description: 'Of a capsule.' }),
  ),
  actions: Type.Array(PastActionSchema),
  stops: Type.Array(StopSchema),
})
export type ContainerHistory = Wire<typeof ContainerHistorySchema>
