/** Services, hosts, zones, images, networks of engines, quotas, registries (admin-resources). */
import { Type } from 'typebox'
import { exact, IsoTime, Links, named, nullable, page, StringMap, Uuid, words, type Wire } from './schema.ts'

export const ServiceSchema = named('Service', {
  id: Type.Integer(),
  host: Type.String(),
  binary: Type.String(),
  state: words(['up', 'down']),
  disabled: Type.Boolean(),
  disabled_reason: nullable(Type.String()),
  forced_down: Type.Boolean(),
  last_seen_up: nullable(IsoTime),
  created_at: IsoTime,
  updated_at: nullable(IsoTime),
  report_count: Type.Integer(),
  availability_zone: Type.String(),
})
export type Service = Wire<typeof ServiceSchema>

export const ServicesSchema = named('Services', { services: Type.Array(ServiceSchema) })

const CHANGED = { host: Type.String(), binary: Type.String() }

export const SwitchedServiceSchema = named('SwitchedService', {
  service: exact({ ...CHANGED, disabled: Type.Boolean(), disabled_reason: nullable(Type.String()) }),
})

export const ForcedServiceSchema = named('ForcedService', {
  service: exact({ ...CHANGED, forced_down: Type.Boolean() }),
})

export const HostSchema = named('Host', {
  uuid: Uuid,
  hostname: Type.String(),
  mem_total: Type.Integer({ description: 'MiB.' }),
  mem_used: Type.Number({ description: 'MiB, as asked for by containers.' }),
  cpus: Type.Integer(),
  cpu_used: Type.Number(),
  disk_total: Type.Integer({ description: 'GiB.' }),
  disk_used: Type.Number({ description: 'GiB, as asked for by containers.' }),
  disk_quota_supported: Type.Boolean(),
  total_containers: Type.Integer(),
  architecture: Type.String(),
  os_type: Type.String(),
  os: Type.String(),
  kernel_version: Type.String(),
  labels: StringMap,
  runtimes: Type.Array(Type.String()),
  enable_cpu_pinning: Type.Boolean(),
  links: Links,
})
export type Host = Wire<typeof HostSchema>

export const HostPageSchema = page('HostPage', { hosts: Type.Array(HostSchema) })

export const ZonePageSchema = page('ZonePage', {
  availability_zones: Type.Array(exact({ availability_zone: Type.String() })),
})
export type Zone = Wire<typeof ZonePageSchema>['availability_zones'][number]

export const ImageSchema = named('Image', {
  uuid: Uuid,
  links: Links,
  image_id: nullable(Type.String()),
  repo: Type.String(),
  tag: Type.String(),
  size: nullable(Type.String({ pattern: '^[0-9]+$', description: 'Bytes, as text.' })),
  project_id: Type.String(),
  host: Type.String(),
})
export type Image = Wire<typeof ImageSchema>

export const ImagePageSchema = page('ImagePage', { images: Type.Array(ImageSchema) })

export const RegistryFoundImageSchema = named('RegistryFoundImage', {
  name: Type.String(),
  description: Type.String(),
  is_automated: Type.Boolean(),
  metadata: exact({ is_official: Type.Boolean(), star_count: Type.Integer() }),
})

/** As the image service describes it. */
export const ServiceFoundImageSchema = named('ServiceFoundImage', {
  id: Uuid,
  name: nullable(Type.String()),
  status: Type.String(),
  tags: Type.Array(Type.String()),
  size: nullable(Type.Number()),
  container_format: nullable(Type.String()),
  disk_format: nullable(Type.String()),
  visibility: nullable(Type.String()),
  owner: nullable(Type.String()),
  created_at: nullable(Type.String()),
  updated_at: nullable(Type.String()),
})

export const FoundImageSchema = Type.Union([RegistryFoundImageSchema, ServiceFoundImageSchema])
export type FoundImage = Wire<typeof RegistryFoundImageSchema> | Wire<typeof ServiceFoundImageSchema>

export const HostNetworkSchema = named('HostNetwork', {
  uuid: Uuid,
  name: Type.String(),
  project_id: Type.String(),
  user_id: Type.String(),
  network_id: Type.String({ description: 'Id of the network on the engine.' }),
  neutron_net_id: Type.String(),
})
export type HostNetwork = Wire<typeof HostNetworkSchema>

const limit = Type.Integer({ minimum: -1, description: '-1 is unlimited.' })
export const QuotaSchema = named('Quota', { containers: limit, memory: limit, cpu: limit, disk: limit })
export type Quota = Wire<typeof QuotaSchema>

const used = exact({ limit, in_use: Type.Number() })
export const QuotaUsageSchema = named('QuotaUsage', { containers: used, memory: used, cpu: used, disk: used })
export type QuotaUsage = Wire<typeof QuotaUsageSchema>

const REGISTRY = {
  uuid: Uuid,
  name: nullable(Type.String()),
  domain: Type.String(),
  username: nullable(Type.String()),
  password: Type.Literal('***', { description: 'Always the same three stars, whether there is one or not.' }),
  project_id: Type.String(),
  user_id: Type.String(),
}
export const ListedRegistrySchema = named('ListedRegistry', REGISTRY)
export type ListedRegistry = Wire<typeof ListedRegistrySchema>
export const RegistrySchema = named('Registry', { ...REGISTRY, links: Links })
export type Registry = Wire<typeof RegistrySchema>

export const OneRegistrySchema = named('OneRegistry', { registry: RegistrySchema })
export const RegistryPageSchema = page('RegistryPage', { registries: Type.Array(ListedRegistrySchema) })
