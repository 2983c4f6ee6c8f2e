import {
  deleteQuota,
  showDefaults,
  showQuota,
  showUsage,
  updateQuota,
  type QuotaDeps,
} from '../../../../app/quotas/manage.ts'
import type { QuotaLimits } from '../../../../domain/quota.ts'
import type { Usage } from '../../../../orchestration/ports/store.ts'
import { anyBoolean } from '../../arguments.ts'
import { single } from '../../paging.ts'
import type { Route } from '../../route.ts'
import { quotaView } from './view.ts'

const ITEM = '/v1/quotas/:project'

/** Limits of projects (admin-resources 6). */
export function quotaRoutes(deps: QuotaDeps): Route[] {
  return [
    {
      method: 'GET',
      path: ITEM,
      handle: async ({ ctx, params, query }) => {
        const project = params['project'] ?? ''
        const asked = single(query, 'usages')
        const withUsage = asked !== undefined && anyBoolean('usages', asked)
        const limits = await showQuota(deps, ctx, project)
        if (!withUsage) return { body: quotaView(limits) }
        return { body: usageView(limits, await showUsage(deps, ctx, project)) }
      },
    },
    {
      method: 'PUT',
      path: ITEM,
      handle: async ({ ctx, params, args }) => ({
        body: quotaView(await updateQuota(deps, ctx, params['project'] ?? '', args)),
      }),
    },
    {
      method: 'DELETE',
      path: ITEM,
      handle: async ({ ctx, params }) => {
        await deleteQuota(deps, ctx, params['project'] ?? '')
        return {}
      },
    },
    {
      method: 'GET',
      path: `${ITEM}/defaults`,
      handle: async ({ ctx, params }) => ({
        body: quotaView(await showDefaults(deps, ctx, params['project'] ?? '')),
      }),
    },
  ]
}

function usageView(limits: QuotaLimits, usage: Usage | null): object {
  const of = (limit: number, inUse: number | undefined): object => ({ limit, in_use: inUse ?? -1 })
  return {
    containers: of(limits.containers, usage?.containers),
    memory: of(limits.memory, usage?.memoryMiB),
    cpu: of(limits.cpu, usage === null ? undefined : Math.round(usage.cpu * 1000) / 1000),
    disk: of(limits.disk, usage?.diskGiB),
  }
}
