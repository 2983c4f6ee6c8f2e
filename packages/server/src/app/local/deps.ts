import { Forbidden } from '../../domain/errors.ts'
import { normaliseUuid } from '../../domain/ids.ts'
import type { Doorbell, Store } from '../../orchestration/ports/store.ts'
import type { RequestContext } from '../context.ts'
import { bad } from '../fields.ts'
import type { AppOptions } from '../options.ts'
import type { Policy } from '../ports/policy.ts'

/** What the built-in network and volume services work with. */
export interface LocalDeps {
  readonly store: Store
  readonly doorbell: Doorbell
  readonly policy: Policy
  readonly options: Pick<AppOptions, 'localNetwork' | 'localQuota' | 'maxPageSize'>
  readonly newUuid: () => string
}

export function requireProject(ctx: RequestContext): string {
  if (ctx.caller.projectId !== null) return ctx.caller.projectId
  throw new Forbidden('Networks and volumes belong to a project; the token is not scoped to one.')
}

/** A name that containers can refer to: one that reads as an id would be looked for as one. */
export function requireNameNotId(name: string): void {
  if (normaliseUuid(name) !== undefined) throw bad('name', name, 'It must not look like an id')
}
