import { changeService, type ServiceChange, type ServiceName } from '../../../../app/services/change-service.ts'
import { deleteService, type DeleteServiceDeps } from '../../../../app/services/delete-service.ts'
import { listServices, type ServiceState } from '../../../../app/services/list-services.ts'
import type { AppOptions } from '../../../../app/options.ts'
import { missing } from '../../../../app/fields.ts'
import { narrowBoolean, optionalText, present, requiredText } from '../../arguments.ts'
import type { Call, Route } from '../../route.ts'
import { notThere } from '../../router.ts'
import { iso } from '../../timestamps.ts'

const COLLECTION = '/v1/services'

const HOST = { max: 255, pattern: /^[a-zA-Z0-9._-]*$/ }
const TEXT = { min: 1, max: 255 }

export interface ServiceRoutesDeps extends DeleteServiceDeps {
  readonly options: AppOptions
}

/** The compute services and what operators set on them (admin-resources 1). */
export function serviceRoutes(deps: ServiceRoutesDeps): Route[] {
  return [
    {
      method: 'GET',
      path: COLLECTION,
      handle: async ({ ctx }) => {
        const zone = deps.options.defaults.availabilityZone
        return { body: { services: (await listServices(deps, ctx)).map((state) => serviceView(state, zone)) } }
      },
    },
    {
      method: 'DELETE',
      path: COLLECTION,
      query: ['host', 'binary'],
      handle: async ({ ctx, args }) => {
        await deleteService(deps, ctx, nameOf(args))
        return {}
      },
    },
    changeRoute(deps, 'enable', [], () => ({ kind: 'enable' })),
    changeRoute(deps, 'disable', ['disabled_reason'], (args) => ({
      kind: 'disable',
      reason: optionalText(args, 'disabled_reason', TEXT) ?? null,
    })),
    changeRoute(deps, 'force_down', ['forced_down'], (args) => {
      if (present(args['forced_down']) === undefined) throw missing('forced_down')
      return { kind: 'force_down', forcedDown: narrowBoolean(args, 'forced_down', false) }
    }),
    {
      // A single service cannot be asked for, which is a 405 and not a 404: the path must be known for that.
      method: 'PUT',
      path: `${COLLECTION}/:action`,
      handle: async ({ params }) => {
        throw notThere('PUT', `${COLLECTION}/${params['action'] ?? ''}`)
      },
    },
  ]
}

function changeRoute(
  deps: ServiceRoutesDeps,
  action: ServiceChange['kind'],
  query: readonly string[],
  changeOf: (args: Call['args']) => ServiceChange,
): Route {
  return {
    method: 'PUT',
    path: `${COLLECTION}/${action}`,
    query: ['host', 'binary', ...query],
    handle: async ({ ctx, args }) => {
      const name = nameOf(args)
      const wanted = changeOf(args)
      await changeService(deps, ctx, name, wanted)
      return { body: { service: { ...name, ...changeView(wanted) } } }
    },
  }
}

function nameOf(args: Call['args']): ServiceName {
  return { host: requiredText(args, 'host', HOST), binary: requiredText(args, 'binary', TEXT) }
}

function changeView(change: ServiceChange): object {
  switch (change.kind) {
    case 'enable':
      return { disabled: false, disabled_reason: null }
    case 'disable':
      return { disabled: true, disabled_reason: change.reason }
    case 'force_down':
      return { forced_down: change.forcedDown }
    default:
      return change satisfies never
  }
}

function serviceView({ host, up }: ServiceState, defaultZone: string): object {
  return {
    id: host.id,
    host: host.name,
    binary: host.binary,
    state: up ? 'up' : 'down',
    disabled: host.disabled,
    disabled_reason: host.disabledReason,
    forced_down: host.forcedDown,
    last_seen_up: host.lastSeenAtMs === null ? null : iso(host.lastSeenAtMs),
    created_at: iso(host.createdAtMs),
    updated_at: host.updatedAtMs === null ? null : iso(host.updatedAtMs),
    report_count: host.reportCount,
    availability_zone: host.availabilityZone === '' ? defaultZone : host.availabilityZone,
  }
}
