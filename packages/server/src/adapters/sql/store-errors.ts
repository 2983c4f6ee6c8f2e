import { SystemFault, ZunError } from '../../domain/errors.ts'

const SQLITE_BUSY = 5
const SQLITE_FULL = 13
const SQLITE_CONSTRAINT = 19

/** Errors of ours pass; those of the database get a code. */
export function toStoreError(error: unknown): unknown {
  if (error instanceof ZunError) return error
  const errcode = sqliteCode(error)
  if (errcode === SQLITE_FULL)
    return new SystemFault('store.full', 'the disk of the database is full', { cause: error })
  if (errcode === undefined) return error
  return new SystemFault('store.failed', 'the database refused a statement', { cause: error })
}

/** True for a UNIQUE (or other) constraint that a statement ran into. */
export function isConstraint(error: unknown): boolean {
  return sqliteCode(error) === SQLITE_CONSTRAINT
}

function sqliteCode(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('errcode' in error)) return undefined
  const { errcode } = error
  // The low byte is the primary code; the rest says more exactly which constraint.
  return typeof errcode === 'number' ? errcode & 0xff : undefined
}

/** True when another process writes to the file. */
export function isBusy(error: unknown): boolean {
  return sqliteCode(error) === SQLITE_BUSY
}
