import { anyArgument } from '../../fields/arguments.ts'
import type { Field } from '../../fields/field.ts'
import { lastText, pageFields } from '../../fields/paging.ts'
import { answer, endpoint, NO_CONTENT } from '../endpoint.ts'
import {
  ContainerHistorySchema,
  ExtensionsSchema,
  LocalNetworkPageSchema,
  LocalNetworkSchema,
  LocalVolumePageSchema,
  LocalVolumeSchema,
  PastContainerPageSchema,
} from '../extension.ts'
import type { RequestOptions } from '../limits.ts'
import { CREATE_LOCAL_NETWORK_FIELDS, CREATE_LOCAL_VOLUME_FIELDS } from '../requests/others.ts'

export const EXTENSION_ENDPOINTS = {
  listExtensions: endpoint({
    id: 'listExtensions',
    method: 'GET',
    path: '/v1/extensions',
    tag: 'extensions',
    summary: 'What this service has beyond the API of upstream.',
    extension: 'extensions',
    answers: [answer(200, ExtensionsSchema)],
    errors: [],
  }),
}

export function historyEndpoints({ maxPageSize }: Pick<RequestOptions, 'maxPageSize'>) {
  return {
    listHistory: endpoint({
      id: 'listHistory',
      method: 'GET',
      path: '/v1/history/containers',
      tag: 'history',
      summary: 'Containers that were deleted.',
      extension: 'container-history',
      args: {
        ...pageFields(maxPageSize, ['deleted_at', 'created_at', 'name', 'uuid']),
        name: once(),
        all_projects: anyArgument({ about: 'Those of all projects, for admins.' }),
      },
      strict: true,
      answers: [answer(200, PastContainerPageSchema)],
      errors: [403, 404],
    }),
    showHistory: endpoint({
      id: 'showHistory',
      method: 'GET',
      path: '/v1/history/containers/:uuid',
      tag: 'history',
      summary: 'Why a container stopped and what was done to it, whether it is still there or not.',
      extension: 'container-history',
      strict: true,
      answers: [answer(200, ContainerHistorySchema)],
      errors: [403, 404],
    }),
  }
}

/** Given several times, the last one counts; empty is absent. */
function once(): Field<string | undefined, string> {
  return { about: 'Exactly so.', schema: () => ({ type: 'string' }), read: lastText }
}

export function localEndpoints({ maxPageSize }: Pick<RequestOptions, 'maxPageSize'>) {
  return { ...localNetworks(maxPageSize), ...localVolumes(maxPageSize) }
}

function localNetworks(maxPageSize: number) {
  const common = { tag: 'local networks', extension: 'local-networks' }
  return {
    listLocalNetworks: endpoint({
      id: 'listLocalNetworks',
      method: 'GET',
      path: '/v1/local/networks',
      ...common,
      summary: 'Networks of the project.',
      args: pageFields(maxPageSize, ['created_at', 'name', 'uuid']),
      answers: [answer(200, LocalNetworkPageSchema)],
      errors: [403, 404],
    }),
    createLocalNetwork: endpoint({
      id: 'createLocalNetwork',
      method: 'POST',
      path: '/v1/local/networks',
      ...common,
      summary: 'Make a network.',
      strict: true,
      body: CREATE_LOCAL_NETWORK_FIELDS,
      requiresJson: true,
      answers: [answer(201, LocalNetworkSchema, { location: true })],
      errors: [403, 409],
    }),
    showLocalNetwork: endpoint({
      id: 'showLocalNetwork',
      method: 'GET',
      path: '/v1/local/networks/:ident',
      ...common,
      summary: 'One network, by uuid or name.',
      answers: [answer(200, LocalNetworkSchema)],
      errors: [403, 404, 409],
    }),
    deleteLocalNetwork: endpoint({
      id: 'deleteLocalNetwork',
      method: 'DELETE',
      path: '/v1/local/networks/:ident',
      ...common,
      summary: 'Delete a network that nothing is on.',
      strict: true,
      answers: [NO_CONTENT],
      errors: [403, 404, 409],
    }),
  }
}

function localVolumes(maxPageSize: number) {
  const common = { tag: 'local volumes', extension: 'local-volumes' }
  return {
    listLocalVolumes: endpoint({
      id: 'listLocalVolumes',
      method: 'GET',
      path: '/v1/local/volumes',
      ...common,
      summary: 'Volumes of the project.',
      args: pageFields(maxPageSize, ['created_at', 'name', 'size', 'uuid']),
      answers: [answer(200, LocalVolumePageSchema)],
      errors: [403, 404],
    }),
    createLocalVolume: endpoint({
      id: 'createLocalVolume',
      method: 'POST',
      path: '/v1/local/volumes',
      ...common,
      summary: 'Make a volume.',
      strict: true,
      body: CREATE_LOCAL_VOLUME_FIELDS,
      requiresJson: true,
      answers: [answer(201, LocalVolumeSchema, { location: true })],
      errors: [403, 409],
    }),
    showLocalVolume: endpoint({
      id: 'showLocalVolume',
      method: 'GET',
      path: '/v1/local/volumes/:ident',
      ...common,
      summary: 'One volume, by uuid or name.',
      answers: [answer(200, LocalVolumeSchema)],
      errors: [403, 404, 409],
    }),
    deleteLocalVolume: endpoint({
      id: 'deleteLocalVolume',
      method: 'DELETE',
      path: '/v1/local/volumes/:ident',
      ...common,
      summary: 'Delete a volume that nothing uses, with its data.',
      strict: true,
      answers: [NO_CONTENT],
      errors: [403, 404, 409],
    }),
  }
}
