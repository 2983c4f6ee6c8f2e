import { historyEndpoints } from '@zund/contract/api/endpoints/extensions.ts'
import type { ContainerHistory, PastContainer } from '@zund/contract/api/extension.ts'
import { listHistory, showHistory, type ContainerPast, type HistoryDeps } from '../../../../app/history/read.ts'
import type { RequestContext } from '../../../../app/context.ts'
import type { PastOperation, PastSummary, StopRecord } from '../../../../orchestration/ports/history.ts'
import { nextUrl, pageOf } from '../../paging.ts'
import { route, type Route } from '../../route.ts'
import { iso } from '../../timestamps.ts'

const RESOURCE = 'history/containers'
const COLLECTION = `/v1/${RESOURCE}`

/** Why containers stopped and what became of deleted ones; an extension (docs/api/extensions.md). */
export function historyRoutes(deps: HistoryDeps): Route[] {
  const endpoints = historyEndpoints(deps.options)
  const seesHosts = (ctx: RequestContext): boolean => deps.policy.allows('container:get_one:host', ctx)
  return [
    route(endpoints.listHistory, async ({ ctx, args, query, baseUrl }) => {
      const page = pageOf(args, deps.options.maxPageSize, 'deleted_at')
      const wanted = { ...page, name: args.name ?? null, allProjects: args.all_projects ?? false }
      const past = await listHistory(deps, ctx, wanted)
      const uuids = past.map(({ uuid }) => uuid)
      return {
        body: {
          containers: past.map((container) => summary(container, seesHosts(ctx), baseUrl)),
          next: nextUrl(baseUrl, RESOURCE, page, query, uuids),
        },
      }
    }),
    route(endpoints.showHistory, async ({ ctx, params, baseUrl }) => {
      const past = await showHistory(deps, ctx, params['uuid'] ?? '')
      const body: ContainerHistory = {
        ...summary(past, seesHosts(ctx), baseUrl),
        ...(past.kind === 1 ? { containers: past.members.map(({ uuid, name }) => ({ uuid, name })) } : {}),
        actions: past.operations.map(action),
        stops: past.stops.map(stop),
      }
      return { body }
    }),
  ]
}

function summary(
  past: Omit<PastSummary, 'deletedAtMs'> & Pick<ContainerPast, 'deletedAtMs'>,
  seesHost: boolean,
  baseUrl: string,
): PastContainer {
  return {
    uuid: past.uuid,
    kind: past.kind === 1 ? 'capsule' : 'container',
    capsule_uuid: past.capsuleUuid,
    name: past.name,
    image: past.image,
    project_id: past.projectId,
    user_id: past.userId,
    ...(seesHost ? { host: past.host } : {}),
    created_at: iso(past.createdAtMs),
    deleted_at: time(past.deletedAtMs),
    links: [{ href: `${baseUrl}${COLLECTION}/${past.uuid}`, rel: 'self' }],
  }
}

function action(operation: PastOperation): ContainerHistory['actions'][number] {
  return {
    action: operation.verb,
    request_id: operation.requestId,
    user_id: operation.userId,
    project_id: operation.projectId,
    start_time: iso(operation.createdAtMs),
    finish_time: time(operation.finishedAtMs),
    state: operation.state,
    error_code: operation.errorCode,
    error_message: operation.state === 'succeeded' ? null : operation.errorMessage,
    steps: operation.steps.map((step) => ({
      name: step.name,
      state: step.state,
      start_time: iso(step.startedAtMs),
      finish_time: time(step.finishedAtMs),
      message: step.message,
    })),
  }
}

function stop(record: StopRecord): ContainerHistory['stops'][number] {
  return {
    reason: record.reason,
    actor: record.actor,
    user_id: record.userId,
    request_id: record.requestId,
    exit_code: record.exitCode,
    signal: record.signal,
    oom_killed: record.outOfMemory,
    message: record.message === '' ? null : record.message,
    started_at: time(record.startedAtMs),
    ended_at: time(record.endedAtMs),
    recorded_at: iso(record.recordedAtMs),
  }
}

const time = (ms: number | null): string | null => (ms === null ? null : iso(ms))
