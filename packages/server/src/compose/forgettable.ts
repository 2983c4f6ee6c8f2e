import type { Forgettable } from '../orchestration/forgetter.ts'
import type { Config } from './config/options.ts'

const HOUR_MS = 60 * 60_000

/** What is kept for a time only. */
export function forgettable(
  config: Pick<Config, 'historyDays' | 'eventHours' | 'eventCount' | 'idempotencyHours'>,
): readonly Forgettable[] {
  const events = { ageMs: config.eventHours * HOUR_MS, count: config.eventCount }
  return [
    { what: 'deleted containers', purge: (tx, max) => tx.history.purge(config.historyDays * 24 * HOUR_MS, max) },
    { what: 'events', purge: (tx, max) => tx.events.purge(events, max) },
    { what: 'idempotency keys', purge: (tx, max) => tx.idempotency.purge(config.idempotencyHours * HOUR_MS, max) },
  ]
}
