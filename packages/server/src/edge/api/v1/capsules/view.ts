import type { Capsule as CapsuleBody } from '@zund/contract/api/capsule.ts'
import type { RequestContext } from '../../../../app/context.ts'
import type { Policy } from '../../../../app/ports/policy.ts'
import type { Capsule } from '../../../../domain/capsule/types.ts'
import type { Container } from '../../../../domain/container/types.ts'
import { spaced } from '../../timestamps.ts'
import type { ContainerViews } from '../containers/view.ts'

/** The first version with today's format. */
const CURRENT_SINCE = 32

/** Bodies of capsules, as text, since those of their containers are. */
export class CapsuleViews {
  readonly #policy: Policy
  readonly #containers: ContainerViews

  constructor(policy: Policy, containers: ContainerViews) {
    this.#policy = policy
    this.#containers = containers
  }

  encode(ctx: RequestContext, capsule: Capsule, baseUrl: string): string {
    const { record, annotations, members, initMembers } = capsule
    const fields: readonly (readonly [name: string, json: string])[] = [
      ...Object.entries(fieldsOf(record)).map(([name, value]) => [name, JSON.stringify(value)] as const),
      ['annotations', JSON.stringify(annotations)],
      ['containers', this.#list(ctx, members)],
      ['init_containers', this.#list(ctx, initMembers)],
      ['links', JSON.stringify(linksOf(record.uuid, baseUrl))],
    ]
    const isLegacy = ctx.minor < CURRENT_SINCE
    const shown = fields
      .filter(([name]) => !this.#isHidden(ctx, name))
      .map(([name, json]): readonly [string, string] => (isLegacy ? legacy(name, json, record) : [name, json]))
    return `{${[...shown, ...(isLegacy ? LEGACY_FIELDS : [])].map(([name, json]) => `"${name}":${json}`).join()}}`
  }

  #list(ctx: RequestContext, containers: readonly Container[]): string {
    const hidden = this.#containers.hiddenFrom(ctx)
    const now = Date.now()
    return `[${containers.map((container) => this.#containers.encode(container, hidden, now, null)).join()}]`
  }

  /** By a rule of the operator or of ours. It has the name of the field of today also for the legacy format. */
  #isHidden(ctx: RequestContext, field: string): boolean {
    const rule = `capsule:get:${field}`
    return this.#policy.defines(rule) && !this.#policy.allows(rule, ctx)
  }
}

function fieldsOf(record: Container): Omit<CapsuleBody, 'annotations' | 'containers' | 'init_containers' | 'links'> {
  const { spec } = record
  return {
    uuid: record.uuid,
    name: record.name,
    project_id: record.projectId,
    user_id: record.userId,
    status: record.status,
    status_reason: record.statusReason,
    labels: spec.labels,
    restart_policy: restartPolicyOf(record),
    cpu: spec.cpu,
    memory: String(spec.memoryMiB),
    addresses: record.addresses,
    host: record.host,
    created_at: spaced(record.createdAtMs),
    updated_at: record.updatedAtMs === null ? null : spaced(record.updatedAtMs),
  }
}

function restartPolicyOf({ spec }: Container): CapsuleBody['restart_policy'] {
  const { name, maximumRetryCount } = spec.restartPolicy ?? { name: 'always', maximumRetryCount: 0 }
  return { Name: name, MaximumRetryCount: String(maximumRetryCount) }
}

/** Nobody fills them, and old clients look for them. */
const LEGACY_FIELDS: readonly (readonly [name: string, json: string])[] = [
  ['volumes_info', '{}'],
  ['containers_uuids', '[]'],
  ['init_containers_uuids', '[]'],
  ['capsule_version', '""'],
]

function legacy(name: string, json: string, record: Container): readonly [string, string] {
  if (name === 'name' || name === 'labels') return [`meta_${name}`, json]
  return [name, name === 'restart_policy' ? JSON.stringify(restartPolicyOf(record).Name) : json]
}

function linksOf(uuid: string, baseUrl: string): CapsuleBody['links'] {
  return [
    { href: `${baseUrl}/v1/capsules/${uuid}`, rel: 'self' },
    { href: `${baseUrl}/capsules/${uuid}`, rel: 'bookmark' },
  ]
}
