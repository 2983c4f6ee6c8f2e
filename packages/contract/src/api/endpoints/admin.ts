import { Type } from 'typebox'
import { narrowArgument, textArgument } from '../../fields/arguments.ts'
import { required } from '../../fields/field.ts'
import { pageFields } from '../../fields/paging.ts'
import {
  ForcedServiceSchema,
  FoundImageSchema,
  HostNetworkSchema,
  HostPageSchema,
  HostSchema,
  ImagePageSchema,
  ImageSchema,
  ServicesSchema,
  SwitchedServiceSchema,
  ZonePageSchema,
} from '../admin.ts'
import { answer, endpoint, NO_CONTENT } from '../endpoint.ts'
import type { RequestOptions } from '../limits.ts'
import { CREATE_HOST_NETWORK_FIELDS, PULL_FIELDS } from '../requests/others.ts'
import { Nothing } from '../schema.ts'

const TEXT = { min: 1, max: 255 }
const SERVICE = {
  host: required(textArgument({ min: 1, max: 255, pattern: /^[a-zA-Z0-9._-]*$/ })),
  binary: required(textArgument(TEXT, { about: '`zun-compute`.' })),
}

export const SERVICE_ENDPOINTS = {
  listServices: endpoint({
    id: 'listServices',
    method: 'GET',
    path: '/v1/services',
    tag: 'services',
    summary: 'The compute services.',
    answers: [answer(200, ServicesSchema)],
    errors: [403],
  }),
  deleteService: endpoint({
    id: 'deleteService',
    method: 'DELETE',
    path: '/v1/services',
    tag: 'services',
    summary: 'Forget a service.',
    args: SERVICE,
    strict: true,
    answers: [answer(200, Nothing)],
    errors: [403, 404, 409],
  }),
  enableService: endpoint({
    id: 'enableService',
    method: 'PUT',
    path: '/v1/services/enable',
    tag: 'services',
    summary: 'Let a host have new containers.',
    args: SERVICE,
    strict: true,
    answers: [answer(200, SwitchedServiceSchema)],
    errors: [403, 404],
  }),
  disableService: endpoint({
    id: 'disableService',
    method: 'PUT',
    path: '/v1/services/disable',
    tag: 'services',
    summary: 'Let a host have no new containers.',
    args: { ...SERVICE, disabled_reason: textArgument(TEXT) },
    strict: true,
    answers: [answer(200, SwitchedServiceSchema)],
    errors: [403, 404],
  }),
  forceDownService: endpoint({
    id: 'forceDownService',
    method: 'PUT',
    path: '/v1/services/force_down',
    tag: 'services',
    summary: 'Say of a host that it is down, or no longer.',
    args: { ...SERVICE, forced_down: required(narrowArgument()) },
    strict: true,
    answers: [answer(200, ForcedServiceSchema)],
    errors: [403, 404],
  }),
  putService: endpoint({
    id: 'putService',
    method: 'PUT',
    path: '/v1/services/:action',
    tag: 'services',
    summary: 'Always refused: there is no such action.',
    answers: [],
    errors: [404],
  }),
}

const HOST_KEYS = [
  'hostname',
  'uuid',
  'mem_total',
  'mem_used',
  'cpus',
  'cpu_used',
  'disk_total',
  'disk_used',
  'total_containers',
  'architecture',
  'os_type',
  'os',
  'kernel_version',
]

export function hostEndpoints({ maxPageSize }: Pick<RequestOptions, 'maxPageSize'>) {
  return {
    listHosts: endpoint({
      id: 'listHosts',
      method: 'GET',
      path: '/v1/hosts',
      tag: 'hosts',
      summary: 'The machines that containers run on.',
      since: 4,
      args: pageFields(maxPageSize, HOST_KEYS),
      answers: [answer(200, HostPageSchema)],
      errors: [403, 404],
    }),
    showHost: endpoint({
      id: 'showHost',
      method: 'GET',
      path: '/v1/hosts/:ident',
      tag: 'hosts',
      summary: 'One machine, by uuid or name.',
      since: 4,
      answers: [answer(200, HostSchema)],
      errors: [403, 404, 409],
    }),
    listZones: endpoint({
      id: 'listZones',
      method: 'GET',
      path: '/v1/availability_zones',
      tag: 'hosts',
      summary: 'The zones that hosts are in. A marker is the name of one.',
      args: pageFields(maxPageSize, ['availability_zone']),
      answers: [answer(200, ZonePageSchema)],
      errors: [403, 404],
    }),
  }
}

export function imageEndpoints({ maxPageSize }: Pick<RequestOptions, 'maxPageSize'>) {
  return {
    listImages: endpoint({
      id: 'listImages',
      method: 'GET',
      path: '/v1/images',
      tag: 'images',
      summary: 'Images on hosts.',
      args: pageFields(maxPageSize, ['id', 'uuid', 'repo', 'tag', 'image_id', 'host', 'project_id', 'size']),
      answers: [answer(200, ImagePageSchema)],
      errors: [403, 404],
    }),
    pullImage: endpoint({
      id: 'pullImage',
      method: 'POST',
      path: '/v1/images',
      tag: 'images',
      summary: 'Have a host pull an image.',
      body: PULL_FIELDS,
      answers: [answer(202, ImageSchema, { location: true })],
      errors: [403, 404, 409],
    }),
    showImage: endpoint({
      id: 'showImage',
      method: 'GET',
      path: '/v1/images/:ident',
      tag: 'images',
      summary: 'One image, by uuid.',
      answers: [answer(200, ImageSchema)],
      errors: [403, 404],
    }),
    deleteImage: endpoint({
      id: 'deleteImage',
      method: 'DELETE',
      path: '/v1/images/:ident',
      tag: 'images',
      summary: 'Remove an image from its host.',
      answers: [answer(200, Nothing)],
      errors: [403, 404, 409],
    }),
    searchImages: endpoint({
      id: 'searchImages',
      method: 'GET',
      path: '/v1/images/*',
      documentedPath: '/v1/images/{name}/search',
      tag: 'images',
      summary: 'Search the public registry, or the image service. The name may hold slashes.',
      args: {
        image_driver: textArgument({ max: 255 }),
        exact_match: narrowArgument({ about: 'Only the image of exactly this name.' }),
      },
      strict: true,
      answers: [answer(200, Type.Array(FoundImageSchema))],
      errors: [403, 404],
    }),
  }
}

export const NETWORK_ENDPOINTS = {
  createHostNetwork: endpoint({
    id: 'createHostNetwork',
    method: 'POST',
    path: '/v1/networks',
    tag: 'networks',
    summary: 'Have a network made on the engine of a host.',
    body: CREATE_HOST_NETWORK_FIELDS,
    requiresJson: true,
    answers: [answer(200, HostNetworkSchema)],
    errors: [403, 404, 409],
  }),
  deleteHostNetwork: endpoint({
    id: 'deleteHostNetwork',
    method: 'DELETE',
    path: '/v1/networks/:uuid',
    tag: 'networks',
    summary: 'Take a network down on every host that has it.',
    since: 27,
    answers: [NO_CONTENT],
    errors: [403, 404, 409],
  }),
}
