import { EngineUnavailable, messageOf } from '../../domain/errors.ts'
import type { EngineCallOptions, EngineEvent } from '../../orchestration/ports/engine.ts'
import { LABEL_CONTAINER } from './create-body.ts'
import type { EngineHttp } from './http-client.ts'
import { jsonLines } from './json-lines.ts'

/** Actions after which a container looks different. */
const ACTIONS = new Set([
  'create',
  'start',
  'die',
  'oom',
  'stop',
  'kill',
  'pause',
  'unpause',
  'restart',
  'destroy',
  'update',
])

/** What a line of `GET /events` means, or undefined when it means nothing to us. */
export function toEvent(line: Record<string, unknown>): EngineEvent | undefined {
  const { Action, Actor, timeNano } = line
  if (typeof Action !== 'string' || !ACTIONS.has(Action)) return undefined
  const attributes = (Actor as { Attributes?: Record<string, string> } | undefined)?.Attributes
  const containerUuid = attributes?.[LABEL_CONTAINER]
  if (containerUuid === undefined) return undefined
  const exitCode = Action === 'die' ? Number(attributes?.['exitCode'] ?? Number.NaN) : Number.NaN
  return {
    kind: 'container',
    containerUuid,
    action: Action,
    atMs: typeof timeNano === 'number' ? timeNano / 1e6 : Date.now(),
    ...(Number.isInteger(exitCode) ? { exitCode } : {}),
  }
}

/** `labels`: those a container must have. The engine's answer ends by itself, at the moment of the question. */
export async function pastEvents(
  http: EngineHttp,
  labels: readonly string[],
  { signal }: EngineCallOptions,
): Promise<EngineEvent[]> {
  const filters = JSON.stringify({ type: ['container'], label: labels })
  const until = (Math.ceil(Date.now() + 1) / 1000).toFixed(3)
  const body = await http.open({ method: 'GET', path: '/events', query: { since: '1', until, filters }, signal })
  const events: EngineEvent[] = []
  try {
    for await (const line of jsonLines(body)) {
      const event = toEvent(line)
      if (event !== undefined) events.push(event)
    }
  } catch (error) {
    signal.throwIfAborted()
    throw new EngineUnavailable(`the events broke off: ${messageOf(error)}`, { cause: error })
  } finally {
    body.destroy()
  }
  return events
}
