import { MAX_MINOR, MIN_MINOR } from './microversion.ts'

const RESOURCES = [
  'services',
  'containers',
  'images',
  'networks',
  'hosts',
  'capsules',
  'availability_zones',
  'quotas',
  'quota_classes',
  'registries',
]

/** `GET /` (api-conventions 4). */
export function rootDocument(baseUrl: string): object {
  const version = {
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
export function v1Document(baseUrl: string): object {
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
    ...Object.fromEntries(
      RESOURCES.map((name) => [
        name,
        [
          { href: `${baseUrl}/v1/${name}/`, rel: 'self' },
          { href: `${baseUrl}/${name}/`, rel: 'bookmark' },
        ],
      ]),
    ),
  }
}
