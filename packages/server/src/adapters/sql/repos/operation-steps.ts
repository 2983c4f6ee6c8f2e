/** Statements and rows of the journal of an operation. */
import { sql, type Selectable } from 'kysely'
import type { Step } from '../../../domain/operation/types.ts'
import { NOW_MS } from '../dialect/sqlite.ts'
import { prepared } from '../prepared.ts'
import type { StepTable } from '../schema.ts'

const now = sql<number>`${sql.raw(NOW_MS)}`

export const stepBegins = prepared((db, p: { operationId: number; step: string; mark: string }) =>
  db
    .updateTable('step')
    .set({ state: 'started', mark: p.mark, message: null, finished_at: null })
    .where('operation_id', '=', p.operationId)
    .where('name', '=', p.step),
)

interface EndedStep {
  readonly operationId: number
  readonly step: string
  readonly state: string
  readonly output: string
  readonly message: string | null
}

export const stepEnds = prepared((db, p: EndedStep) =>
  db
    .updateTable('step')
    .set({ state: p.state, output: p.output, message: p.message, finished_at: now })
    .where('operation_id', '=', p.operationId)
    .where('name', '=', p.step),
)

interface InsertedStep {
  readonly operationId: number
  readonly name: string
  readonly state: string
  readonly mark: string
  readonly output: string
  readonly message: string | null
}

const stepRow = (p: InsertedStep) => ({
  operation_id: p.operationId,
  name: p.name,
  state: p.state,
  mark: p.mark,
  output: p.output,
  message: p.message,
  started_at: now,
})

export const insertStep = prepared((db, p: InsertedStep) =>
  db.insertInto('step').values({ ...stepRow(p), finished_at: null }),
)
export const insertEndedStep = prepared((db, p: InsertedStep) =>
  db.insertInto('step').values({ ...stepRow(p), finished_at: now }),
)

export function toStep(row: Selectable<StepTable>): Step {
  return {
    operationId: row.operation_id,
    name: row.name,
    state: row.state as Step['state'],
    mark: JSON.parse(row.mark),
    output: JSON.parse(row.output),
    message: row.message,
    startedAtMs: row.started_at,
    finishedAtMs: row.finished_at,
  }
}
