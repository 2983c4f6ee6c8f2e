/** What a project or a quota class may have; operators change it, members see their own. */
import { QUOTA_FIELDS } from '@zund/contract/api/requests/others.ts'
import { InvalidInput } from '../../domain/errors.ts'
import { DEFAULT_CLASS, type QuotaLimits } from '../../domain/quota.ts'
import type { QuotaOwner, Store, Usage } from '../../orchestration/ports/store.ts'
import type { RequestContext } from '../context.ts'
import { readFields, type Body } from '../fields.ts'
import type { AppOptions } from '../options.ts'
import type { Policy } from '../ports/policy.ts'
import { limitsOfClass, limitsOfProject } from './limits.ts'

export interface QuotaDeps {
  readonly store: Store
  readonly policy: Policy
  readonly options: Pick<AppOptions, 'quota'>
}

const LONGEST_OWNER = 255

export async function showQuota(deps: QuotaDeps, ctx: RequestContext, projectId: string): Promise<QuotaLimits> {
  deps.policy.authorize('quota:get', ctx, { project_id: projectId })
  return await limitsOfProject(deps.store.quotas, projectId, deps.options.quota)
}

/** null: nothing is counted, because quotas are switched off. */
export async function showUsage(deps: QuotaDeps, ctx: RequestContext, projectId: string): Promise<Usage | null> {
  deps.policy.authorize('quota:get', ctx, { project_id: projectId })
  return deps.options.quota.enforced ? await deps.store.containers.usageOfProject(projectId) : null
}

/** What the project would have if nothing were set for it. */
export async function showDefaults(deps: QuotaDeps, ctx: RequestContext, projectId: string): Promise<QuotaLimits> {
  deps.policy.authorize('quota:get_default', ctx, { project_id: projectId })
  return await limitsOfClass(deps.store.quotas, DEFAULT_CLASS, deps.options.quota)
}

/** Whether there is such a project is not asked: it may come later, or be another service's to know. */
export async function updateQuota(
  deps: QuotaDeps,
  ctx: RequestContext,
  projectId: string,
  fields: Body,
): Promise<QuotaLimits> {
  const limits = limitsIn(fields, ctx)
  deps.policy.authorize('quota:update', ctx, { project_id: projectId })
  await set(deps, ['project', projectId], limits)
  return await limitsOfProject(deps.store.quotas, projectId, deps.options.quota)
}

/** Back to the defaults. */
export async function deleteQuota(deps: QuotaDeps, ctx: RequestContext, projectId: string): Promise<void> {
  deps.policy.authorize('quota:delete', ctx, { project_id: projectId })
  await deps.store.write((tx) => tx.quotas.clear(['project', projectId]))
}

export async function showQuotaClass(deps: QuotaDeps, ctx: RequestContext, name: string): Promise<QuotaLimits> {
  deps.policy.authorize('quota_class:get', ctx)
  return await limitsOfClass(deps.store.quotas, name, deps.options.quota)
}

export async function updateQuotaClass(
  deps: QuotaDeps,
  ctx: RequestContext,
  name: string,
  fields: Body,
): Promise<QuotaLimits> {
  const limits = limitsIn(fields, ctx)
  deps.policy.authorize('quota_class:update', ctx)
  await set(deps, ['class', name], limits)
  return await limitsOfClass(deps.store.quotas, name, deps.options.quota)
}

async function set(deps: QuotaDeps, owner: QuotaOwner, limits: Partial<QuotaLimits>): Promise<void> {
  const [kind, name] = owner
  if (name.length > LONGEST_OWNER || name.includes('\0')) {
    throw new InvalidInput(
      `A ${kind === 'project' ? 'project id' : 'quota class'} has at most ${LONGEST_OWNER} characters and no NUL.`,
    )
  }
  await deps.store.write((tx) => tx.quotas.set(owner, limits))
}

function limitsIn(body: Body, { minor }: RequestContext): Partial<QuotaLimits> {
  const { containers, memory, cpu, disk } = readFields(QUOTA_FIELDS, body, minor)
  return {
    ...(containers === undefined ? {} : { containers }),
    ...(memory === undefined ? {} : { memory }),
    ...(cpu === undefined ? {} : { cpu }),
    ...(disk === undefined ? {} : { disk }),
  }
}
