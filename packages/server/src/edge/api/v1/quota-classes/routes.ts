import { showQuotaClass, updateQuotaClass, type QuotaDeps } from '../../../../app/quotas/manage.ts'
import type { Route } from '../../route.ts'
import { quotaView } from '../quotas/view.ts'

const ITEM = '/v1/quota_classes/:name'

/** Limits of who has none of his own; only the class `default` has an effect (admin-resources 7). */
export function quotaClassRoutes(deps: QuotaDeps): Route[] {
  return [
    {
      method: 'GET',
      path: ITEM,
      handle: async ({ ctx, params }) => ({ body: quotaView(await showQuotaClass(deps, ctx, params['name'] ?? '')) }),
    },
    {
      method: 'PUT',
      path: ITEM,
      handle: async ({ ctx, params, args }) => ({
        body: quotaView(await updateQuotaClass(deps, ctx, params['name'] ?? '', args)),
      }),
    },
  ]
}
