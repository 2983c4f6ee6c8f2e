import {
  filterArgument,
  anyArgument,
  anyBoolean,
  ignoredArgument,
  textArgument,
  wholeArgument,
  wideArgument,
} from '../../fields/arguments.ts'
import { required, type Field } from '../../fields/field.ts'
import { pageFields } from '../../fields/paging.ts'
import { ContainerPageSchema, ContainerSchema } from '../container.ts'
import { answer, endpoint, GONE, NO_CONTENT } from '../endpoint.ts'
import type { RequestOptions } from '../limits.ts'
import { createFields, updateFields } from '../requests/container.ts'
import { IDEMPOTENT, REPLAYED } from '../requests/idempotency.ts'
import { WAIT_FIELDS, WAIT_HEADERS } from '../requests/wait.ts'
import { ActionsSchema, ActionWithEventsSchema, AddressesSchema, CommittedSchema, PortsSchema } from '../live.ts'
import { Nothing } from '../schema.ts'

const COLLECTION = '/v1/containers'
const ITEM = `${COLLECTION}/:ident`

const tag = 'containers'
/** Refused by a rule, not there, or not now. */
const ON_ONE = [403, 404, 409]

/** Seconds a stop may be given: a day is more than any process needs. */
const LONGEST_STOP_S = 86_400

export const CONTAINER_FILTERS = [
  'name',
  'image',
  'project_id',
  'user_id',
  'memory',
  'host',
  'task_state',
  'status',
  'auto_remove',
] as const

const SORT_KEYS = ['id', ...CONTAINER_FILTERS, 'uuid', 'created_at', 'updated_at'] as const

const NAME = { min: 1, max: 255 }

/** Everything of containers but what looks into a live one. */
export function containerEndpoints({ limits, maxPageSize }: RequestOptions) {
  return {
    createContainer: endpoint({
      id: 'createContainer',
      method: 'POST',
      path: COLLECTION,
      tag,
      summary: 'Make a container. The answer comes before it is made: its status tells what became of it.',
      args: { run: wideArgument({ about: 'Start it too.' }) },
      strict: true,
      queryOnly: true,
      body: createFields(limits),
      requiresJson: true,
      headers: IDEMPOTENT,
      answers: [answer(202, ContainerSchema, { location: true, headers: REPLAYED })],
      errors: [...ON_ONE, 422],
    }),
    listContainers: endpoint({
      id: 'listContainers',
      method: 'GET',
      path: COLLECTION,
      tag,
      summary: 'Containers of the project.',
      args: {
        ...pageFields(maxPageSize, SORT_KEYS),
        ...filters(),
        all_projects: anyArgument({ about: 'Those of all projects, for admins.' }),
        expand: ignoredArgument(),
        resource_url: ignoredArgument(),
      },
      strict: true,
      answers: [answer(200, ContainerPageSchema)],
      errors: [403, 404],
    }),
    showContainer: endpoint({
      id: 'showContainer',
      method: 'GET',
      path: ITEM,
      tag,
      summary: 'One container, by uuid or name.',
      args: {
        all_projects: anyArgument({ about: 'Only for admins, who find those of all projects anyway.' }),
        ...WAIT_FIELDS,
      },
      answers: [answer(200, ContainerSchema, { headers: WAIT_HEADERS }), GONE],
      errors: ON_ONE,
    }),
    updateContainer: endpoint({
      id: 'updateContainer',
      method: 'PATCH',
      path: ITEM,
      tag,
      summary: 'Change name, cpu, memory or auto_heal; for cpu and memory the host is waited for.',
      body: updateFields(limits),
      answers: [answer(200, ContainerSchema)],
      errors: ON_ONE,
    }),
    deleteContainer: endpoint({
      id: 'deleteContainer',
      method: 'DELETE',
      path: ITEM,
      tag,
      summary: 'Delete a container, in the background. It is gone when it cannot be found any more.',
      args: {
        force: wideArgument({ about: 'In every status but Paused; for admins, from 1.7 on.' }),
        stop: wideArgument({ about: 'Stop it first; from 1.12 on.' }),
        all_projects: anyArgument(),
      },
      strict: true,
      queryOnly: true,
      answers: [NO_CONTENT],
      errors: ON_ONE,
    }),
    ...simpleActions(),
    resizeContainer: endpoint({
      id: 'resizeContainer',
      method: 'POST',
      path: `${ITEM}/resize_container`,
      tag,
      summary: 'Change cpu and memory in the background; the answer shows the old values.',
      since: 19,
      body: updateFields(limits),
      answers: [answer(202, ContainerSchema)],
      errors: ON_ONE,
    }),
    renameContainer: endpoint({
      id: 'renameContainer',
      method: 'POST',
      path: `${ITEM}/rename`,
      tag,
      summary: 'Give another name; later versions do it with PATCH.',
      until: 13,
      args: { name: required(textArgument({ min: 1, max: 255 })) },
      strict: true,
      answers: [answer(200, ContainerSchema)],
      errors: ON_ONE,
    }),
    commitContainer: endpoint({
      id: 'commitContainer',
      method: 'POST',
      path: `${ITEM}/commit`,
      tag,
      summary: 'Make an image of a container. Answers its uuid.',
      args: { repository: required(textArgument({ min: 1, max: 255 })), tag: textArgument({ max: 128 }) },
      strict: true,
      answers: [answer(202, CommittedSchema)],
      errors: ON_ONE,
    }),
    ...networkActions(),
    listActions: endpoint({
      id: 'listActions',
      method: 'GET',
      path: `${ITEM}/container_actions`,
      tag,
      summary: 'What was asked of a container, newest first.',
      answers: [answer(200, ActionsSchema)],
      errors: ON_ONE,
    }),
    showAction: endpoint({
      id: 'showAction',
      method: 'GET',
      path: `${ITEM}/container_actions/:request`,
      tag,
      summary: 'One request and its events, by the id of the request.',
      answers: [answer(200, ActionWithEventsSchema)],
      errors: ON_ONE,
    }),
  }
}

type Filter = (typeof CONTAINER_FILTERS)[number]

function filters(): Readonly<Record<Filter, Field<readonly string[], string | boolean | readonly string[]>>> {
  const one = filterArgument({ about: 'Exactly so; given several times, any of the values.' })
  return {
    name: one,
    image: one,
    project_id: one,
    user_id: one,
    memory: one,
    host: one,
    task_state: one,
    status: one,
    auto_remove: booleanFilter(),
  }
}

function booleanFilter(): Field<readonly string[], boolean | string | readonly string[]> {
  const one = filterArgument()
  return {
    about: 'In every usual spelling.',
    takesNone: true,
    schema: (minor) => {
      const value = anyArgument().schema(minor)
      return { anyOf: [value, { type: 'array', items: value }] }
    },
    read: (value, name, minor) => one.read(value, name, minor).map((text) => String(anyBoolean(name, text))),
  }
}

function action<A extends Record<string, Field>>(id: string, path: string, summary: string, args: A, strict: boolean) {
  return endpoint({
    id,
    method: 'POST',
    path: `${ITEM}/${path}`,
    tag,
    summary,
    args,
    strict,
    answers: [answer(202, Nothing)],
    errors: ON_ONE,
  })
}

function simpleActions() {
  const timeout = wholeArgument(
    { min: 0, max: LONGEST_STOP_S },
    { about: 'Seconds until it is killed; absent: what the engine has for it.' },
  )
  return {
    startContainer: action('startContainer', 'start', 'Start a container.', {}, false),
    stopContainer: action('stopContainer', 'stop', 'Stop a container.', { timeout }, true),
    rebootContainer: action('rebootContainer', 'reboot', 'Stop a container and start it again.', { timeout }, true),
    pauseContainer: action('pauseContainer', 'pause', 'Freeze the processes of a container.', {}, false),
    unpauseContainer: action('unpauseContainer', 'unpause', 'Let them go on.', {}, false),
    killContainer: action('killContainer', 'kill', 'Send a signal to a container.', { signal: signal() }, true),
    rebuildContainer: action(
      'rebuildContainer',
      'rebuild',
      'Make the container anew, of another image or of the same.',
      { image: textArgument({ min: 2, max: 255 }), image_driver: textArgument({ min: 1, max: 255 }) },
      false,
    ),
  }
}

/** As text. Which signals there are is known where they are sent. */
function signal(): Field<string | undefined, string | number> {
  return {
    about: 'Name or number of a Linux signal, `SIGKILL` or `kill` or 9; absent: SIGKILL.',
    schema: () => ({ type: ['string', 'integer'] }),
    read: (value) => {
      if (value === '') return undefined
      return typeof value === 'string' || typeof value === 'number' ? String(value) : ''
    },
  }
}

function networkActions() {
  const network = textArgument(NAME, { about: 'Name or uuid.' })
  const port = textArgument(NAME, { about: 'Uuid.' })
  const group = (id: string, path: string, summary: string) => ({
    ...action(id, path, summary, { name: required(textArgument(NAME)) }, true),
    until: 14,
  })
  return {
    listNetworks: endpoint({
      id: 'listNetworks',
      method: 'GET',
      path: `${ITEM}/network_list`,
      tag,
      summary: 'The networks a container is on.',
      since: 13,
      answers: [answer(200, AddressesSchema, { until: 17 }), answer(200, PortsSchema, { since: 18 })],
      errors: ON_ONE,
    }),
    attachNetwork: endpoint({
      id: 'attachNetwork',
      method: 'POST',
      path: `${ITEM}/network_attach`,
      tag,
      summary: 'Put a container on one more network.',
      since: 8,
      args: { network, port, fixed_ip: textArgument(NAME, { about: 'IPv4 or IPv6; only with `network`.' }) },
      strict: true,
      answers: [answer(200, Nothing)],
      errors: ON_ONE,
    }),
    detachNetwork: endpoint({
      id: 'detachNetwork',
      method: 'POST',
      path: `${ITEM}/network_detach`,
      tag,
      summary: 'Take a container off a network. Exactly one of `network` and `port`.',
      since: 6,
      args: { network, port },
      strict: true,
      answers: [answer(202, Nothing)],
      errors: ON_ONE,
    }),
    addSecurityGroup: group('addSecurityGroup', 'add_security_group', 'Add a security group.'),
    removeSecurityGroup: group('removeSecurityGroup', 'remove_security_group', 'Remove a security group.'),
  }
}
