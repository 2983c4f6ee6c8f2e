/** What a project or a quota class may have; operators change it, members see their own. */
import { InvalidInput } from '../../domain/errors.ts'
import { DEFAULT_CLASS, QUOTA_RESOURCES, type QuotaLimits, type QuotaResource } from '../../domain/quota.ts'
import type { QuotaOwner, Store, Usage } from '../../orchestration/ports/store.ts'
import type { RequestContext } from '../context.ts'
import { bad, refuseUnknownFields, shown, type Body } from '../fields.ts'
import type { AppOptions } from '../options.ts'
import type { Policy } from '../ports/policy.ts'
import { limitsOfClass, limitsOfProject } from './limits.ts'

export interface QuotaDeps {
  readonly store: Store
  readonly policy: Policy
  readonly options: Pick<AppOptions, 'quota'>
}

/** As for the options of the configuration. */
const LARGEST = 2_000_000_000
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
  const limits = parseLimits(fields)
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
  const limits = parseLimits(fields)
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

function parseLimits(fields: Body): Partial<QuotaLimits> {
  refuseUnknownFields(fields, QUOTA_RESOURCES)
  const given = QUOTA_RESOURCES.filter((name) => fields[name] !== undefined)
  return Object.fromEntries(given.map((name) => [name, limitOf(name, fields[name])]))
}

/** The client sends text. */
function limitOf(name: QuotaResource, value: unknown): number {
  const number = typeof value === 'string' && /^-?[0-9]+$/.test(value) ? Number(value) : value
  // A text may have more digits than a number can hold.
  const isWhole = typeof number === 'number' && (Number.isInteger(number) || typeof value === 'string')
  if (!isWhole) throw bad(name, value, 'It is not a whole number')
  if (number >= -1 && number <= LARGEST) return number === 0 ? 0 : number
  throw new InvalidInput(
    `Quota limit ${shown(value)} for ${name} must be between -1, which is unlimited, and ${LARGEST}.`,
    'invalid-quota-value',
  )
}
