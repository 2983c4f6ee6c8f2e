/** The capsule object (capsules 7): two formats, up to version 1.31 and from 1.32 on. */
import { Type } from 'typebox'
import { AddressSchema, CONTAINER_STATUSES, ListedContainerSchema, RestartPolicyAnswer } from './container.ts'
import { exact, Links, named, nullable, page, SpacedTime, StringMap, Uuid, words, type Wire } from './schema.ts'

const COMMON = {
  uuid: Uuid,
  project_id: Type.String(),
  user_id: Type.String(),
  status: words(CONTAINER_STATUSES),
  status_reason: nullable(Type.String()),
  cpu: Type.Number(),
  memory: Type.String({ pattern: '^[0-9]+$' }),
  addresses: Type.Record(Type.String(), Type.Array(AddressSchema)),
  host: Type.Optional(nullable(Type.String({ description: 'Only for those whom a rule lets see it.' }))),
  created_at: SpacedTime,
  updated_at: nullable(SpacedTime),
  annotations: Type.Unknown({ description: 'Whatever was given.' }),
  containers: Type.Array(ListedContainerSchema),
  init_containers: Type.Array(ListedContainerSchema),
  links: Links,
}

export const CapsuleSchema = named('Capsule', {
  ...COMMON,
  name: nullable(Type.String()),
  labels: StringMap,
  restart_policy: RestartPolicyAnswer,
})
export type Capsule = Wire<typeof CapsuleSchema>

export const LegacyCapsuleSchema = named('LegacyCapsule', {
  ...COMMON,
  meta_name: nullable(Type.String()),
  meta_labels: StringMap,
  restart_policy: Type.String(),
  volumes_info: exact({}),
  containers_uuids: Type.Array(Type.String()),
  init_containers_uuids: Type.Array(Type.String()),
  capsule_version: Type.String(),
})
export type LegacyCapsule = Wire<typeof LegacyCapsuleSchema>

export const CapsulePageSchema = page('CapsulePage', { capsules: Type.Array(CapsuleSchema) })
export const LegacyCapsulePageSchema = page('LegacyCapsulePage', { capsules: Type.Array(LegacyCapsuleSchema) })
