/** The few calls of the Identity API v3 that a machine without Keystone answers itself. Keystone's own documents say more. */
import { Type } from 'typebox'
import { answer, endpoint, NO_CONTENT, type Answer } from '../endpoint.ts'
import { IdentityErrorSchema } from '../general.ts'
import { exact, named, nullable } from '../schema.ts'

const Domain = exact({ id: Type.String(), name: Type.String() })

const Catalog = Type.Array(
  exact({
    id: Type.String(),
    type: Type.String(),
    name: Type.String(),
    endpoints: Type.Array(
      exact({
        id: Type.String(),
        interface: Type.String(),
        region: Type.String(),
        region_id: Type.String(),
        url: Type.String(),
      }),
    ),
  }),
)

const TokenSchema = named('Token', {
  token: exact({
    methods: Type.Array(Type.String()),
    user: exact({
      id: Type.String(),
      name: Type.String(),
      domain: Domain,
      password_expires_at: nullable(Type.String()),
    }),
    audit_ids: Type.Array(Type.String()),
    issued_at: Type.String(),
    expires_at: Type.String(),
    project: Type.Optional(exact({ id: Type.String(), name: Type.String(), domain: Domain })),
    is_domain: Type.Optional(Type.Boolean()),
    roles: Type.Optional(Type.Array(exact({ id: Type.String(), name: Type.String() }))),
    catalog: Type.Optional(Catalog),
  }),
})

const IdentityVersionSchema = named('IdentityVersion', {
  id: Type.String(),
  status: Type.String(),
  updated: Type.String(),
  links: Type.Array(exact({ rel: Type.String(), href: Type.String() })),
  'media-types': Type.Array(exact({ base: Type.String(), type: Type.String() })),
})

const ProjectSchema = named('Project', {
  id: Type.String(),
  name: Type.String(),
  domain_id: Type.String(),
  parent_id: Type.String(),
  enabled: Type.Boolean(),
  is_domain: Type.Boolean(),
  description: Type.String(),
})
const ProjectsSchema = named('Projects', { projects: Type.Array(ProjectSchema), links: exact({}) })

const READ = { method: 'GET', errors: [401] } as const
const TOKENS = '/identity/v3/auth/tokens'

function identity<const R extends readonly Answer[]>(declared: {
  readonly id: string
  readonly method: 'GET' | 'POST' | 'DELETE'
  readonly path: string
  readonly summary: string
  readonly answers: R
  readonly errors: readonly number[]
}) {
  return endpoint({ ...declared, tag: 'identity', extension: 'local-identity', errorSchema: IdentityErrorSchema })
}

export const IDENTITY_ENDPOINTS = {
  identityVersions: identity({
    ...READ,
    id: 'identityVersions',
    path: '/identity',
    summary: 'The versions of the Identity API.',
    answers: [answer(300, exact({ versions: exact({ values: Type.Array(IdentityVersionSchema) }) }))],
  }),
  identityVersion: identity({
    ...READ,
    id: 'identityVersion',
    path: '/identity/v3',
    summary: 'Version 3 of the Identity API.',
    answers: [answer(200, exact({ version: IdentityVersionSchema }))],
  }),
  logIn: identity({
    id: 'logIn',
    method: 'POST',
    path: TOKENS,
    summary: 'Get a token, for a password, an application credential or another token. It is in `X-Subject-Token`.',
    answers: [answer(201, TokenSchema)],
    errors: [401, 408, 413],
  }),
  showToken: identity({
    id: 'showToken',
    method: 'GET',
    path: TOKENS,
    summary: 'What the token in `X-Subject-Token` is good for.',
    answers: [answer(200, TokenSchema)],
    errors: [401, 404],
  }),
  revokeToken: identity({
    id: 'revokeToken',
    method: 'DELETE',
    path: TOKENS,
    summary: 'End the token in `X-Subject-Token`.',
    answers: [NO_CONTENT],
    errors: [401, 404],
  }),
  showCatalog: identity({
    ...READ,
    id: 'showCatalog',
    path: '/identity/v3/auth/catalog',
    summary: 'Where the services are.',
    answers: [answer(200, exact({ catalog: Catalog, links: exact({}) }))],
  }),
  listOwnProjects: identity({
    ...READ,
    id: 'listOwnProjects',
    path: '/identity/v3/auth/projects',
    summary: 'Projects that the caller has a role in.',
    answers: [answer(200, ProjectsSchema)],
  }),
  listProjects: identity({
    ...READ,
    id: 'listProjects',
    path: '/identity/v3/projects',
    summary: 'The same; `name` filters.',
    answers: [answer(200, ProjectsSchema)],
  }),
  listProjectsOfUser: identity({
    ...READ,
    id: 'listProjectsOfUser',
    path: '/identity/v3/users/:user/projects',
    summary: 'The same.',
    answers: [answer(200, ProjectsSchema)],
  }),
  showProject: identity({
    id: 'showProject',
    method: 'GET',
    path: '/identity/v3/projects/:project',
    summary: 'One of these projects, by id.',
    answers: [answer(200, exact({ project: ProjectSchema }))],
    errors: [401, 404],
  }),
}
