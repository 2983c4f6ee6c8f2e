import { act, type Act } from '../../../../app/containers/act.ts'
import { listActions, showAction } from '../../../../app/containers/actions.ts'
import { commitContainer } from '../../../../app/containers/commit.ts'
import { createContainer } from '../../../../app/containers/create.ts'
import { deleteContainer } from '../../../../app/containers/delete.ts'
import type { ContainerDeps } from '../../../../app/containers/deps.ts'
import { findAuthorized, policyTarget, requireStatus } from '../../../../app/containers/find.ts'
import { attachNetwork, detachNetwork, listNetworks } from '../../../../app/containers/networks.ts'
import { rebuildContainer } from '../../../../app/containers/rebuild.ts'
import { renameContainer, resizeContainer, updateContainer } from '../../../../app/containers/update.ts'
import { lookupScope, ownScope } from '../../../../app/context.ts'
import type { Container } from '../../../../domain/container/types.ts'
import { InvalidInput, PolicyNotAuthorized } from '../../../../domain/errors.ts'
import { normaliseUuid } from '../../../../domain/ids.ts'
import { parseSignal } from '../../../../domain/signals.ts'
import type { ContainerFilterKey } from '../../../../orchestration/ports/store.ts'
import type { OperationParams } from '../../../../orchestration/ports/wire.ts'
import {
  allProjects,
  anyBoolean,
  optionalText,
  present,
  queryError,
  requiredText,
  wholeNumber,
  wideBoolean,
} from '../../arguments.ts'
import { nextUrl, PAGE_PARAMETERS, parsePage } from '../../paging.ts'
import type { Call, Reply, Route } from '../../route.ts'
import { iso } from '../../timestamps.ts'
import type { ContainerViews } from './view.ts'

const COLLECTION = '/v1/containers'
const ITEM = `${COLLECTION}/:ident`

const FILTERS: readonly ContainerFilterKey[] = [
  'name',
  'image',
  'project_id',
  'user_id',
  'memory',
  'host',
  'task_state',
  'status',
  'auto_remove',
]

/** Seconds a stop may be given: a day is more than any process needs. */
const LONGEST_STOP_S = 86_400

/** Every route of containers but those that look into a live one. */
export function containerRoutes(deps: ContainerDeps, views: ContainerViews): Route[] {
  return [
    {
      method: 'POST',
      path: COLLECTION,
      query: ['run'],
      requiresJson: true,
      // Injected files come inside of the body.
      bodyLimit: 16 * 1024 * 1024,
      handle: (call) => create(deps, views, call),
    },
    {
      method: 'GET',
      path: COLLECTION,
      query: [...PAGE_PARAMETERS, ...FILTERS, 'all_projects', 'expand', 'resource_url'],
      handle: (call) => list(deps, views, call),
    },
    { method: 'GET', path: ITEM, handle: (call) => show(deps, views, call) },
    {
      method: 'PATCH',
      path: ITEM,
      handle: async ({ ctx, params, args, baseUrl }) =>
        view(views, ctx, await updateContainer(deps, ctx, params['ident'] ?? '', args), baseUrl, 200),
    },
    {
      method: 'DELETE',
      path: ITEM,
      query: ['force', 'stop', 'all_projects'],
      handle: async ({ ctx, params, query }) => {
        await deleteContainer(deps, ctx, params['ident'] ?? '', {
          force: wideBoolean(query, 'force', false),
          stop: wideBoolean(query, 'stop', false),
          allProjects: allProjects(query),
        })
        return { status: 204 }
      },
    },
    plain(deps, 'start', 'start'),
    { ...plain(deps, 'stop', 'stop', timeoutOf), query: ['timeout'] },
    { ...plain(deps, 'reboot', 'reboot', timeoutOf), query: ['timeout'] },
    plain(deps, 'pause', 'pause'),
    plain(deps, 'unpause', 'unpause'),
    { ...plain(deps, 'kill', 'kill', signalOf), query: ['signal'] },
    {
      method: 'POST',
      path: `${ITEM}/rebuild`,
      handle: async ({ ctx, params, args }) => {
        await rebuildContainer(deps, ctx, params['ident'] ?? '', {
          image: optionalText(args, 'image', { min: 2, max: 255 }),
          imageDriver: optionalText(args, 'image_driver', { min: 1, max: 255 }),
        })
        return { status: 202 }
      },
    },
    {
      method: 'POST',
      path: `${ITEM}/resize_container`,
      minVersion: 19,
      handle: async ({ ctx, params, args, baseUrl }) =>
        view(views, ctx, await resizeContainer(deps, ctx, params['ident'] ?? '', args), baseUrl, 202),
    },
    {
      method: 'POST',
      path: `${ITEM}/rename`,
      maxVersion: 13,
      query: ['name'],
      handle: async ({ ctx, params, args, baseUrl }) =>
        view(
          views,
          ctx,
          await renameContainer(deps, ctx, params['ident'] ?? '', requiredText(args, 'name', { max: 255 })),
          baseUrl,
          200,
        ),
    },
    {
      method: 'POST',
      path: `${ITEM}/commit`,
      query: ['repository', 'tag'],
      handle: async ({ ctx, params, args }) => {
        const repository = requiredText(args, 'repository', { max: 255 })
        const tag = optionalText(args, 'tag', { max: 128 })
        const uuid = await commitContainer(deps, ctx, params['ident'] ?? '', repository, tag === '' ? undefined : tag)
        return { status: 202, body: { uuid } }
      },
    },
    ...networkRoutes(deps),
    ...actionRoutes(deps),
  ]
}

function plain(
  deps: ContainerDeps,
  action: string,
  verb: Act['verb'] & Act['key'],
  paramsOf: (args: Call['args']) => OperationParams = () => ({}),
): Route {
  return {
    method: 'POST',
    path: `${ITEM}/${action}`,
    handle: async ({ ctx, params, args }) => {
      const request = {
        ident: params['ident'] ?? '',
        rule: `container:${action}`,
        key: verb,
        verb,
        params: paramsOf(args),
      }
      await act(deps, ctx, request)
      return { status: 202 }
    },
  }
}

function timeoutOf(args: Call['args']): OperationParams {
  const timeoutS = wholeNumber(args, 'timeout', { min: 0, max: LONGEST_STOP_S })
  return timeoutS === undefined ? {} : { timeoutS }
}

function signalOf(args: Call['args']): OperationParams {
  const value = present(args['signal'])
  if (value === undefined || value === '') return {}
  const signal = parseSignal(String(typeof value === 'number' ? value : typeof value === 'string' ? value : ''))
  if (signal === undefined) throw queryError('signal', value, 'It is not a Linux signal')
  return { signal }
}

async function create(deps: ContainerDeps, views: ContainerViews, call: Call): Promise<Reply> {
  const run = wideBoolean(call.query, 'run', false)
  const container = await createContainer(deps, call.ctx, call.body, run)
  const reply = view(views, call.ctx, container, call.baseUrl, 202)
  return { ...reply, headers: { Location: `${call.baseUrl}/v1/containers/${container.uuid}` } }
}

async function list(deps: ContainerDeps, views: ContainerViews, { ctx, query, baseUrl }: Call): Promise<Reply> {
  const { policy, options, store } = deps
  policy.authorize('container:get_all', ctx)
  const everywhere = allProjects(query)
  if (everywhere) policy.authorize('container:get_all_all_projects', ctx)
  const page = parsePage(query, options.maxPageSize, 'id')
  const filters: Record<string, readonly string[]> = {}
  for (const name of FILTERS) {
    const value = query[name]
    if (value === undefined) continue
    if (views.isHidden(name, ctx)) throw new PolicyNotAuthorized(`container:get_one:${name}`)
    const values = typeof value === 'string' ? [value] : value
    filters[name] = name === 'auto_remove' ? values.map((one) => String(anyBoolean(name, one))) : values
  }
  const scope = everywhere && ctx.isAdmin ? { kind: 'all' as const } : ownScope(ctx)
  const keys = await store.containers.keys({ ...page, kind: 0, scope, filters })
  const hidden = views.hiddenFrom(ctx)
  const now = Date.now()
  const rows = new Map<string, Container>()
  const unknown: string[] = []
  for (const key of keys) {
    const row = views.known(key)
    if (row === undefined) unknown.push(key.uuid)
    else rows.set(key.uuid, row)
  }
  if (unknown.length > 0) for (const row of await store.containers.byUuids(unknown)) rows.set(row.uuid, row)
  const items = keys.flatMap(({ uuid }) => {
    const row = rows.get(uuid)
    return row === undefined ? [] : views.encode(row, hidden, now, null)
  })
  const next = nextUrl(
    baseUrl,
    'containers',
    page,
    query,
    keys.map((key) => key.uuid),
  )
  return { json: `{"containers":[${items.join()}],"next":${JSON.stringify(next)}}` }
}

async function show(deps: ContainerDeps, views: ContainerViews, { ctx, params, query, baseUrl }: Call): Promise<Reply> {
  if (allProjects(query)) deps.policy.authorize('container:get_one_all_projects', ctx)
  const container = await findToShow(deps, views, ctx, params['ident'] ?? '')
  return view(views, ctx, container, baseUrl, 200)
}

/** Most are asked for by uuid and have been shown already; then one look at their revision is enough. */
async function findToShow(
  deps: ContainerDeps,
  views: ContainerViews,
  ctx: Call['ctx'],
  ident: string,
): Promise<Container> {
  const rule = 'container:get_one'
  const uuid = normaliseUuid(ident)
  const key = uuid === undefined ? undefined : await deps.store.containers.key(uuid, lookupScope(ctx))
  const known = key === undefined ? undefined : views.known(key)
  if (known === undefined || known.kind !== 0) return await findAuthorized(deps, ctx, ident, rule)
  deps.policy.authorize(rule, ctx, policyTarget(known))
  return known
}

function view(
  views: ContainerViews,
  ctx: Call['ctx'],
  container: Parameters<ContainerViews['encode']>[0],
  baseUrl: string,
  status: number,
): Reply {
  return { status, json: views.encode(container, views.hiddenFrom(ctx), Date.now(), baseUrl) }
}

function networkRoutes(deps: ContainerDeps): Route[] {
  const name = { min: 1, max: 255 }
  return [
    {
      method: 'GET',
      path: `${ITEM}/network_list`,
      minVersion: 13,
      handle: async ({ ctx, params }) => ({ body: { networks: await listNetworks(deps, ctx, params['ident'] ?? '') } }),
    },
    {
      method: 'POST',
      path: `${ITEM}/network_attach`,
      minVersion: 8,
      query: ['network', 'port', 'fixed_ip'],
      handle: async ({ ctx, params, args }) => {
        await attachNetwork(deps, ctx, params['ident'] ?? '', {
          network: optionalText(args, 'network', name),
          port: optionalText(args, 'port', name),
          fixedIp: optionalText(args, 'fixed_ip', name),
        })
        return { status: 200 }
      },
    },
    {
      method: 'POST',
      path: `${ITEM}/network_detach`,
      minVersion: 6,
      query: ['network', 'port'],
      handle: async ({ ctx, params, args }) => {
        await detachNetwork(deps, ctx, params['ident'] ?? '', {
          network: optionalText(args, 'network', name),
          port: optionalText(args, 'port', name),
        })
        return { status: 202 }
      },
    },
    ...(['add_security_group', 'remove_security_group'] as const).map(
      (action): Route => ({
        method: 'POST',
        path: `${ITEM}/${action}`,
        maxVersion: 14,
        query: ['name'],
        handle: async ({ ctx, params, args }) => {
          const group = requiredText(args, 'name', name)
          const container = await findAuthorized(deps, ctx, params['ident'] ?? '', `container:${action}`)
          requireStatus(container, action)
          throw new InvalidInput(
            `Security group ${group} cannot be changed: the local network service has only the group 'default'.`,
          )
        },
      }),
    ),
  ]
}

function actionRoutes(deps: ContainerDeps): Route[] {
  return [
    {
      method: 'GET',
      path: `${ITEM}/container_actions`,
      handle: async ({ ctx, params }) => ({
        body: { containerActions: (await listActions(deps, ctx, params['ident'] ?? '')).map(actionView) },
      }),
    },
    {
      method: 'GET',
      path: `${ITEM}/container_actions/:request`,
      handle: async ({ ctx, params }) => {
        const { operation, events } = await showAction(deps, ctx, params['ident'] ?? '', params['request'] ?? '')
        return {
          body: {
            ...actionView(operation),
            events: events.map((event) => ({
              event: event.event,
              start_time: iso(event.startedAtMs),
              finish_time: event.finishedAtMs === null ? null : iso(event.finishedAtMs),
              result: event.result,
              traceback: event.traceback,
            })),
          },
        }
      },
    },
  ]
}

function actionView(operation: Awaited<ReturnType<typeof listActions>>[number]): object {
  return {
    action: operation.verb,
    container_uuid: operation.containerUuid,
    request_id: operation.requestId,
    user_id: operation.userId,
    project_id: operation.projectId,
    start_time: iso(operation.createdAtMs),
    finish_time: operation.finishedAtMs === null ? null : iso(operation.finishedAtMs),
    message: operation.state === 'failed' || operation.state === 'cancelled' ? 'Error' : null,
  }
}
