import type { Container as ContainerBody, ListedContainer } from '@zund/contract/api/container.ts'
import { LRUCache } from 'lru-cache'
import type { RequestContext } from '../../../../app/context.ts'
import type { Caller } from '../../../../app/ports/identity.ts'
import type { Policy } from '../../../../app/ports/policy.ts'
import { statusDetail } from '../../../../domain/container/status.ts'
import type { Container } from '../../../../domain/container/types.ts'
import type { ContainerKey } from '../../../../orchestration/ports/store.ts'
import { spaced } from '../../timestamps.ts'

/** Every key of a container body, in the order it is sent; `status_detail` is last because it changes by itself. */
function fieldsOf(container: Container): Omit<ListedContainer, 'status_detail'> {
  const { spec, observed } = container
  return {
    uuid: container.uuid,
    name: container.name,
    project_id: container.projectId,
    user_id: container.userId,
    image: spec.image,
    image_driver: spec.imageDriver,
    image_pull_policy: spec.imagePullPolicy,
    command: spec.command ?? observed?.command ?? [],
    entrypoint: spec.entrypoint ?? observed?.entrypoint ?? [],
    cpu: spec.cpu,
    cpu_policy: spec.cpuPolicy,
    memory: String(spec.memoryMiB),
    disk: spec.diskGiB,
    environment: spec.environment,
    labels: spec.labels,
    workdir: spec.workdir,
    hostname: spec.hostname ?? observed?.hostname ?? null,
    ports: observed?.ports ?? [],
    // A member of a capsule has none of its own: they are the capsule's.
    addresses: container.capsuleUuid === null ? container.addresses : null,
    security_groups: spec.securityGroups,
    restart_policy:
      spec.restartPolicy === null
        ? {}
        : { Name: spec.restartPolicy.name, MaximumRetryCount: String(spec.restartPolicy.maximumRetryCount) },
    interactive: spec.interactive,
    tty: spec.tty,
    auto_remove: spec.autoRemove,
    auto_heal: spec.autoHeal,
    privileged: spec.privileged,
    runtime: spec.runtime ?? observed?.runtime ?? null,
    healthcheck:
      spec.healthcheck === null
        ? {}
        : {
            test: spec.healthcheck.test,
            interval: spec.healthcheck.intervalS,
            timeout: spec.healthcheck.timeoutS,
            retries: spec.healthcheck.retries,
          },
    registry_id: spec.registryUuid,
    host: container.host,
    status: container.status,
    status_reason: container.statusReason,
    task_state: container.taskState,
    created_at: spaced(container.createdAtMs),
    updated_at: container.updatedAtMs === null ? null : spaced(container.updatedAtMs),
  }
}

const FIELD_NAMES = [
  'uuid name project_id user_id image image_driver image_pull_policy command entrypoint cpu cpu_policy memory disk',
  'environment labels workdir hostname ports addresses security_groups restart_policy interactive tty auto_remove',
  'auto_heal privileged runtime healthcheck registry_id host status status_reason task_state created_at updated_at',
  'status_detail',
]
  .join(' ')
  .split(' ')

/** One content of a row, and its JSON for each set of hidden fields, `{…` up to where `status_detail` follows. */
interface Encoded {
  readonly container: Container
  readonly heads: Map<HiddenFields, string>
}

/** Always the same object for the same fields, so that it can be a key. */
export type HiddenFields = ReadonlySet<string>

/** Rows kept encoded. A list of 1,000 fits, several times over. */
const CACHE_SIZE = 5_000

/**
 * Bodies of containers, as text.
 *
 * Encoding is most of the cost of a list, and a row's content is named by uuid and revision, so the text is kept for
 * each set of hidden fields. Only `status_detail` ("Up 5 mins") is made anew each time.
 */
export class ContainerViews {
  readonly #policy: Policy
  readonly #cache = new LRUCache<string, Encoded>({ max: CACHE_SIZE })
  readonly #sets = new Map<string, HiddenFields>()
  /** By caller: the identity gives the same object as long as it believes in the token. */
  #hidden = new WeakMap<Caller, HiddenFields>()
  #ruledFields: readonly string[] = []
  #policyVersion = 0

  constructor(policy: Policy) {
    this.#policy = policy
  }

  /** Fields that a rule of the operator or of ours hides from this caller. */
  hiddenFrom(ctx: RequestContext): HiddenFields {
    this.#followPolicy()
    const known = this.#hidden.get(ctx.caller)
    if (known !== undefined) return known
    const names = this.#ruledFields.filter((field) => !this.#policy.allows(ruleOf(field), ctx))
    const key = names.join()
    const hidden = this.#sets.get(key) ?? new Set(names)
    this.#sets.set(key, hidden)
    this.#hidden.set(ctx.caller, hidden)
    return hidden
  }

  #followPolicy(): void {
    const { version } = this.#policy
    if (version === this.#policyVersion) return
    this.#policyVersion = version
    this.#ruledFields = FIELD_NAMES.filter((field) => this.#policy.defines(ruleOf(field)))
    this.#hidden = new WeakMap()
  }

  isHidden(field: string, ctx: RequestContext): boolean {
    return this.hiddenFrom(ctx).has(field)
  }

  /** The row of this very content, if it was shown lately: then it need not be read. */
  known({ uuid, revision }: ContainerKey): Container | undefined {
    return this.#cache.get(`${uuid}:${revision}`)?.container
  }

  encode(container: Container, hidden: HiddenFields, nowMs: number, baseUrl: string | null): string {
    const key = `${container.uuid}:${container.revision}`
    let known = this.#cache.get(key)
    if (known === undefined) {
      known = { container, heads: new Map() }
      this.#cache.set(key, known)
    }
    let head = known.heads.get(hidden)
    if (head === undefined) {
      const fields = Object.entries(fieldsOf(container)).filter(([name]) => !hidden.has(name))
      head = JSON.stringify(Object.fromEntries(fields)).slice(0, -1)
      known.heads.set(hidden, head)
    }
    const detail = hidden.has('status_detail')
      ? ''
      : `,"status_detail":${JSON.stringify(statusDetail(container, nowMs))}`
    return `${head}${detail}${baseUrl === null ? '' : `,"links":${JSON.stringify(linksOf(container.uuid, baseUrl))}`}}`
  }
}

function ruleOf(field: string): string {
  return `container:get_one:${field}`
}

function linksOf(uuid: string, baseUrl: string): ContainerBody['links'] {
  return [
    { href: `${baseUrl}/v1/containers/${uuid}`, rel: 'self' },
    { href: `${baseUrl}/containers/${uuid}`, rel: 'bookmark' },
  ]
}
