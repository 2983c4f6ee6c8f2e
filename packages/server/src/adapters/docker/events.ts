import type { EngineEvent } from '../../orchestration/ports/engine.ts'
import { LABEL_CONTAINER } from './create-body.ts'

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
