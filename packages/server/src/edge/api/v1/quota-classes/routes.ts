import { QUOTA_ENDPOINTS as ENDPOINTS } from '@zund/contract/api/endpoints/tenant.ts'
import { showQuotaClass, updateQuotaClass, type QuotaDeps } from '../../../../app/quotas/manage.ts'
import { route, type Route } from '../../route.ts'
import { quotaView } from '../quotas/view.ts'

/** Limits of who has none of his own; only the class `default` has an effect (admin-resources 7). */
export function quotaClassRoutes(deps: QuotaDeps): Route[] {
  return [
    route(ENDPOINTS.showQuotaClass, async ({ ctx, params }) => ({
      body: quotaView(await showQuotaClass(deps, ctx, params['name'] ?? '')),
    })),
    route(ENDPOINTS.updateQuotaClass, async ({ ctx, params, given }) => ({
      body: quotaView(await updateQuotaClass(deps, ctx, params['name'] ?? '', given)),
    })),
  ]
}
