/** Errors, version documents, health (api-conventions 3, 4, 6, 14). */
import { Type } from 'typebox'
import { exact, Links, named, type Wire } from './schema.ts'

const ErrorSchema = named('Error', {
  request_id: Type.String(),
  code: Type.String({ description: '`container.` and the name of the failure.' }),
  status: Type.Integer(),
  title: Type.String(),
  detail: Type.String(),
  links: Type.Array(exact({ rel: Type.String(), href: Type.String() })),
  min_version: Type.Optional(Type.String()),
  max_version: Type.Optional(Type.String()),
})
export type ApiErrorBody = Wire<typeof ErrorSchema>

export const ErrorsSchema = named('Errors', { errors: Type.Array(ErrorSchema, { minItems: 1 }) })

/** Of the check of the token, and of the Identity API. */
export const IdentityErrorSchema = named('IdentityError', {
  error: exact({ code: Type.Integer(), title: Type.String(), message: Type.String() }),
})

const VersionSchema = named('Version', {
  id: Type.Literal('v1'),
  status: Type.Literal('CURRENT'),
  min_version: Type.String(),
  max_version: Type.String(),
  links: Links,
})

export const VersionsSchema = named('Versions', {
  name: Type.String(),
  description: Type.String(),
  versions: Type.Array(VersionSchema),
  default_version: VersionSchema,
})
export type Versions = Wire<typeof VersionsSchema>

export const V1Schema = named('V1', {
  id: Type.Literal('v1'),
  media_types: Type.Array(exact({ base: Type.String(), type: Type.String() })),
  links: Links,
  services: Links,
  containers: Links,
  images: Links,
  networks: Links,
  hosts: Links,
  capsules: Links,
  availability_zones: Links,
  quotas: Links,
  quota_classes: Links,
  registries: Links,
})
export type V1 = Wire<typeof V1Schema>

export const HealthSchema = named('Health', { detailed: Type.Boolean(), reasons: Type.Array(Type.String()) })
