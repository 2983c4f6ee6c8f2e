import { LRUCache } from 'lru-cache'
import type { RequestContext } from '../../../../app/context.ts'
import type { Policy } from '../../../../app/ports/policy.ts'
import { statusDetail } from '../../../../domain/container/status.ts'
import type { Container } from '../../../../domain/container/types.ts'
import { spaced } from '../../timestamps.ts'

/** Every key of a container body, in the order it is sent; `status_detail` is last because it changes by itself. */
function fieldsOf(container: Container): Record<string, unknown> {
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
    addresses: container.addresses,
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

/** One container's JSON without its links and without what changes by itself. */
interface Encoded {
  readonly container: Container
  /** `{…,` up to where `status_detail` follows. */
  readonly head: string
}

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

  constructor(policy: Policy) {
    this.#policy = policy
  }

  /** Fields that a rule of the operator or of ours hides from this caller. */
  hiddenFrom(ctx: RequestContext): ReadonlySet<string> {
    return new Set(FIELD_NAMES.filter((name) => this.isHidden(name, ctx)))
  }

  isHidden(field: string, ctx: RequestContext): boolean {
    const rule = `container:get_one:${field}`
    return this.#policy.defines(rule) && !this.#policy.allows(rule, ctx)
  }

  /** Known already? Then the row need not be fetched. */
  cached(uuid: string, revision: number, hidden: ReadonlySet<string>, nowMs: number): string | undefined {
    const known = this.#cache.get(keyOf(uuid, revision, hidden))
    return known === undefined ? undefined : finish(known, hidden, nowMs, null)
  }

  encode(container: Container, hidden: ReadonlySet<string>, nowMs: number, baseUrl: string | null): string {
    const key = keyOf(container.uuid, container.revision, hidden)
    let known = this.#cache.get(key)
    if (known === undefined) {
      const fields = Object.entries(fieldsOf(container)).filter(([name]) => !hidden.has(name))
      known = { container, head: JSON.stringify(Object.fromEntries(fields)).slice(0, -1) }
      this.#cache.set(key, known)
    }
    return finish(known, hidden, nowMs, baseUrl)
  }
}

function keyOf(uuid: string, revision: number, hidden: ReadonlySet<string>): string {
  return `${uuid}:${revision}:${[...hidden].join()}`
}

function finish(
  { container, head }: Encoded,
  hidden: ReadonlySet<string>,
  nowMs: number,
  baseUrl: string | null,
): string {
  const detail = hidden.has('status_detail') ? '' : `,"status_detail":${JSON.stringify(statusDetail(container, nowMs))}`
  return `${head}${detail}${baseUrl === null ? '' : `,"links":${JSON.stringify(linksOf(container.uuid, baseUrl))}`}}`
}

function linksOf(uuid: string, baseUrl: string): object[] {
  return [
    { href: `${baseUrl}/v1/containers/${uuid}`, rel: 'self' },
    { href: `${baseUrl}/containers/${uuid}`, rel: 'bookmark' },
  ]
}
