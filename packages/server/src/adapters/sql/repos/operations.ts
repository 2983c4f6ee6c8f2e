import { sql, type Kysely, type Selectable } from 'kysely'
import { SystemFault } from '../../../domain/errors.ts'
import type { Operation, OperationState, Step } from '../../../domain/operation/types.ts'
import type { NewOperation, OperationWrites, ReleasedOperation } from '../../../orchestration/ports/store.ts'
import type { OfAction } from '../../../orchestration/ports/events.ts'
import type { HeldOperation, OperationParams, PullCount, Verb } from '../../../orchestration/ports/wire.ts'
import { isConstraint } from '../store-errors.ts'
import { NOW_MS } from '../dialect/sqlite.ts'
import { prepared } from '../prepared.ts'
import type { OperationTable, Schema } from '../schema.ts'
import { EventRepo } from './event-log.ts'
import { BACK_IN_THE_QUEUE, notHeld, requeue } from './operation-leases.ts'
import { insertEndedStep, insertStep, stepBegins, stepEnds, toStep } from './operation-steps.ts'

const now = sql<number>`${sql.raw(NOW_MS)}`
const withNow = sql<number>`${sql.raw(NOW_MS)}`.as('now')

export class OperationRepo implements OperationWrites {
  readonly #db: Kysely<Schema>

  readonly #events: EventRepo

  constructor(db: Kysely<Schema>, events = new EventRepo(db)) {
    this.#db = db
    this.#events = events
  }

  #select() {
    return this.#db.selectFrom('operation').selectAll().select(withNow)
  }

  async byId(id: number): Promise<Operation | undefined> {
    const [row] = (await byId(this.#db, { id })).rows
    return row === undefined ? undefined : toOperation(row)
  }

  async unfinished(containerUuid: string): Promise<Operation[]> {
    return (await unfinished(this.#db, { containerUuid })).rows.map(toOperation)
  }

  async actions(containerUuid: string): Promise<Operation[]> {
    const rows = await this.#select()
      .where('container_uuid', '=', containerUuid)
      .where('recorded', '=', 1)
      .orderBy('id', 'desc')
      .execute()
    return rows.map(toOperation)
  }

  async latestAction(containerUuid: string): Promise<Operation | undefined> {
    const row = await this.#select()
      .where('container_uuid', '=', containerUuid)
      .where('recorded', '=', 1)
      .orderBy('id', 'desc')
      .limit(1)
      .executeTakeFirst()
    return row === undefined ? undefined : toOperation(row)
  }

  async byRequest(containerUuid: string, requestId: string): Promise<Operation[]> {
    return (await this.actions(containerUuid)).filter((op) => op.requestId === requestId)
  }

  async steps(operationId: number): Promise<Step[]> {
    const rows = await this.#db
      .selectFrom('step')
      .selectAll()
      .where('operation_id', '=', operationId)
      .orderBy('id')
      .execute()
    return rows.map(toStep)
  }

  async countByState(): Promise<Readonly<Record<string, number>>> {
    const rows = await this.#db
      .selectFrom('operation')
      .select(['state', (eb) => eb.fn.countAll<number>().as('n')])
      .groupBy('state')
      .execute()
    return Object.fromEntries(rows.map((row) => [row.state, Number(row.n)]))
  }

  async insert(operation: NewOperation): Promise<Operation> {
    const { insertId } = await insertOperation(this.#db, {
      ...operation,
      params: JSON.stringify(operation.params),
      recipe: JSON.stringify(operation.recipe),
      recorded: operation.recorded ? 1 : 0,
    })
    const made = await this.byId(Number(insertId))
    if (made === undefined) throw new SystemFault('store.lost', 'an operation was not stored')
    return made
  }

  async claimable(lane: string, max: number): Promise<Operation[]> {
    const rows = await this.#headsOfLine(lane)
      .selectAll()
      .select(withNow)
      .where('run_after', '<=', now)
      .orderBy('id')
      .limit(max)
      .execute()
    return rows.map(toOperation)
  }

  async dueInMs(lane: string): Promise<number | null> {
    const row = await this.#headsOfLine(lane)
      .select((eb) => [eb.fn.min<number | null>('run_after').as('due'), withNow])
      .executeTakeFirst()
    return row === undefined || row.due === null ? null : Math.max(0, row.due - row.now)
  }

  /** Queued operations of the lane that no older unfinished operation of their container keeps waiting. */
  #headsOfLine(lane: string) {
    return this.#db
      .selectFrom('operation')
      .where('lane', '=', lane)
      .where('state', '=', 'queued')
      .where(({ not, exists, selectFrom }) =>
        not(
          exists(
            selectFrom('operation as older')
              .select('older.id')
              .whereRef('older.container_uuid', '=', 'operation.container_uuid')
              .whereRef('older.id', '<', 'operation.id')
              .where('older.state', 'in', ['queued', 'running']),
          ),
        ),
      )
  }

  async claim(id: number, seenFence: number, owner: string, ttlMs: number): Promise<boolean> {
    try {
      return await this.#claim(id, seenFence, owner, ttlMs)
    } catch (error) {
      // `active_key`: another operation of the container runs.
      if (isConstraint(error)) return false
      throw error
    }
  }

  async #claim(id: number, seenFence: number, owner: string, ttlMs: number): Promise<boolean> {
    if ((await claim(this.#db, { id, fence: seenFence, owner, ttlMs })).numAffectedRows !== 1n) return false
    const claimed = await this.byId(id)
    if (claimed?.attempt === 1) {
      await this.#events.ofAction(claimed.containerUuid, { type: 'started', ...ofAction(claimed) })
    }
    return true
  }

  async move(id: number, fence: number, to: { lane: string; params: OperationParams }): Promise<boolean> {
    const result = await this.#db
      .updateTable('operation')
      .set({
        lane: to.lane,
        params: JSON.stringify(to.params),
        state: 'queued',
        active_key: null,
        fence: sql<number>`fence + 1`,
        attempt: 0,
        failures: 0,
        run_after: 0,
        lease_owner: null,
        lease_until: null,
        first_claimed_at: null,
        error_code: null,
        error_message: null,
      })
      .where('id', '=', id)
      .where('fence', '=', fence)
      .where('state', 'in', ['queued', 'running'])
      .executeTakeFirst()
    if (result.numUpdatedRows === 0n) return false
    await this.#db.deleteFrom('step').where('operation_id', '=', id).execute()
    return true
  }

  async createLanes(): Promise<string[]> {
    const rows = await this.#db
      .selectFrom('operation')
      .select('lane')
      .distinct()
      .where('verb', '=', 'create')
      .where('state', 'in', ['queued', 'running'])
      .execute()
    return rows.map(({ lane }) => lane)
  }

  async unbegunCreates(lane: string, page: { afterId: number; max: number }): Promise<Operation[]> {
    const rows = await this.#select()
      .where('lane', '=', lane)
      .where('id', '>', page.afterId)
      .where('verb', '=', 'create')
      .where('state', 'in', ['queued', 'running'])
      .where(({ not, exists, selectFrom }) =>
        not(
          exists(
            selectFrom('step')
              .select('step.id')
              .whereRef('step.operation_id', '=', 'operation.id')
              .where('step.name', '!=', 'obtainImage'),
          ),
        ),
      )
      .orderBy('id')
      .limit(page.max)
      .execute()
    return rows.map(toOperation)
  }

  async renew(id: number, fence: number, ttlMs: number): Promise<boolean> {
    const result = await this.#db
      .updateTable('operation')
      .set({ lease_until: sql<number>`${now} + ${ttlMs}` })
      .where('id', '=', id)
      .where('state', '=', 'running')
      .where('fence', '=', fence)
      .executeTakeFirst()
    return result.numUpdatedRows > 0n
  }

  async holds(id: number, fence: number): Promise<Operation | undefined> {
    const [row] = (await held(this.#db, { id, fence })).rows
    return row === undefined ? undefined : toOperation(row)
  }

  async release(id: number, fence: number, end: ReleasedOperation): Promise<boolean> {
    const values = { id, fence, state: end.state, code: end.errorCode ?? null, message: end.errorMessage ?? null }
    const { numAffectedRows } =
      end.state === 'queued'
        ? await releaseForRetry(this.#db, {
            ...values,
            afterMs: end.afterMs ?? 0,
            failed: end.unforeseen === true ? 1 : 0,
          })
        : await releaseFinished(this.#db, values)
    if (numAffectedRows !== 1n) return false
    if (end.state !== 'queued') await this.#tellEnd(id, end)
    return true
  }

  async #tellEnd(id: number, { state, errorCode = null, errorMessage = null }: ReleasedOperation): Promise<void> {
    const ended = await this.byId(id)
    if (ended === undefined || (state !== 'succeeded' && state !== 'failed' && state !== 'cancelled')) return
    const why = { error_code: errorCode, error_message: errorMessage }
    await this.#events.ofAction(ended.containerUuid, { type: 'finished', ...ofAction(ended), state, ...why })
  }

  async cancelQueued(containerUuid: string, message: string): Promise<number> {
    for (const op of await this.unfinished(containerUuid)) {
      if (op.state !== 'queued') continue
      const why = { error_code: null, error_message: message }
      await this.#events.ofAction(containerUuid, { type: 'finished', ...ofAction(op), state: 'cancelled', ...why })
    }
    const result = await this.#db
      .updateTable('operation')
      .set({ state: 'cancelled', error_message: message, finished_at: now })
      .where('container_uuid', '=', containerUuid)
      .where('state', '=', 'queued')
      .executeTakeFirst()
    return Number(result.numUpdatedRows)
  }

  async supersedeRunning(containerUuid: string): Promise<boolean> {
    const result = await this.#db
      .updateTable('operation')
      .set({ superseded: 1 })
      .where('active_key', '=', containerUuid)
      .executeTakeFirst()
    return result.numUpdatedRows > 0n
  }

  async requeueLane(lane: string): Promise<number> {
    return await this.#requeue(lane, false)
  }

  async requeueExpired(lane: string): Promise<number> {
    return await this.#requeue(lane, true)
  }

  async notHeld(lane: string, owner: string, held: readonly HeldOperation[]): Promise<HeldOperation[]> {
    return await notHeld(this.#db, { lane, owner }, held)
  }

  async requeue(held: readonly HeldOperation[]): Promise<number> {
    return await requeue(this.#db, held)
  }

  async #requeue(lane: string, onlyExpired: boolean): Promise<number> {
    let update = this.#db
      .updateTable('operation')
      .set(BACK_IN_THE_QUEUE)
      .where('lane', '=', lane)
      .where('state', '=', 'running')
    if (onlyExpired) update = update.where('lease_until', '<', now)
    return Number((await update.executeTakeFirst()).numUpdatedRows)
  }

  async stepStarted(operationId: number, step: string, mark: unknown): Promise<void> {
    await this.#tellStep(operationId, step, 'started', null)
    const again = await stepBegins(this.#db, { operationId, step, mark: JSON.stringify(mark ?? null) })
    if (again.numAffectedRows === 1n) return
    await this.#insertStep(operationId, step, 'started', mark, null)
  }

  async stepEnded(
    operationId: number,
    step: string,
    end: { state: 'finished' | 'failed'; output?: unknown; message?: string },
  ): Promise<void> {
    const output = JSON.stringify(end.output ?? null)
    const message = end.message ?? null
    await this.#tellStep(operationId, step, end.state, message)
    const known = await stepEnds(this.#db, { operationId, step, state: end.state, output, message })
    if (known.numAffectedRows === 1n) return
    // Found done already: it was never started, and took no time.
    await this.#insertStep(operationId, step, end.state, null, end)
  }

  async stepProgress(
    operationId: number,
    step: string,
    far: { readonly detail: string; readonly pull: PullCount | null },
  ): Promise<void> {
    const op = await this.byId(operationId)
    if (op !== undefined)
      await this.#events.ofAction(op.containerUuid, { type: 'progress', ...ofAction(op), step, ...far })
  }

  async #tellStep(
    operationId: number,
    step: string,
    state: 'started' | 'finished' | 'failed',
    message: string | null,
  ): Promise<void> {
    const op = await this.byId(operationId)
    if (op === undefined) return
    await this.#events.ofAction(op.containerUuid, { type: 'step', ...ofAction(op), step, state, message })
  }

  async #insertStep(
    operationId: number,
    name: string,
    state: string,
    mark: unknown,
    end: { output?: unknown; message?: string } | null,
  ): Promise<void> {
    const values = {
      operationId,
      name,
      state,
      mark: JSON.stringify(mark ?? null),
      output: JSON.stringify(end?.output ?? null),
      message: end?.message ?? null,
    }
    await (end === null ? insertStep(this.#db, values) : insertEndedStep(this.#db, values))
  }
}

const ofAction = ({ verb, requestId, userId }: Operation): OfAction => ({
  action: verb,
  request_id: requestId,
  user_id: userId,
})

const select = (db: Kysely<Schema>) => db.selectFrom('operation').selectAll().select(withNow)

const byId = prepared((db, p: { id: number }) => select(db).where('id', '=', p.id))

const unfinished = prepared((db, p: { containerUuid: string }) =>
  select(db).where('container_uuid', '=', p.containerUuid).where('state', 'in', ['queued', 'running']).orderBy('id'),
)

interface Held {
  readonly id: number
  readonly fence: number
}

const held = prepared((db, p: Held) =>
  select(db).where('id', '=', p.id).where('state', '=', 'running').where('fence', '=', p.fence),
)

type InsertedOperation = Omit<NewOperation, 'params' | 'recipe' | 'recorded'> & {
  readonly params: string
  readonly recipe: string
  readonly recorded: number
}

const insertOperation = prepared((db, p: InsertedOperation) =>
  db.insertInto('operation').values({
    container_uuid: p.containerUuid,
    project_id: p.projectId,
    user_id: p.userId,
    request_id: p.requestId,
    verb: p.verb,
    params: p.params,
    generation: p.generation,
    lane: p.lane,
    state: 'queued',
    recipe: p.recipe,
    attempt: 0,
    failures: 0,
    fence: 0,
    superseded: 0,
    recorded: p.recorded,
    active_key: null,
    run_after: 0,
    lease_owner: null,
    lease_until: null,
    error_code: null,
    error_message: null,
    created_at: now,
    first_claimed_at: null,
    finished_at: null,
  }),
)

const claim = prepared((db, p: Held & { readonly owner: string; readonly ttlMs: number }) =>
  db
    .updateTable('operation')
    .set({
      state: 'running',
      active_key: sql<string>`container_uuid`,
      fence: sql<number>`fence + 1`,
      attempt: sql<number>`attempt + 1`,
      lease_owner: p.owner,
      lease_until: sql<number>`${now} + ${p.ttlMs}`,
      first_claimed_at: sql<number>`coalesce(first_claimed_at, ${now})`,
    })
    .where('id', '=', p.id)
    .where('state', '=', 'queued')
    .where('fence', '=', p.fence),
)

interface Released extends Held {
  readonly state: string
  readonly code: string | null
  readonly message: string | null
}

const release = (db: Kysely<Schema>, p: Released) =>
  db
    .updateTable('operation')
    .set({
      state: p.state,
      active_key: null,
      lease_owner: null,
      lease_until: null,
      error_code: p.code,
      error_message: p.message,
    })
    .where('id', '=', p.id)
    .where('state', '=', 'running')
    .where('fence', '=', p.fence)

const releaseFinished = prepared((db, p: Released) => release(db, p).set({ finished_at: now }))
const releaseForRetry = prepared((db, p: Released & { readonly afterMs: number; readonly failed: number }) =>
  release(db, p).set({
    run_after: sql<number>`${now} + ${p.afterMs}`,
    failures: sql<number>`failures + ${p.failed}`,
  }),
)

function toOperation(row: Selectable<OperationTable> & { now: number }): Operation {
  return {
    id: row.id,
    containerUuid: row.container_uuid,
    projectId: row.project_id,
    userId: row.user_id,
    requestId: row.request_id,
    verb: row.verb as Verb,
    params: JSON.parse(row.params) as OperationParams,
    generation: row.generation,
    lane: row.lane,
    state: row.state as OperationState,
    recipe: JSON.parse(row.recipe) as string[],
    attempt: row.attempt,
    failures: row.failures,
    fence: row.fence,
    superseded: row.superseded === 1,
    recorded: row.recorded === 1,
    errorCode: row.error_code,
    errorMessage: row.error_message,
    createdAtMs: row.created_at,
    firstClaimedAtMs: row.first_claimed_at,
    ageMs: row.first_claimed_at === null ? 0 : Math.max(0, row.now - row.first_claimed_at),
    finishedAtMs: row.finished_at,
  }
}
