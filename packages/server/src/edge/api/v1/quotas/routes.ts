import type { QuotaUsage } from '@zund/contract/api/admin.ts'
import { QUOTA_ENDPOINTS as ENDPOINTS } from '@zund/contract/api/endpoints/tenant.ts'
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
import { route, type Route } from '../../route.ts'
import { quotaView } from './view.ts'

/** Limits of projects (admin-resources 6). */
export function quotaRoutes(deps: QuotaDeps): Route[] {
  return [
    route(ENDPOINTS.showQuota, async ({ ctx, params, args }) => {
      const project = params['project'] ?? ''
      const limits = await showQuota(deps, ctx, project)
      if (args.usages !== true) return { body: quotaView(limits) }
      return { body: usageView(limits, await showUsage(deps, ctx, project)) }
    }),
    route(ENDPOINTS.updateQuota, async ({ ctx, params, given }) => ({
      body: quotaView(await updateQuota(deps, ctx, params['project'] ?? '', given)),
    })),
    route(ENDPOINTS.deleteQuota, async ({ ctx, params }) => {
      await deleteQuota(deps, ctx, params['project'] ?? '')
      return {}
    }),
    route(ENDPOINTS.showDefaultQuota, async ({ ctx, params }) => ({
      body: quotaView(await showDefaults(deps, ctx, params['project'] ?? '')),
    })),
  ]
}

function usageView(limits: QuotaLimits, usage: Usage | null): QuotaUsage {
  const of = (limit: number, inUse: number | undefined): QuotaUsage['cpu'] => ({ limit, in_use: inUse ?? -1 })
  return {
    containers: of(limits.containers, usage?.containers),
    memory: of(limits.memory, usage?.memoryMiB),
    cpu: of(limits.cpu, usage === null ? undefined : Math.round(usage.cpu * 1000) / 1000),
    disk: of(limits.disk, usage?.diskGiB),
  }
}
