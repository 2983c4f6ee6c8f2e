import type { Service } from '@zund/contract/api/admin.ts'
import { SERVICE_ENDPOINTS as ENDPOINTS } from '@zund/contract/api/endpoints/admin.ts'
import type { RequestContext } from '../../../../app/context.ts'
import { changeService, type ServiceChange, type ServiceName } from '../../../../app/services/change-service.ts'
import { deleteService, type DeleteServiceDeps } from '../../../../app/services/delete-service.ts'
import { listServices, type ServiceState } from '../../../../app/services/list-services.ts'
import type { AppOptions } from '../../../../app/options.ts'
import { route, type Reply, type Route } from '../../route.ts'
import { notThere } from '../../router.ts'
import { iso } from '../../timestamps.ts'

export interface ServiceRoutesDeps extends DeleteServiceDeps {
  readonly options: AppOptions
}

/** The compute services and what operators set on them (admin-resources 1). */
export function serviceRoutes(deps: ServiceRoutesDeps): Route[] {
  const change = async (ctx: RequestContext, { host, binary }: ServiceName, wanted: ServiceChange): Promise<Reply> => {
    await changeService(deps, ctx, { host, binary }, wanted)
    return { body: { service: { host, binary, ...changeView(wanted) } } }
  }
  return [
    route(ENDPOINTS.listServices, async ({ ctx }) => {
      const zone = deps.options.defaults.availabilityZone
      return { body: { services: (await listServices(deps, ctx)).map((state) => serviceView(state, zone)) } }
    }),
    route(ENDPOINTS.deleteService, async ({ ctx, args: { host, binary } }) => {
      await deleteService(deps, ctx, { host, binary })
      return {}
    }),
    route(ENDPOINTS.enableService, ({ ctx, args }) => change(ctx, args, { kind: 'enable' })),
    route(ENDPOINTS.disableService, ({ ctx, args }) =>
      change(ctx, args, { kind: 'disable', reason: args.disabled_reason ?? null }),
    ),
    route(ENDPOINTS.forceDownService, ({ ctx, args }) =>
      change(ctx, args, { kind: 'force_down', forcedDown: args.forced_down }),
    ),
    // A single service cannot be asked for, which is a 405 and not a 404: the path must be known for that.
    route(ENDPOINTS.putService, async ({ params }) => {
      throw notThere('PUT', `/v1/services/${params['action'] ?? ''}`)
    }),
  ]
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

function serviceView({ host, up }: ServiceState, defaultZone: string): Service {
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
