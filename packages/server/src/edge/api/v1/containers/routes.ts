import { CONTAINER_FILTERS, containerEndpoints } from '@zund/contract/api/endpoints/containers.ts'
import type { Action, ActionWithEvents, AttachedNetworks } from '@zund/contract/api/live.ts'
import { act, type Act } from '../../../../app/containers/act.ts'
import { listActions, showAction } from '../../../../app/containers/actions.ts'
import { commitContainer } from '../../../../app/containers/commit.ts'
import { createContainer } from '../../../../app/containers/create.ts'
import { deleteContainer } from '../../../../app/containers/delete.ts'
import type { ContainerDeps } from '../../../../app/containers/deps.ts'
import { findAuthorized, policyTarget } from '../../../../app/containers/find.ts'
import { changeSecurityGroup, type GroupChange } from '../../../../app/containers/security-groups.ts'
import { attachNetwork, detachNetwork, listNetworks } from '../../../../app/containers/networks.ts'
import { waitFor, type WaitDeps } from '../../../../app/containers/wait.ts'
import { rebuildContainer } from '../../../../app/containers/rebuild.ts'
import { renameContainer, resizeContainer, updateContainer } from '../../../../app/containers/update.ts'
import { lookupScope, ownScope, type RequestContext } from '../../../../app/context.ts'
import { once } from '../../../../app/once.ts'
import { badArgument } from '../../../../app/fields.ts'
import type { Container } from '../../../../domain/container/types.ts'
import { PolicyNotAuthorized } from '../../../../domain/errors.ts'
import { normaliseUuid } from '../../../../domain/ids.ts'
import { parseSignal } from '../../../../domain/signals.ts'
import type { OperationParams } from '../../../../orchestration/ports/wire.ts'
import { pageOf, nextUrl } from '../../paging.ts'
import { route, type Call, type RawCall, type Reply, type Route } from '../../route.ts'
import { iso } from '../../timestamps.ts'
import { onceOf, replayed } from '../../once.ts'
import { waitedReply, waitOf } from './waited.ts'
import type { ContainerViews } from './view.ts'

type Endpoints = ReturnType<typeof containerEndpoints>

/** Injected files come inside of the body. */
const CREATE_LIMIT = 16 * 1024 * 1024

/** Every route of containers but those that look into a live one. */
export function containerRoutes(deps: ContainerDeps & WaitDeps, views: ContainerViews): Route[] {
  const endpoints = containerEndpoints(deps.options)
  return [
    route(endpoints.createContainer, (call) => create(deps, views, call), { bodyLimit: CREATE_LIMIT }),
    route(endpoints.listContainers, (call) => list(deps, views, call)),
    route(endpoints.showContainer, (call) => show(deps, views, call)),
    route(endpoints.updateContainer, async ({ ctx, params, given, baseUrl }) =>
      view(views, ctx, await updateContainer(deps, ctx, params['ident'] ?? '', given), baseUrl, 200),
    ),
    route(endpoints.deleteContainer, async ({ ctx, params, args }) => {
      await deleteContainer(deps, ctx, params['ident'] ?? '', {
        force: args.force ?? false,
        stop: args.stop ?? false,
        allProjects: args.all_projects ?? false,
      })
      return { status: 204 }
    }),
    ...simpleRoutes(deps, endpoints),
    route(endpoints.resizeContainer, async ({ ctx, params, given, baseUrl }) =>
      view(views, ctx, await resizeContainer(deps, ctx, params['ident'] ?? '', given), baseUrl, 202),
    ),
    route(endpoints.renameContainer, async ({ ctx, params, args, baseUrl }) =>
      view(views, ctx, await renameContainer(deps, ctx, params['ident'] ?? '', args.name), baseUrl, 200),
    ),
    route(endpoints.commitContainer, async ({ ctx, params, args }) => {
      const tag = args.tag === '' ? undefined : args.tag
      return {
        status: 202,
        body: { uuid: await commitContainer(deps, ctx, params['ident'] ?? '', args.repository, tag) },
      }
    }),
    ...networkRoutes(deps, endpoints),
    ...actionRoutes(deps, endpoints),
  ]
}

function simpleRoutes(deps: ContainerDeps, endpoints: Endpoints): Route[] {
  type SimpleVerb = Act['verb'] & Act['key']
  const simple = async ({ ctx, params }: RawCall, verb: SimpleVerb, how: OperationParams = {}): Promise<Reply> => {
    await act(deps, ctx, { ident: params['ident'] ?? '', rule: `container:${verb}`, key: verb, verb, params: how })
    return { status: 202 }
  }
  return [
    route(endpoints.startContainer, (call) => simple(call, 'start')),
    route(endpoints.stopContainer, (call) => simple(call, 'stop', timeoutOf(call.args.timeout))),
    route(endpoints.rebootContainer, (call) => simple(call, 'reboot', timeoutOf(call.args.timeout))),
    route(endpoints.pauseContainer, (call) => simple(call, 'pause')),
    route(endpoints.unpauseContainer, (call) => simple(call, 'unpause')),
    route(endpoints.killContainer, (call) => simple(call, 'kill', signalOf(call))),
    route(endpoints.rebuildContainer, async ({ ctx, params, args }) => {
      await rebuildContainer(deps, ctx, params['ident'] ?? '', { image: args.image, imageDriver: args.image_driver })
      return { status: 202 }
    }),
  ]
}

function timeoutOf(timeoutS: number | undefined): OperationParams {
  return timeoutS === undefined ? {} : { timeoutS }
}

function signalOf({ args, given }: Call<Endpoints['killContainer']['args']>): OperationParams {
  if (args.signal === undefined) return {}
  const signal = parseSignal(args.signal)
  if (signal === undefined) throw badArgument('signal', given['signal'], 'It is not a Linux signal')
  return { signal }
}

async function create(
  deps: ContainerDeps,
  views: ContainerViews,
  call: Call<Endpoints['createContainer']['args']>,
): Promise<Reply> {
  const { ctx, body, args, baseUrl } = call
  const { made, isReplay } = await once(
    deps,
    ctx,
    onceOf(call, '/v1/containers'),
    async (note) => await createContainer(deps, ctx, body, args.run ?? false, note),
    async (uuid) => await findAuthorized(deps, ctx, uuid, 'container:create'),
  )
  const reply = view(views, ctx, made, baseUrl, 202)
  return { ...reply, headers: { Location: `${baseUrl}/v1/containers/${made.uuid}`, ...replayed(isReplay) } }
}

async function list(
  deps: ContainerDeps,
  views: ContainerViews,
  { ctx, args, query, baseUrl }: Call<Endpoints['listContainers']['args']>,
): Promise<Reply> {
  const { policy, options, store } = deps
  policy.authorize('container:get_all', ctx)
  const everywhere = args.all_projects ?? false
  if (everywhere) policy.authorize('container:get_all_all_projects', ctx)
  const page = pageOf(args, options.maxPageSize, 'id')
  const filters: Record<string, readonly string[]> = {}
  for (const name of CONTAINER_FILTERS) {
    const values = args[name]
    if (values === undefined) continue
    if (views.isHidden(name, ctx)) throw new PolicyNotAuthorized(`container:get_one:${name}`)
    filters[name] = values
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

async function show(
  deps: ContainerDeps & WaitDeps,
  views: ContainerViews,
  { ctx, params, args, baseUrl, whileWaiting }: Call<Endpoints['showContainer']['args']>,
): Promise<Reply> {
  if (args.all_projects === true) deps.policy.authorize('container:get_one_all_projects', ctx)
  const shown = (container: Container): Reply => view(views, ctx, container, baseUrl, 200)
  const [ident, wait] = [params['ident'] ?? '', waitOf({ args, whileWaiting })]
  if (wait === undefined) return shown(await findToShow(deps, views, ctx, ident))
  const waited = await waitFor(deps, ctx, wait, ident, async (name) => {
    const found = await findToShow(deps, views, ctx, name)
    return { found, look: found }
  })
  return waitedReply(waited, shown)
}

/** Most are asked for by uuid and have been shown already; then one look at their revision is enough. */
async function findToShow(
  deps: ContainerDeps,
  views: ContainerViews,
  ctx: RequestContext,
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
  ctx: RequestContext,
  container: Parameters<ContainerViews['encode']>[0],
  baseUrl: string,
  status: number,
): Reply {
  return { status, json: views.encode(container, views.hiddenFrom(ctx), Date.now(), baseUrl) }
}

function networkRoutes(deps: ContainerDeps, endpoints: Endpoints): Route[] {
  return [
    route(endpoints.listNetworks, async ({ ctx, params }) => ({
      body: { networks: await listNetworks(deps, ctx, params['ident'] ?? '') } satisfies AttachedNetworks,
    })),
    route(endpoints.attachNetwork, async ({ ctx, params, args }) => {
      const { network, port, fixed_ip: fixedIp } = args
      await attachNetwork(deps, ctx, params['ident'] ?? '', { network, port, fixedIp })
      return { status: 200 }
    }),
    route(endpoints.detachNetwork, async ({ ctx, params, args: { network, port } }) => {
      await detachNetwork(deps, ctx, params['ident'] ?? '', { network, port })
      return { status: 202 }
    }),
    route(endpoints.addSecurityGroup, (call) => changeGroup(deps, call, 'add_security_group')),
    route(endpoints.removeSecurityGroup, (call) => changeGroup(deps, call, 'remove_security_group')),
  ]
}

async function changeGroup(
  deps: ContainerDeps,
  { ctx, params, args }: Call<Endpoints['addSecurityGroup']['args']>,
  change: GroupChange,
): Promise<Reply> {
  await changeSecurityGroup(deps, ctx, params['ident'] ?? '', change, args.name)
  return { status: 202, body: null }
}

function actionRoutes(deps: ContainerDeps, endpoints: Endpoints): Route[] {
  return [
    route(endpoints.listActions, async ({ ctx, params }) => ({
      body: { containerActions: (await listActions(deps, ctx, params['ident'] ?? '')).map(actionView) },
    })),
    route(endpoints.showAction, async ({ ctx, params }) => {
      const { operation, events } = await showAction(deps, ctx, params['ident'] ?? '', params['request'] ?? '')
      const body: ActionWithEvents = {
        ...actionView(operation),
        events: events.map((event) => ({
          event: event.event,
          start_time: iso(event.startedAtMs),
          finish_time: event.finishedAtMs === null ? null : iso(event.finishedAtMs),
          result: event.result,
          traceback: event.traceback,
        })),
      }
      return { body }
    }),
  ]
}

function actionView(operation: Awaited<ReturnType<typeof listActions>>[number]): Action {
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
