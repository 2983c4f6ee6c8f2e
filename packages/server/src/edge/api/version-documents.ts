import type { V1, Versions } from '@zund/contract/api/general.ts'
import { MAX_MINOR, MIN_MINOR } from './microversion.ts'

/** `GET /` (api-conventions 4). */
export function rootDocument(baseUrl: string): Versions {
  const version: Versions['default_version'] = {
    id: 'v1',
    status: 'CURRENT',
    min_version: `1.${MIN_MINOR}`,
    max_version: `1.${MAX_MINOR}`,
    links: [{ href: `${baseUrl}/v1/`, rel: 'self' }],
  }
  return {
    name: 'OpenStack Zun API',
    description: 'zund: containers on the hosts of a cloud, through the OpenStack Containers API.',
    versions: [version],
    default_version: version,
  }
}

/** `GET /v1`. */
export function v1Document(baseUrl: string): V1 {
  const both = (name: string): V1['links'] => [
    { href: `${baseUrl}/v1/${name}/`, rel: 'self' },
    { href: `${baseUrl}/${name}/`, rel: 'bookmark' },
  ]
  return {
    id: 'v1',
    media_types: [{ base: 'application/json', type: 'application/vnd.openstack.zun.v1+json' }],
    links: [
      { href: `${baseUrl}/v1/`, rel: 'self' },
      {
        href: 'https://docs.openstack.org/developer/zun/dev/api-spec-v1.html',
        rel: 'describedby',
        type: 'text/html',
      },
    ],
    services: both('services'),
    containers: both('containers'),
    images: both('images'),
    networks: both('networks'),
    hosts: both('hosts'),
    capsules: both('capsules'),
    availability_zones: both('availability_zones'),
    quotas: both('quotas'),
    quota_classes: both('quota_classes'),
    registries: both('registries'),
  }
}
