import { EXTENSION_ENDPOINTS } from '@zund/contract/api/endpoints/extensions.ts'
import { route, type Route } from '../../route.ts'

/** Something this service has beyond the API of upstream. */
export interface Extension {
  readonly name: string
  readonly path: string
  /** Version of zund. */
  readonly since: string
  readonly description: string
}

/** Wherever the API is. */
const ALWAYS: readonly Extension[] = [
  {
    name: 'extensions',
    path: '/v1/extensions',
    since: '0.1.0',
    description: 'What this service has beyond the API of upstream: this list.',
  },
  {
    name: 'openapi',
    path: '/openapi.json',
    since: '0.1.0',
    description: 'The API of one microversion as OpenAPI 3.1, and at /docs as a page; both without a token.',
  },
]

const IDENTITY: Extension = {
  name: 'local-identity',
  path: '/identity/v3',
  since: '0.1.0',
  description: 'The calls of the Identity API that log in, on a machine without Keystone.',
}

const HISTORY: Extension = {
  name: 'container-history',
  path: '/v1/history/containers',
  since: '0.1.0',
  description: 'Why containers stopped, and what was done to them, also for some days after they were deleted.',
}

const FOLLOWING: readonly Extension[] = [
  {
    name: 'events',
    path: '/v1/events',
    since: '0.1.0',
    description: 'What happens to containers and capsules, as server-sent events that can be taken up again.',
  },
  {
    name: 'wait',
    path: '/v1/containers',
    since: '0.1.0',
    description: 'GET of one container or capsule with ?wait=STATUS answers when it has that status.',
  },
  {
    name: 'idempotency-key',
    path: '/v1/containers',
    since: '0.1.0',
    description: 'A create of a container or capsule with an Idempotency-Key may be sent again, and is made once.',
  },
]

const STREAMS: Extension = {
  name: 'streams',
  path: '/v1/containers',
  since: '0.1.0',
  description:
    'Logs and figures that are followed, archives of any size as tar, and programs with separate outputs and an exit code.',
}

const CONSOLE: Extension = {
  name: 'console',
  path: '/console',
  since: '0.1.0',
  description: 'Terminals at the address of the API, besides those at the port of the terminal proxy.',
}

/** Present wherever the built-in network and volume services are. docs/api/extensions.md says more of each. */
export const LOCAL_EXTENSIONS: readonly Extension[] = [
  ...ALWAYS,
  HISTORY,
  ...FOLLOWING,
  STREAMS,
  CONSOLE,
  IDENTITY,
  {
    name: 'local-networks',
    path: '/v1/local/networks',
    since: '0.1.0',
    description: 'Make, list and delete networks of the project on a machine without Neutron.',
  },
  {
    name: 'local-volumes',
    path: '/v1/local/volumes',
    since: '0.1.0',
    description: 'Make, list and delete volumes of the project on a machine without Cinder.',
  },
]

/**
 * What is ours, so that a client can find out before it tries. No microversion announces it: those numbers are
 * upstream's to give.
 */
export function extensionRoutes(extensions: readonly Extension[]): Route[] {
  return [
    route(EXTENSION_ENDPOINTS.listExtensions, async ({ baseUrl }) => ({
      body: {
        extensions: extensions.map((extension) => ({
          ...extension,
          links: [{ href: `${baseUrl}${extension.path}`, rel: 'self' }],
        })),
      },
    })),
  ]
}
