import { anyArgument, filterArgument, ignoredArgument } from '../../fields/arguments.ts'
import type { Field } from '../../fields/field.ts'
import { pageFields } from '../../fields/paging.ts'
import { OneRegistrySchema, QuotaSchema, QuotaUsageSchema, RegistryPageSchema } from '../admin.ts'
import { CapsulePageSchema, CapsuleSchema, LegacyCapsulePageSchema, LegacyCapsuleSchema } from '../capsule.ts'
import { answer, endpoint, GONE, NO_CONTENT } from '../endpoint.ts'
import type { RequestOptions } from '../limits.ts'
import {
  CREATE_REGISTRY_FIELDS,
  createCapsuleFields,
  QUOTA_FIELDS,
  UPDATE_REGISTRY_FIELDS,
} from '../requests/others.ts'
import { IDEMPOTENT, REPLAYED } from '../requests/idempotency.ts'
import { WAIT_FIELDS, WAIT_HEADERS } from '../requests/wait.ts'
import { Nothing } from '../schema.ts'
import { Type } from 'typebox'

const LEGACY = { until: 31 }
const CURRENT = { since: 32 }

export function capsuleEndpoints({ limits, maxPageSize }: RequestOptions) {
  const all_projects = anyArgument({ code: 'invalid-value', about: 'Only for admins.' })
  return {
    createCapsule: endpoint({
      id: 'createCapsule',
      method: 'POST',
      path: '/v1/capsules',
      tag: 'capsules',
      summary: 'Make a capsule: containers that share a network.',
      body: createCapsuleFields(limits),
      requiresJson: true,
      answers: [
        answer(202, LegacyCapsuleSchema, { ...LEGACY, location: true, headers: REPLAYED }),
        answer(202, CapsuleSchema, { ...CURRENT, location: true, headers: REPLAYED }),
      ],
      headers: IDEMPOTENT,
      errors: [403, 404, 409, 422],
    }),
    listCapsules: endpoint({
      id: 'listCapsules',
      method: 'GET',
      path: '/v1/capsules',
      tag: 'capsules',
      summary: 'Capsules of the project.',
      args: {
        ...pageFields(maxPageSize, ['id', 'uuid', 'name', 'status', 'created_at', 'updated_at']),
        all_projects,
        expand: ignoredArgument(),
        resource_url: ignoredArgument(),
      },
      strict: true,
      answers: [answer(200, LegacyCapsulePageSchema, LEGACY), answer(200, CapsulePageSchema, CURRENT)],
      errors: [403, 404],
    }),
    showCapsule: endpoint({
      id: 'showCapsule',
      method: 'GET',
      path: '/v1/capsules/:ident',
      tag: 'capsules',
      summary: 'One capsule, by uuid or name.',
      args: WAIT_FIELDS,
      answers: [
        answer(200, LegacyCapsuleSchema, { ...LEGACY, headers: WAIT_HEADERS }),
        answer(200, CapsuleSchema, { ...CURRENT, headers: WAIT_HEADERS }),
        GONE,
      ],
      errors: [403, 404, 409],
    }),
    deleteCapsule: endpoint({
      id: 'deleteCapsule',
      method: 'DELETE',
      path: '/v1/capsules/:ident',
      tag: 'capsules',
      summary: 'Delete a capsule with its containers, in the background.',
      args: { all_projects },
      strict: true,
      queryOnly: true,
      answers: [NO_CONTENT],
      errors: [403, 404, 409],
    }),
  }
}

export const QUOTA_ENDPOINTS = {
  showQuota: endpoint({
    id: 'showQuota',
    method: 'GET',
    path: '/v1/quotas/:project',
    tag: 'quotas',
    summary: 'What a project may have, and with `usages` what it has.',
    args: { usages: lastAnyArgument() },
    answers: [answer(200, Type.Union([QuotaSchema, QuotaUsageSchema]))],
    errors: [403],
  }),
  updateQuota: endpoint({
    id: 'updateQuota',
    method: 'PUT',
    path: '/v1/quotas/:project',
    tag: 'quotas',
    summary: 'Set what a project may have.',
    body: QUOTA_FIELDS,
    answers: [answer(200, QuotaSchema)],
    errors: [403],
  }),
  deleteQuota: endpoint({
    id: 'deleteQuota',
    method: 'DELETE',
    path: '/v1/quotas/:project',
    tag: 'quotas',
    summary: 'Let a project have again what everybody may have.',
    answers: [answer(200, Nothing)],
    errors: [403],
  }),
  showDefaultQuota: endpoint({
    id: 'showDefaultQuota',
    method: 'GET',
    path: '/v1/quotas/:project/defaults',
    tag: 'quotas',
    summary: 'What a project may have of which nothing is set.',
    answers: [answer(200, QuotaSchema)],
    errors: [403],
  }),
  showQuotaClass: endpoint({
    id: 'showQuotaClass',
    method: 'GET',
    path: '/v1/quota_classes/:name',
    tag: 'quotas',
    summary: 'The limits of a class; only the class `default` has an effect.',
    answers: [answer(200, QuotaSchema)],
    errors: [403],
  }),
  updateQuotaClass: endpoint({
    id: 'updateQuotaClass',
    method: 'PUT',
    path: '/v1/quota_classes/:name',
    tag: 'quotas',
    summary: 'Set the limits of a class.',
    body: QUOTA_FIELDS,
    answers: [answer(200, QuotaSchema)],
    errors: [403],
  }),
}

/** Given several times, the last one counts. */
function lastAnyArgument(): Field<boolean | undefined, boolean> {
  const one = anyArgument({ about: 'Also what is in use.' })
  return {
    ...one,
    read: (value, name, minor) => {
      const last: unknown = Array.isArray(value) ? value.at(-1) : value
      return last === 'None' ? undefined : one.read(last, name, minor)
    },
  }
}

export const REGISTRY_FILTERS = ['name', 'domain', 'username', 'project_id', 'user_id'] as const

export function registryEndpoints({ maxPageSize }: Pick<RequestOptions, 'maxPageSize'>) {
  const tag = 'registries'
  const filter = filterArgument({ about: 'Exactly so; given several times, any of the values.' })
  return {
    listRegistries: endpoint({
      id: 'listRegistries',
      method: 'GET',
      path: '/v1/registries',
      tag,
      summary: 'Private image registries of the project.',
      args: {
        name: filter,
        domain: filter,
        username: filter,
        project_id: filter,
        user_id: filter,
        ...pageFields(maxPageSize, ['id', 'uuid', ...REGISTRY_FILTERS]),
        all_projects: anyArgument({ about: 'Those of all projects, for admins.' }),
        resource_url: ignoredArgument(),
      },
      strict: true,
      answers: [answer(200, RegistryPageSchema)],
      errors: [403, 404],
    }),
    createRegistry: endpoint({
      id: 'createRegistry',
      method: 'POST',
      path: '/v1/registries',
      tag,
      summary: 'Keep a registry, with a user name and a password.',
      body: CREATE_REGISTRY_FIELDS,
      requiresJson: true,
      answers: [answer(201, OneRegistrySchema, { location: true })],
      errors: [403],
    }),
    showRegistry: endpoint({
      id: 'showRegistry',
      method: 'GET',
      path: '/v1/registries/:ident',
      tag,
      summary: 'One registry, by uuid or name.',
      answers: [answer(200, OneRegistrySchema)],
      errors: [403, 404, 409],
    }),
    updateRegistry: endpoint({
      id: 'updateRegistry',
      method: 'PATCH',
      path: '/v1/registries/:ident',
      tag,
      summary: 'Change what is given; the rest stays.',
      body: UPDATE_REGISTRY_FIELDS,
      answers: [answer(200, OneRegistrySchema)],
      errors: [403, 404, 409],
    }),
    deleteRegistry: endpoint({
      id: 'deleteRegistry',
      method: 'DELETE',
      path: '/v1/registries/:ident',
      tag,
      summary: 'Forget a registry that no container uses.',
      answers: [NO_CONTENT],
      errors: [403, 404, 409],
    }),
  }
}
